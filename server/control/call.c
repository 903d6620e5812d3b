// Requests: their fields, their life, and the line in the log of those that change something; see call.h.
#include "control/call.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

// Octets of a request in the log. One that is done is what its site's, its app's and its reason's lengths allow, mostly.
enum { LOGGED_DONE_MAX = 1500, LOGGED_REFUSED_MAX = 200 };

const char *call_text(const struct call *call, const char *field)
{
	return json_string_value(json_object_get(call->request, field));
}

json_int_t call_number(const struct call *call, const char *field)
{
	return json_integer_value(json_object_get(call->request, field));
}

// Every change is in the log: who, what, and what came of it. What is refused may be of any length, and what came of it
// stands at the line's end.
static void log_change(const struct call *call, const json_t *reply)
{
	// In ASCII, so that what an operator typed cannot draw on the terminal of who reads the log.
	char *request = json_dumps(call->request, JSON_COMPACT | JSON_ENSURE_ASCII);
	const char *error = json_string_value(json_object_get(reply, "error"));

	if (json_is_true(json_object_get(reply, "ok")))
		log_notice("control: %s: %.*s: done", call->who, LOGGED_DONE_MAX, request ? request : "?");
	else
		log_warning("control: %s: %.*s%s: refused: %.*s", call->who, LOGGED_REFUSED_MAX, request ? request : "?",
		            request && strlen(request) > LOGGED_REFUSED_MAX ? "..." : "", LOGGED_DONE_MAX,
		            error ? error : "no memory");
	free(request);
}

void call_answer(const struct call *call, json_t *reply)
{
	if (call->changes)
		log_change(call, reply);
	call->reply(call->reply_ctx, reply);
}

struct call *call_keep(const struct call *call)
{
	struct call *kept = calloc(1, sizeof(*kept));
	char *who = strdup(call->who);

	if (!kept || !who) {
		free(kept);
		free(who);
		call_answer(call, NULL);
		return NULL;
	}
	*kept = *call;
	kept->who = who;
	json_incref(kept->request);
	return kept;
}

void call_end(struct call *kept, json_t *reply)
{
	call_answer(kept, reply);
	json_decref(kept->request);
	free((char *)kept->who);
	free(kept);
}
