// One request to the daemon and its reply, over the control socket; for edgesteerctl.
#pragma once

#include <jansson.h>

#include "base/attr.h"

enum { CTL_LINK_ERROR_LEN = 512, CTL_LINK_REPLY_MAX = 64 << 20 };

// Sends the object as one line and waits for one line. `progress`, when not NULL, is shown with the seconds passed on
// standard error, where that is a terminal. NULL: `error[CTL_LINK_ERROR_LEN]` says why.
json_t *client_link_ask(const char *path, const json_t *request, unsigned timeout_s, const char *progress,
                     char *error) MUST_USE;
