// Sends one request to the daemon and reads its reply, over the control socket; for edgesteerctl.
#pragma once

#include <jansson.h>

#include "base/attr.h"

struct client_fault;

enum { CLIENT_REPLY_MAX = 64 << 20 }; // octets

// Sends the object as one line and waits up to `timeout_s` seconds for one line, the reply, owned by the caller.
// `progress` (may be NULL) is shown with the seconds passed on standard error, if that is a terminal. NULL: *fault says
// why.
json_t *client_link_ask(const char *path, const json_t *request, unsigned timeout_s, const char *progress,
                        struct client_fault *fault) MUST_USE;
