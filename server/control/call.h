// A request as the functions of the verbs get it, and as they keep it while its reply has to wait.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/attr.h"
#include "control/ops.h"

// One request, checked: it has the verb's needed fields and no others.
struct call {
	struct control_ops ops;
	json_t *request;
	const char *who;                         // the peer, for the log and the state: "uid 1000 (alice), pid 4711"
	bool changes;                            // it is logged with the peer
	void (*reply)(void *ctx, json_t *reply); // takes the reply; NULL: no memory
	void *reply_ctx;
};

// A field's text, or NULL when the request has none.
const char *call_text(const struct call *call, const char *field);
// A field's number, or 0.
json_int_t call_number(const struct call *call, const char *field);

// A copy that outlives the request and its connection, until call_end(). NULL without memory: then the call has been
// answered so.
struct call *call_keep(const struct call *call) MUST_USE;
// Logs a change with what came of it, and gives the reply (taken; NULL: no memory). For any call, once.
void call_answer(const struct call *call, json_t *reply);
// The same for one that was kept, which is freed.
void call_end(struct call *kept, json_t *reply);
