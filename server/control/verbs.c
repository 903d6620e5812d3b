// The table of verbs, and the checks that every request passes; see verbs.h. A new verb is one row here, and its
// function in a file of its own or in show.c.
#include "control/verbs.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/nearest.h"
#include "control/call.h"
#include "control/drain.h"
#include "control/force.h"
#include "control/reconfigure.h"
#include "control/reply_json.h"
#include "control/show.h"

#define TEXT JSON_STRING
#define NUMBER JSON_INTEGER
#define FLAG JSON_TRUE

static const struct verbs_row rows[] = {
	{"status", .now = show_status, .fields = {{"from", false, NUMBER}}},
	{"sites", .now = show_sites, .fields = {{"site", false, TEXT}}},
	{"apps", .now = show_apps, .fields = {{"app", false, TEXT}, {"site", false, TEXT}, {"from", false, NUMBER}}},
	{"targets", .now = show_targets, .fields = {{"app", false, TEXT}, {"from", false, NUMBER}}},
	{"drain", .later = drain_put, .changes = true,
	 .fields = {{"site", true, TEXT}, {"app", false, TEXT}, {"for", false, TEXT}, {"reason", false, TEXT}}},
	{"undrain", .later = drain_remove, .changes = true, .fields = {{"site", true, TEXT}, {"app", false, TEXT}}},
	{"force", .later = force_put, .changes = true,
	 .fields = {{"app", true, TEXT}, {"site", true, TEXT}, {"to", true, TEXT}}},
	{"explain", .now = show_explain, .fields = {{"name", true, TEXT}, {"client", true, TEXT}}},
	{"reload", .later = reconfigure_reload, .changes = true, .fields = {{"force", false, FLAG}}},
	{"sources", .now = show_sources},
	{"discovery", .now = show_discovery},
	{"learned", .now = show_learned, .fields = {{"prefix", false, TEXT}, {"site", false, TEXT}, {"source", false, TEXT}}},
	{"learned forget", .now = reconfigure_forget, .changes = true, .fields = {{"prefix", false, TEXT}, {"all", false, FLAG}}},
	{"stats", .now = show_stats},
	{"version", .now = show_version},
};

static const struct verbs_row *find_row(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

static json_t *unknown_verb(const char *name)
{
	struct nearest nearest = nearest_begin(name);
	char meant[NEAREST_MEANT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		nearest_offer(&nearest, rows[i].name);
	return reply_error(REPLY_USAGE, "no verb '%.64s'%s", name, nearest_meant(&nearest, '\'', meant));
}

static json_t *unknown_field(const struct verbs_row *row, const char *name)
{
	struct nearest nearest = nearest_begin(name);
	char meant[NEAREST_MEANT_MAX];

	for (const struct verbs_field *field = row->fields; field->name; field++)
		nearest_offer(&nearest, field->name);
	return reply_error(REPLY_USAGE, "%s has no field '%.64s'%s", row->name, name, nearest_meant(&nearest, '\'', meant));
}

static bool good_value(const json_t *value, json_type type)
{
	if (type == JSON_TRUE)
		return json_is_boolean(value);
	if (json_typeof(value) != type)
		return false;
	return type == JSON_INTEGER ? json_integer_value(value) >= 0 : json_string_length(value) > 0;
}

// Whether the request has every field that the verb needs, and no unknown ones. If not, *ret_refusal is the reply.
static bool check_fields(const struct verbs_row *row, json_t *request, json_t **ret_refusal)
{
	const char *key;
	json_t *value;

	json_object_foreach(request, key, value) {
		const struct verbs_field *field = row->fields;

		if (strcmp(key, "verb") == 0)
			continue;
		while (field->name && strcmp(field->name, key) != 0)
			field++;
		if (!field->name) {
			*ret_refusal = unknown_field(row, key);
			return false;
		}
		if (!good_value(value, field->type)) {
			*ret_refusal = reply_error(REPLY_USAGE, "%s: '%s' must be %s", row->name, key,
			                           field->type == JSON_INTEGER ? "a whole number, 0 or more"
			                           : field->type == JSON_TRUE  ? "true or false"
			                                                       : "a text that is not empty");
			return false;
		}
	}
	for (const struct verbs_field *field = row->fields; field->name; field++) {
		if (field->needed && !json_object_get(request, field->name)) {
			*ret_refusal = reply_error(REPLY_USAGE, "%s needs '%s'", row->name, field->name);
			return false;
		}
	}
	return true;
}

static void run_row(const struct verbs_row *row, const struct call *call)
{
	must(!row->now != !row->later);
	if (row->later)
		row->later(call);
	else
		call_answer(call, row->now(call));
}

// The row of a valid request. NULL: it is invalid, and *ret_refusal is the reply.
static const struct verbs_row *check_request(json_t *request, json_t **ret_refusal)
{
	const json_t *verb = json_object_get(request, "verb");
	const struct verbs_row *row = NULL;

	if (!json_is_object(request))
		*ret_refusal = reply_error(REPLY_USAGE, "a request is one JSON object on one line, with a \"verb\"");
	else if (!json_is_string(verb))
		*ret_refusal = reply_error(REPLY_USAGE, "the request has no \"verb\" that is a text");
	else if (!(row = find_row(json_string_value(verb))))
		*ret_refusal = unknown_verb(json_string_value(verb));
	return row && check_fields(row, request, ret_refusal) ? row : NULL;
}

void verbs_run(const struct call *caller, const char *line, size_t len)
{
	struct call call = *caller;
	json_error_t error;
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error), *refusal = NULL;
	const struct verbs_row *row = NULL;

	if (!request)
		refusal = reply_error(REPLY_USAGE, "not JSON: column %d: %s", error.column, error.text);
	else
		row = check_request(request, &refusal);
	call.request = request;
	if (row) {
		call.changes = row->changes;
		run_row(row, &call);
	} else {
		call.reply(call.reply_ctx, refusal);
	}
	json_decref(request);
}
