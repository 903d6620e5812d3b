// The verbs of the control socket and of the HTTP door: a request in, one reply out. Knows nothing about sockets.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct call;

enum { VERBS_FIELDS_MAX = 13 };

// What a peer must be allowed for a verb, as a set of bits of what it is allowed. Whoever can open the socket is allowed
// everything. Over HTTP, what reads is asked for by GET, anything else by POST.
enum verbs_scope {
	VERBS_READ = 1,    // shows
	VERBS_REPORT = 2,  // tells what an agent has seen
	VERBS_OPERATE = 4, // changes something: logged with the peer and the outcome
};

struct verbs_field {
	const char *name;
	bool needed;
	json_type type; // JSON_STRING (never empty), JSON_INTEGER (never negative), JSON_TRUE (either), JSON_ARRAY, or
	                // JSON_REAL: a text or a number
};

struct verbs_row {
	const char *name;
	// Exactly one of the two. `now` returns the reply; `later` sees to it that call->reply() is called once, at once or
	// later.
	json_t *(*now)(const struct call *call);
	void (*later)(const struct call *call);
	enum verbs_scope scope;
	struct verbs_field fields[VERBS_FIELDS_MAX];
};

// Runs one line of `len` bytes, without its line feed; any bytes are allowed. call->request is set here, everything
// else by the caller; `who` must outlive the reply. call->reply() is called exactly once, perhaps after this returns.
// Main thread.
void verbs_run(const struct call *call, const char *line, size_t len);
// The same for a request that was read already, an object (which may have a "verb", not looked at); borrowed.
void verbs_call(const struct call *call, const struct verbs_row *row, json_t *request);
// NULL: there is no such verb.
const struct verbs_row *verbs_find(const char *name) PURE;
// The refusal of a verb that does not exist. Owned by the caller; NULL: out of memory.
json_t *verbs_unknown(const char *name) MUST_USE;
