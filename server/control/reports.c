// Reports of health; see reports.h.
#include "control/reports.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/must.h"
#include "base/names.h"
#include "base/nearest.h"
#include "control/call.h"
#include "control/find.h"
#include "control/ops.h"
#include "control/reply_json.h"
#include "health/judge.h"
#include "schema/units.h"
#include "view/index.h"
#include "view/live.h"
#include "view/view.h"

enum { NAMED_MAX = 5, NEAREST_LOOKED_AT_MAX = 10000 };

// What is common to a batch.
struct batch {
	struct judge *judge;
	const struct view *view;
	struct judge_report report;
	char carrier[MATRIX_NAME_LEN];
	unsigned vantage;
	json_int_t taken, stale, unknown;
	json_t *named;           // of those that are unknown
};

// ---- what is said of the whole --------------------------------------------------------------------------------------

// Milliseconds since 1970 by the wall clock.
static int64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// "2026-11-29T01:02:03Z", or seconds since 1970, as a text or a number. False: it is neither.
static bool read_time(const json_t *value, int64_t *ret_ms)
{
	const char *text = json_string_value(value);
	double seconds = json_number_value(value);
	struct tm tm = {0};
	char *end = NULL;

	if (text)
		end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (end && *end == '\0' && tm.tm_year >= 70 && tm.tm_year < 8000) {
		*ret_ms = (int64_t)timegm(&tm) * 1000;
		return true;
	}
	end = NULL;
	if (text && *text >= '0' && *text <= '9')
		seconds = strtod(text, &end);
	if (!json_is_number(value) && (!end || *end != '\0'))
		return false;
	if (!isfinite(seconds) || seconds < 0 || seconds > 253402300799.0)
		return false;
	*ret_ms = (int64_t)(seconds * 1000);
	return true;
}

static json_t *wrong_name(const char *what)
{
	return reply_error(REPLY_USAGE, "'%s' must be 1 to %d letters, digits, '.', '-', '_' and ':'", what, MATRIX_NAME_LEN - 1);
}

static json_t *read_ttl(const struct call *call, struct batch *batch)
{
	const char *text = call_text(call, "ttl");
	uint64_t ms = JUDGE_TTL_MS;

	if (text && (units_parse_duration_ms(text, &ms) < 0 || ms < JUDGE_TTL_MIN_MS || ms > JUDGE_TTL_MAX_MS))
		return reply_error(REPLY_USAGE, "ttl '%.64s': expected a time from 1s to 1h", text);
	batch->report.ttl_ms = (int64_t)ms;
	return NULL;
}

// NULL, or the refusal. `observed` may be NULL: now.
static json_t *read_observed(const json_t *observed, struct batch *batch)
{
	int64_t ms;

	batch->report.ahead_ms = 0;
	if (!observed)
		return NULL;
	if (!read_time(observed, &ms))
		return reply_error(REPLY_USAGE, "observed_at: expected a time as 2026-11-29T01:02:03Z or seconds since 1970");
	batch->report.ahead_ms = ms - wall_ms();
	return NULL;
}

// A carrier that neither a site nor a source has: no client is of it. NULL: it is one that is known.
static json_t *wrong_carrier(const struct view *view, const char *name, const char *lower)
{
	const struct names *carriers = view->places->carriers;
	struct nearest nearest = nearest_begin(lower);
	char meant[NEAREST_MEANT_MAX];

	if (names_find(carriers, lower, strlen(lower)) > 0)
		return NULL;
	for (size_t i = 1; i < names_count(carriers) && i <= NEAREST_LOOKED_AT_MAX; i++)
		nearest_offer(&nearest, names_text(carriers, (uint16_t)i));
	return reply_error(REPLY_REFUSED, "no carrier '%.64s': neither a site nor a source of places has it%s", name,
	                   nearest_meant(&nearest, '\'', meant));
}

