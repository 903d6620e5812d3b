// Sends one request to the daemon and reads its reply, over the control socket; for edgesteerctl.
#pragma once

#include <jansson.h>

#include "base/attr.h"

enum { CTL_LINK_ERROR_LEN = 512, CTL_LINK_REPLY_MAX = 64 << 20 };

// Sends the object as one line and waits up to `timeout_s` seconds for one line, the reply, owned by the caller.
// `progress` (may be NULL) is shown with the seconds passed on standard error, if that is a terminal. NULL: the reason
// is in error[CTL_LINK_ERROR_LEN].
json_t *client_link_ask(const char *path, const json_t *request, unsigned timeout_s, const char *progress,
                     char *error) MUST_USE;
