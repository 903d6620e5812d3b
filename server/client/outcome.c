// Replies and exit codes; see outcome.h.
#include "client/outcome.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/must.h"
#include "client/fault.h"
#include "client/json.h"
#include "client/print.h"
#include "client/verb.h"

json_t *client_refusal(int code, const char *fmt, ...)
{
	char text[512], *clean;
	json_t *reply;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	clean = client_clean(text); // may quote a path that is not UTF-8
	reply = json_pack("{s:b, s:s, s:i}", "ok", 0, "error", clean, "code", code);
	free(clean);
	must(reply);
	return reply;
}

void client_refusal_print(const char *text, int code)
{
	json_t *refusal = client_refusal(code, "%s", text);

	if (json_dumpf(refusal, stdout, JSON_COMPACT | JSON_ENSURE_ASCII) == 0)
		putchar('\n');
	json_decref(refusal);
}

void client_outcome_set(struct client_outcome *outcome, json_t *reply, const struct client_fault *fault)
{
	outcome->is_unreached = !reply && fault->is_unreached;
	if (!reply) {
		char *text = client_clean(fault->text); // may quote a path that is not UTF-8

		reply = json_pack("{s:b, s:s, s:i}", "ok", 0, "error", text, "code",
		                  outcome->is_unreached ? CLIENT_UNREACHED : CLIENT_REFUSED);
		free(text);
	}
	must(reply);
	outcome->reply = reply;
}

void client_outcomes_wipe(struct client_outcome *outcomes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		json_decref(outcomes[i].reply);
}

bool client_outcome_is_ok(const struct client_outcome *outcome)
{
	return json_is_true(json_object_get(outcome->reply, "ok"));
}

int client_outcome_level(const json_t *reply)
{
	static const char *const levels[] = {"ok", "warning", "critical"};

	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		if (strcmp(client_text(reply, "level"), levels[i]) == 0)
			return (int)i;
	return CLIENT_UNKNOWN;
}

int client_outcome_unknown(const char *why)
{
	client_print(stdout, "EDGESTEER UNKNOWN - %s\n", why);
	return CLIENT_UNKNOWN;
}

// Lines that nobody can read are wrong; a text of which nothing is of use is refused.
static int feed_code(const json_t *reply)
{
	const json_t *taken = json_object_get(reply, "taken"); // of `observe`

	if (client_int(reply, "bad") > 0)
		return CLIENT_USAGE;
	return json_is_integer(taken) && json_integer_value(taken) == 0 && client_int(reply, "lines") > client_int(reply, "empty")
	           ? CLIENT_REFUSED
	           : 0;
}

int client_outcome_code(const struct verb *verb, const struct client_outcome *outcome)
{
	bool ok = client_outcome_is_ok(outcome);
	json_int_t code = client_int(outcome->reply, "code");

	if (verb->monitors)
		return ok ? client_outcome_level(outcome->reply) : CLIENT_UNKNOWN;
	if (outcome->is_unreached)
		return CLIENT_UNREACHED;
	if (ok)
		return verb->feed ? feed_code(outcome->reply) : 0;
	return code == CLIENT_USAGE || code == CLIENT_NOTHING || code == CLIENT_PARTLY ? (int)code : CLIENT_REFUSED;
}

static void print_lines(const json_t *lines, const char *name, const char *before)
{
	for (size_t i = 0; i < json_array_size(lines); i++) {
		const char *line = json_string_value(json_array_get(lines, i));

		client_print(stderr, "%s%s%s%s\n", name ? name : "", name ? ": " : "", before, line ? line : "?");
	}
}

static bool print_json(const struct client_outcome *outcome, const char *name)
{
	json_t *object = json_copy(outcome->reply);
	bool good = object && (!name || json_object_set_new(object, "member", json_string(name)) == 0);

	good = good && json_dumpf(object, stdout, CLIENT_JSON_FLAGS) == 0 && putchar('\n') != EOF;
	json_decref(object);
	return good;
}

bool client_outcome_show(const struct verb *verb, bool json, const struct client_outcome *outcome, const char *name)
{
	const json_t *reply = outcome->reply;
	const char *error = client_text(reply, "error");
	bool ok = client_outcome_is_ok(outcome), shows = ok || (verb->details && json_object_get(reply, verb->details));

	if (json && !print_json(outcome, name))
		return false;
	if (shows && !json && name)
		client_print(stdout, "--- %s ---\n", name);
	if (shows && !json)
		verb->show(reply);
	fflush(stdout);
	if (!ok && verb->monitors && !json) {
		client_outcome_unknown(error);
		return true;
	}
	if (!ok)
		client_print(stderr, "edgesteerctl: %s%s%s\n", name ? name : "", name ? ": " : "",
		             error[0] ? error : "the daemon's reply is invalid: it is neither a success nor an error");
	print_lines(json_object_get(reply, "errors"), name, "");
	print_lines(json_object_get(reply, "warnings"), name, "warning: ");
	return true;
}
