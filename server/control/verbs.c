// The table of verbs, and the checks that every request passes; see verbs.h. A new verb is one row here, and its
// function in a file of its own or in show.c.
#include "control/verbs.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/nearest.h"
#include "control/adopt.h"
#include "control/bulk.h"
#include "control/call.h"
#include "control/compare.h"
#include "control/drain.h"
#include "control/force.h"
#include "control/measured.h"
#include "control/plans.h"
#include "control/pushed.h"
#include "control/reconfigure.h"
#include "control/register.h"
#include "control/reply_json.h"
#include "control/reports.h"
#include "control/show.h"
#include "control/undrain.h"
#include "control/verdict.h"

#define TEXT JSON_STRING
#define NUMBER JSON_INTEGER
#define FLAG JSON_TRUE
#define LIST JSON_ARRAY
#define MOMENT JSON_REAL
#define VANTAGE {"vantage", true, TEXT}, {"carrier", false, TEXT}, {"ttl", false, TEXT}, {"observed_at", false, MOMENT}
// A plan takes what its verb does.
#define SITES_FIELDS {"site", false, TEXT}, {"region", false, TEXT}, {"carrier", false, TEXT}, {"app", false, TEXT}
#define DRAIN_FIELDS \
	SITES_FIELDS, {"at", false, TEXT}, {"for", false, TEXT}, {"until", false, TEXT}, {"over", false, TEXT}, \
		{"reason", false, TEXT}, {"by", false, TEXT}, {"volatile", false, FLAG}, {"force", false, FLAG}
#define UNDRAIN_FIELDS SITES_FIELDS, {"over", false, TEXT}, {"by", false, TEXT}, {"volatile", false, FLAG}
#define FORCE_FIELDS \
	{"app", true, TEXT}, {"site", true, TEXT}, {"to", true, TEXT}, {"reason", false, TEXT}, {"by", false, TEXT}

static json_t *list_verbs(const struct call *call);

static const struct verbs_row rows[] = {
	{"status", .now = show_status, .scope = VERBS_READ, .fields = {{"from", false, NUMBER}}},
	{"check", .now = verdict_check, .scope = VERBS_READ, .fields = {{"app", false, TEXT}}},
	{"sites", .now = show_sites, .scope = VERBS_READ, .fields = {{"site", false, TEXT}}},
	{"apps", .now = show_apps, .scope = VERBS_READ, .fields = {{"app", false, TEXT}, {"site", false, TEXT}, {"from", false, NUMBER}}},
	{"targets", .now = show_targets, .scope = VERBS_READ, .fields = {{"app", false, TEXT}, {"from", false, NUMBER}}},
	{"drains", .now = show_drains, .scope = VERBS_READ,
	 .fields = {{"site", false, TEXT}, {"app", false, TEXT}, {"ended", false, FLAG}, {"from", false, NUMBER}}},
	{"drain", .later = drain_put, .scope = VERBS_OPERATE,
	 .fields = {DRAIN_FIELDS}},
	{"undrain", .later = undrain_remove, .scope = VERBS_OPERATE,
	 .fields = {UNDRAIN_FIELDS}},
	{"force", .later = force_put, .scope = VERBS_OPERATE,
	 .fields = {FORCE_FIELDS}},
	{"adopt", .later = adopt_put, .scope = VERBS_OPERATE,
	 .fields = {{"app", true, TEXT}, {"percent", false, TEXT}, {"over", false, TEXT}, {"reason", false, TEXT},
	            {"by", false, TEXT}, {"end", false, FLAG}}},
	{"plan drain", .later = plans_drain, .scope = VERBS_READ, .fields = {DRAIN_FIELDS}},
	{"plan undrain", .later = plans_undrain, .scope = VERBS_READ, .fields = {UNDRAIN_FIELDS}},
	{"plan force", .later = plans_force, .scope = VERBS_READ, .fields = {FORCE_FIELDS}},
	{"explain", .now = show_explain, .scope = VERBS_READ,
	 .fields = {{"name", true, TEXT}, {"client", true, TEXT}, {"without", false, TEXT}}},
	{"health", .now = reports_batch, .scope = VERBS_REPORT, .fields = {VANTAGE, {"reports", true, LIST}}},
	{"report", .now = reports_one, .scope = VERBS_REPORT,
	 .fields = {{"app", true, TEXT}, {"site", true, TEXT}, {"to", true, TEXT}, VANTAGE}},
	{"load", .now = pushed_load, .scope = VERBS_REPORT,
	 .fields = {{"site", true, TEXT}, {"load", true, MOMENT}, {"app", false, TEXT}, {"ttl", false, TEXT}}},
	{"vantages", .now = reports_vantages, .scope = VERBS_READ},
	{"brake release", .now = reports_brake_release, .scope = VERBS_OPERATE},
	{"reload", .later = reconfigure_reload, .scope = VERBS_OPERATE, .fields = {{"force", false, FLAG}, {"check", false, FLAG}}},
	{"compare", .later = compare_start, .scope = VERBS_OPERATE,
	 .fields = {{"config", false, TEXT}, {"weights", false, FLAG}, {"app", false, TEXT}}},
	{"rollback", .later = reconfigure_rollback, .scope = VERBS_OPERATE, .fields = {{"reason", false, TEXT}, {"by", false, TEXT}}},
	{"sources", .now = show_sources, .scope = VERBS_READ},
	{"discovery", .now = show_discovery, .scope = VERBS_READ},
	{"discovery register", .later = register_begin, .scope = VERBS_OPERATE, .fields = {{"apply", false, FLAG}}},
	{"learned", .now = show_learned, .scope = VERBS_READ,
	 .fields = {{"prefix", false, TEXT}, {"site", false, TEXT}, {"source", false, TEXT}, {"app", false, TEXT}}},
	{"learned forget", .now = reconfigure_forget, .scope = VERBS_OPERATE,
	 .fields = {{"prefix", false, TEXT}, {"all", false, FLAG}}},
	{"learned export", .later = bulk_export, .scope = VERBS_READ,
	 .fields = {{"after", false, TEXT}, {"site", false, TEXT}, {"source", false, TEXT}}},
	{"learned import", .later = bulk_import, .scope = VERBS_OPERATE,
	 .fields = {{"rows", true, LIST}, {"total", false, NUMBER}, {"dry_run", false, FLAG}}},
	{"observe", .now = measured_put, .scope = VERBS_REPORT, .fields = {{"lines", true, TEXT}}},
	{"zones", .now = show_zones, .scope = VERBS_READ, .fields = {{"zone", false, TEXT}, {"from", false, NUMBER}}},
	{"stats", .now = show_stats, .scope = VERBS_READ},
	{"version", .now = show_version, .scope = VERBS_READ},
	{"verbs", .now = list_verbs, .scope = VERBS_READ},
};