// NULL, or the refusal.
static json_t *open_batch(const struct call *call, struct batch *batch)
{
	const char *vantage = call_text(call, "vantage"), *carrier = call_text(call, "carrier");
	json_t *refusal = NULL;
	const struct live *live = find_live(&refusal);
	int err;

	if (!live)
		return refusal;
	if (!judge_is_name(vantage))
		return wrong_name("vantage");
	if (carrier && !judge_is_name(carrier))
		return wrong_name("carrier");
	if ((refusal = read_ttl(call, batch)) || (refusal = read_observed(json_object_get(call->request, "observed_at"), batch)))
		return refusal;
	batch->judge = call->ops.judge;
	batch->view = live->view;
	batch->report.vantage = vantage;
	batch->report.carrier = names_lower(batch->carrier, carrier ? carrier : "", carrier ? strlen(carrier) : 0);
	if (carrier && (refusal = wrong_carrier(live->view, carrier, batch->carrier)))
		return refusal;
	batch->report.who = call->who;
	err = judge_open(batch->judge, &batch->report, &batch->vantage);
	return err < 0 ? reply_error(REPLY_REFUSED, "%d vantages have something to say already: there may be no more",
	                             MATRIX_VANTAGES_MAX)
	               : NULL;
}

// ---- one of them ----------------------------------------------------------------------------------------------------

static void name_unknown(struct batch *batch, const char *app, const char *site)
{
	char text[512];

	batch->unknown++;
	if (batch->unknown > NAMED_MAX)
		return;
	snprintf(text, sizeof(text), "%.200s/%.200s", app, site);
	batch->named = reply_append(batch->named, reply_text(text));
}

// NULL, or the refusal.
static json_t *take(struct batch *batch, const char *app, const char *site, bool up)
{
	int target = index_find_target(batch->view, app, site), err;
	json_t *unused = NULL;

	if (target < 0) { // in another spelling
		int app_number = find_app(batch->view, app, &unused), site_number = index_find_site(batch->view, site);

		json_decref(unused);
		target = app_number < 0 || site_number < 0 ? -1
		                                           : index_target_at(batch->view, (uint32_t)app_number, (uint32_t)site_number);
	}
	if (target < 0) {
		name_unknown(batch, app, site);
		return NULL;
	}
	err = judge_report(batch->judge, &batch->report, batch->vantage, (uint32_t)target, up);
	batch->taken += err == E_OK;
	batch->stale += err == E_STATE;
	return err == E_LIMIT  ? reply_error(REPLY_REFUSED, "%d reports are held already: there may be no more", MATRIX_CELLS_MAX)
	       : err == E_NOMEM ? reply_error(REPLY_REFUSED, "out of memory")
	                        : NULL;
}

static json_t *take_entry(struct batch *batch, const json_t *entry, size_t number)
{
	const char *app = json_string_value(json_object_get(entry, "app"));
	const char *site = json_string_value(json_object_get(entry, "site"));
	const json_t *up = json_object_get(entry, "up"), *observed = json_object_get(entry, "observed_at");
	int64_t ahead_ms = batch->report.ahead_ms;
	json_t *refusal = NULL;

	if (!app || !site || !json_is_boolean(up))
		return reply_error(REPLY_USAGE, "report %zu is not {\"app\": NAME, \"site\": NAME, \"up\": true or false}", number + 1);
	if (observed)
		refusal = read_observed(observed, batch);
	if (!refusal)
		refusal = take(batch, app, site, json_is_true(up));
	batch->report.ahead_ms = ahead_ms;
	return refusal;
}

// ---- the verbs ------------------------------------------------------------------------------------------------------

static json_t *reply_of(struct batch *batch)
{
	json_t *reply = reply_ok();

	reply = reply_set(reply, "taken", json_integer(batch->taken));
	reply = reply_set(reply, "stale", json_integer(batch->stale));
	reply = reply_set(reply, "unknown", json_integer(batch->unknown));
	reply = reply_set(reply, "unknown_first", batch->named);
	return reply_set(reply, "skew_s", json_integer(matrix_vantage_at(judge_matrix(batch->judge), batch->vantage)->skew_ms / 1000));
}

json_t *reports_batch(const struct call *call)
{
	const json_t *reports = json_object_get(call->request, "reports"), *entry;
	struct batch batch = {.named = json_array()};
	json_t *refusal = NULL;
	size_t i;

	if (json_array_size(reports) == 0 || json_array_size(reports) > REPORT_BATCH_MAX)
		refusal = reply_error(REPLY_USAGE, "'reports' has %zu entries, expected 1 to %d", json_array_size(reports),
		                      REPORT_BATCH_MAX);
	else
		refusal = open_batch(call, &batch);
	json_array_foreach(reports, i, entry) {
		if (refusal)
			break;
		refusal = take_entry(&batch, entry, i);
	}
	if (!refusal)
		return reply_of(&batch);
	json_decref(batch.named);
	return refusal;
}

