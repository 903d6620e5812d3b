// The verbs of the control socket: a request line in, one reply out. Knows nothing about sockets.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct call;

enum { VERBS_FIELDS_MAX = 6 };

struct verbs_field {
	const char *name;
	bool needed;
	json_type type; // JSON_STRING (never empty), JSON_INTEGER (never negative) or JSON_TRUE (either)
};

struct verbs_row {
	const char *name;
	// Exactly one of the two. `now` returns the reply; `later` sees to it that call->reply() is called once, at once or
	// later.
	json_t *(*now)(const struct call *call);
	void (*later)(const struct call *call);
	bool changes; // logged with the peer and the outcome
	struct verbs_field fields[VERBS_FIELDS_MAX];
};

// Runs one line of `len` bytes, without its line feed; any bytes are allowed. call->request is set here, everything
// else by the caller; `who` must outlive the reply. call->reply() is called exactly once, perhaps after this returns.
// Main thread.
void verbs_run(const struct call *call, const char *line, size_t len);