// What a value of this type is, for whoever asks and whoever was refused.
static const char *type_text(json_type type)
{
	return type == JSON_INTEGER ? "a whole number, 0 or more"
	       : type == JSON_TRUE  ? "true or false"
	       : type == JSON_ARRAY ? "a list"
	       : type == JSON_REAL  ? "a text or a number"
	                            : "a text that is not empty";
}

static const char *scope_text(enum verbs_scope scope)
{
	switch (scope) {
	case VERBS_READ: return "read";
	case VERBS_REPORT: return "report";
	case VERBS_OPERATE: return "operate";
	}
	return "?";
}

static json_t *fields_json(const struct verbs_row *row)
{
	json_t *list = json_array();

	for (const struct verbs_field *field = row->fields; field->name; field++)
		list = reply_append(list, json_pack("{s:s, s:b, s:s}", "name", field->name, "needed", field->needed, "is",
		                                    type_text(field->type)));
	return list;
}

// This table, for programs that are to know what a daemon has.
static json_t *list_verbs(const struct call *call UNUSED)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		list = reply_append(list, json_pack("{s:s, s:s, s:o}", "name", rows[i].name, "scope", scope_text(rows[i].scope),
		                                    "fields", fields_json(&rows[i])));
	return reply_set(reply_ok(), "verbs", list);
}

const struct verbs_row *verbs_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

json_t *verbs_unknown(const char *name)
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
	if (type == JSON_REAL)
		return json_is_number(value) || json_string_length(value) > 0;
	if (json_typeof(value) != type)
		return false;
	return type == JSON_INTEGER  ? json_integer_value(value) >= 0
	       : type == JSON_STRING ? json_string_length(value) > 0
	                             : true;
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
			*ret_refusal = reply_error(REPLY_USAGE, "%s: '%s' must be %s", row->name, key, type_text(field->type));
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

void verbs_call(const struct call *caller, const struct verbs_row *row, json_t *request)
{
	struct call call = *caller;
	json_t *refusal = NULL;

	must(!row->now != !row->later);
	call.request = request;
	call.changes = row->scope == VERBS_OPERATE;
	if (!check_fields(row, request, &refusal))
		call.reply(call.reply_ctx, refusal);
	else if (row->later)
		row->later(&call);
	else
		call_answer(&call, row->now(&call));
}

// The row that a request names. NULL: there is none, and *ret_refusal is the reply.
static const struct verbs_row *row_of(json_t *request, json_t **ret_refusal)
{
	const json_t *verb = json_object_get(request, "verb");
	const struct verbs_row *row = NULL;

	if (!json_is_object(request))
		*ret_refusal = reply_error(REPLY_USAGE, "a request is one JSON object on one line, with a \"verb\"");
	else if (!json_is_string(verb))
		*ret_refusal = reply_error(REPLY_USAGE, "the request has no \"verb\" that is a text");
	else if (!(row = verbs_find(json_string_value(verb))))
		*ret_refusal = verbs_unknown(json_string_value(verb));
	return row;
}

void verbs_run(const struct call *caller, const char *line, size_t len)
{
	json_error_t error;
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error), *refusal = NULL;
	const struct verbs_row *row = NULL;

	if (!request)
		refusal = reply_error(REPLY_USAGE, "not JSON: column %d: %s", error.column, error.text);
	else
		row = row_of(request, &refusal);
	if (row)
		verbs_call(caller, row, request);
	else
		caller->reply(caller->reply_ctx, refusal);
	json_decref(request);
}
