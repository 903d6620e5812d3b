// Sends one request to the daemon and reads its reply, over the control socket; for edgesteerctl.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/attr.h"

enum { CTL_LINK_ERROR_LEN = 512, CTL_LINK_REPLY_MAX = 64 << 20 };

// Why there is no reply.
struct client_link_error {
	bool is_unreached; // the daemon could not be reached, or has not answered
	char text[CTL_LINK_ERROR_LEN];
};

// Sends the object as one line and waits up to `timeout_s` seconds for one line, the reply, owned by the caller.
// `progress` (may be NULL) is shown with the seconds passed on standard error, if that is a terminal. NULL: *error says
// why.
json_t *client_link_ask(const char *path, const json_t *request, unsigned timeout_s, const char *progress,
                        struct client_link_error *error) MUST_USE;
