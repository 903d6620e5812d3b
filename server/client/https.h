// Sends one request to a daemon's HTTP door and reads its reply, by libcurl; for edgesteerctl. Several threads may ask
// at once, after client_https_begin().
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/attr.h"

struct client_fault;
struct client_member;

// Before any thread is started. False: libcurl cannot be used.
bool client_https_begin(void) MUST_USE;
// `request` has a "verb" and its fields, which become a path and the query of a GET or, for what `changes` something,
// the body of a POST. Waits up to `timeout_s` seconds in all; nothing is sent twice. The reply is owned by the caller.
// NULL: *fault says why. A file of the member's that must not be used, as others can read it, is such a fault.
json_t *client_https_ask(const struct client_member *to, const json_t *request, bool changes, unsigned timeout_s,
                         struct client_fault *fault) MUST_USE;
