// A request as the functions of the verbs get it.
#pragma once

#include <jansson.h>

struct control_ops;

// One request, checked: it has the verb's needed fields and no others.
struct call {
	const struct control_ops *ops;
	const json_t *request;
	const char *who;                         // the peer, for the log and the state: "uid 1000 (alice), pid 4711"
	void (*reply)(void *ctx, json_t *reply); // takes the reply; NULL: no memory
	void *reply_ctx;
};

// A field's text, or NULL when the request has none.
const char *call_text(const struct call *call, const char *field);
// A field's number, or 0.
json_int_t call_number(const struct call *call, const char *field);
