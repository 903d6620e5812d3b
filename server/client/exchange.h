// Asks a daemon, over its socket or its HTTP door; for edgesteerctl. Any thread, each with a request of its own.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/attr.h"

struct client_fault;
struct client_member;

struct client_exchange {
	bool changes;         // it is something that changes
	bool counts;          // its reply has the totals, so a partial list is acceptable
	unsigned timeout_s;   // of each request
	const char *progress; // may be NULL: see client_link_ask()
};

// One request, one reply, owned by the caller. NULL: *fault says why.
json_t *client_exchange(const struct client_member *to, const json_t *request, const struct client_exchange *how,
                        struct client_fault *fault) MUST_USE;
// For long lists as often as there are parts, with "from" set in the request: one reply with all of them.
json_t *client_exchange_all(const struct client_member *to, json_t *request, const struct client_exchange *how,
                            struct client_fault *fault) MUST_USE;
