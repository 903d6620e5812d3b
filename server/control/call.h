// A request as passed to a verb's function, and as the function keeps it while the reply is not ready yet.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/attr.h"
#include "control/ops.h"

// One request whose fields were checked against the verb's row: all required ones, and no unknown ones.
struct call {
	struct control_ops ops;
	json_t *request;
	const char *who;                         // the peer, for the log and the state: "uid 1000 (alice), pid 4711"
	bool is_remote;                          // it came over HTTP
	bool changes;                            // log it, with the peer and the outcome
	void (*reply)(void *ctx, json_t *reply); // takes ownership of the reply; NULL: out of memory
	void *reply_ctx;
};

// A field's text, owned by the request; NULL when it has no such field.
const char *call_text(const struct call *call, const char *field);
// A field's number; 0 when the request has no such field.
json_int_t call_number(const struct call *call, const char *field);

// A copy that outlives the request and its connection, freed by call_finish(). NULL when out of memory; the call has
// then been answered with that error.
struct call *call_keep(const struct call *call) MUST_USE;
// Logs a change with its outcome and sends the reply, taking ownership of it (NULL: out of memory). Exactly once per
// call.
void call_answer(const struct call *call, json_t *reply);
// Frees a copy that somebody else answers, by a copy of its own.
void call_drop(struct call *kept);
// call_answer() for a copy made by call_keep(), which it frees.
void call_finish(struct call *kept, json_t *reply);
