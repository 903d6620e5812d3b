// Requests: field access, lifetime, and the log line of those that change something; see call.h.
#include "control/call.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/must.h"

// Bytes of a request in the log. A request that succeeded is bounded by the lengths of site, app and reason; a refused
// one may be of any length.
enum { LOGGED_DONE_MAX = 1500, LOGGED_REFUSED_MAX = 200 };

const char *call_text(const struct call *call, const char *field)
{
	return json_string_value(json_object_get(call->request, field));
}

json_int_t call_number(const struct call *call, const char *field)
{
	return json_integer_value(json_object_get(call->request, field));
}

// Logs every change: who asked, for what, and the outcome. The outcome comes last, so the request is cut before it.
static void log_change(const struct call *call, const json_t *reply)
{
	// In ASCII, so that an operator's text cannot send control sequences to the terminal of someone reading the log.
	char *request = json_dumps(call->request, JSON_COMPACT | JSON_ENSURE_ASCII);
	const char *error = json_string_value(json_object_get(reply, "error"));

	if (json_is_true(json_object_get(reply, "ok")))
		log_notice("control: %s: %.*s: done", call->who, LOGGED_DONE_MAX, request ? request : "?");
	else
		log_warning("control: %s: %.*s%s: %s: %.*s", call->who, LOGGED_REFUSED_MAX, request ? request : "?",
		            request && strlen(request) > LOGGED_REFUSED_MAX ? "..." : "", reply ? "refused" : "no reply",
		            LOGGED_DONE_MAX, error ? error : "out of memory");
	free(request);
}

void call_answer(const struct call *call, json_t *reply)
{
	must(call->reply);
	if (call->changes)
		log_change(call, reply);
	call->reply(call->reply_ctx, reply);
}

struct call *call_keep(const struct call *call)
{
	struct call *kept = calloc(1, sizeof(*kept));
	char *who;

	must(call->request && call->who && call->reply);
	who = strdup(call->who);
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

void call_drop(struct call *kept)
{
	json_decref(kept->request);
	free((char *)kept->who);
	free(kept);
}

void call_finish(struct call *kept, json_t *reply)
{
	call_answer(kept, reply);
	call_drop(kept);
}