json_t *reports_one(const struct call *call)
{
	const char *app = call_text(call, "app"), *site = call_text(call, "site"), *to = call_text(call, "to");
	struct batch batch = {.named = json_array()};
	json_t *refusal = NULL;

	if (strcmp(to, "up") != 0 && strcmp(to, "down") != 0)
		refusal = reply_error(REPLY_USAGE, "'%.64s' is not up or down", to);
	if (!refusal)
		refusal = open_batch(call, &batch);
	if (!refusal)
		refusal = take(&batch, app, site, to[0] == 'u');
	if (!refusal && batch.unknown && find_app(batch.view, app, &refusal) >= 0 && find_site(batch.view, site, &refusal) >= 0)
		refusal = reply_error(REPLY_REFUSED, "%.255s has no target at %.255s", app, site);
	if (!refusal && batch.stale)
		refusal = batch.report.ahead_ms <= -batch.report.ttl_ms
		                  ? reply_error(REPLY_REFUSED, "it was seen %lld s ago, longer than its ttl of %lld s: not taken",
		                                (long long)-batch.report.ahead_ms / 1000, (long long)batch.report.ttl_ms / 1000)
		                  : reply_error(REPLY_REFUSED, "the vantage has reported something newer: not taken");
	if (!refusal)
		return reply_of(&batch);
	json_decref(batch.named);
	return refusal;
}

static json_t *vantage_json(const struct vantage *vantage, int64_t now_ms)
{
	json_t *object = reply_set(json_object(), "name", reply_text(vantage->name));

	object = reply_set(object, "carrier", *vantage->carrier ? reply_text(vantage->carrier) : json_null());
	object = reply_set(object, "who", reply_text(vantage->who));
	object = reply_set(object, "up", json_integer(vantage->up));
	object = reply_set(object, "down", json_integer(vantage->down));
	object = reply_set(object, "reports", json_integer((json_int_t)vantage->reports));
	object = reply_set(object, "stale", json_integer((json_int_t)vantage->stale));
	object = reply_set(object, "skew_s", json_integer(vantage->skew_ms / 1000));
	return reply_set(object, "age_s", json_integer((now_ms - vantage->heard_ms) / 1000));
}

static void add_brake(void *ctx, const char *what, const struct brake_group *group)
{
	json_t **list = ctx, *object = reply_set(json_object(), "what", reply_text(what));

	object = reply_set(object, "held", json_integer(group->held));
	object = reply_set(object, "for_s", json_integer((clock_mono_ms() - group->since_ms) / 1000));
	*list = reply_append(*list, object);
}

json_t *reports_brakes(const struct judge *judge)
{
	json_t *list = json_array();

	judge_brakes(judge, add_brake, &list);
	return list;
}

json_t *reports_vantages(const struct call *call)
{
	struct matrix *matrix = judge_matrix(call->ops.judge);
	json_t *refusal = NULL, *list = json_array(), *reply;

	if (!find_live(&refusal)) {
		json_decref(list);
		return refusal;
	}
	for (unsigned i = 0; i < MATRIX_VANTAGES_MAX; i++) // but for those of which nothing has been taken yet
		if (matrix_has_vantage(matrix, i) && matrix_vantage_at(matrix, i)->reports > 0)
			list = reply_append(list, vantage_json(matrix_vantage_at(matrix, i), clock_mono_ms()));
	reply = reply_set(reply_ok(), "vantages", list);
	return reply_set(reply, "brakes", reports_brakes(call->ops.judge));
}

json_t *reports_brake_release(const struct call *call)
{
	json_t *refusal = NULL;
	unsigned count;

	if (!find_live(&refusal))
		return refusal;
	count = judge_release(call->ops.judge);
	if (count == 0)
		return reply_error(REPLY_NOTHING, "the brake holds nothing");
	return reply_set(reply_ok(), "released", json_integer(count));
}
