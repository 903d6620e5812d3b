// The verbs of the control socket: a request line in, one reply out. Knows nothing of sockets.
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
	json_type type; // JSON_STRING (never empty) or JSON_INTEGER (never negative)
};

struct verbs_row {
	const char *name;
	// One of the two. `later` calls call->reply() itself, once, now or from the loop.
	json_t *(*now)(const struct call *call);
	void (*later)(const struct call *call);
	bool changes; // logged with the peer
	struct verbs_field fields[VERBS_FIELDS_MAX];
};

// Runs one line (without its line feed). call->request is set here; everything else by the caller, `who` outliving the
// reply. call->reply() is called exactly once. Any bytes may come in.
void verbs_run(const struct call *call, const char *line, size_t len);
