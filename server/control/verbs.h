// The verbs of the control socket: a request line in, one reply out. Knows nothing of sockets.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct control_ops;

enum { VERBS_FIELDS_MAX = 6 };

struct verbs_field {
	const char *name;
	bool needed;
	json_type type; // JSON_STRING (never empty) or JSON_INTEGER (never negative)
};

// One request, checked: it has the verb's needed fields and no others.
struct verbs_call {
	const struct control_ops *ops;
	const json_t *request;
	const char *who;                         // the peer, for the log and the state: "uid 1000 (alice), pid 4711"
	void (*reply)(void *ctx, json_t *reply); // takes the reply; NULL: no memory
	void *reply_ctx;
};

struct verbs_row {
	const char *name;
	// One of the two. `later` calls call->reply() itself, once, now or from the loop.
	json_t *(*now)(const struct verbs_call *call);
	void (*later)(const struct verbs_call *call);
	bool changes; // logged with the peer
	struct verbs_field fields[VERBS_FIELDS_MAX];
};

// Runs one line (without its line feed). call->request is set here; everything else by the caller, `who` outliving the
// reply. call->reply() is called exactly once. Any bytes may come in.
void verbs_run(const struct verbs_call *call, const char *line, size_t len);

// A field's text, or NULL when the request has none.
const char *verbs_text(const struct verbs_call *call, const char *field);
// A field's number, or 0.
json_int_t verbs_number(const struct verbs_call *call, const char *field);
