// One look after another; see outlook.h.
#include "control/outlook.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/when.h"
#include "control/forecast.h"
#include "control/gate.h"
#include "control/reply_json.h"
#include "state/override.h"
#include "state/state.h"

struct outlook {
	struct control_ops ops;
	struct override *drain; // a copy
	int64_t times[OUTLOOK_TIMES_MAX]; // to come, the first one first
	size_t count, next, unseen; // `unseen`: drains that begin after the last one
	json_t *forecast; // of its beginning
	void (*done)(void *ctx, json_t *forecast);
	void *ctx;
};

// ---- the times ------------------------------------------------------------------------------------------------------

static void note_time(struct outlook *outlook, int64_t time_s)
{
	size_t at = 0;

	while (at < outlook->count && outlook->times[at] < time_s)
		at++;
	if (at < outlook->count && outlook->times[at] == time_s)
		return;
	if (outlook->count == OUTLOOK_TIMES_MAX)
		outlook->unseen++;
	if (at == OUTLOOK_TIMES_MAX)
		return;
	outlook->count -= outlook->count == OUTLOOK_TIMES_MAX;
	memmove(&outlook->times[at + 1], &outlook->times[at], (outlook->count - at) * sizeof(outlook->times[0]));
	outlook->times[at] = time_s;
	outlook->count++;
}

// Whether `other` begins while the drain holds, or gives back little by little what it has taken so.
static bool comes_between(const struct override *drain, const struct override *other)
{
	struct override_match same = {OVERRIDE_DRAIN, drain->site, drain->app, false};
	int64_t start_s = override_start_s(other);

	return other->kind == OVERRIDE_DRAIN && !other->has_begun && !override_matches(other, &same) &&
	       start_s > override_start_s(drain) && (!drain->until_s || start_s < drain->until_s + drain->over_s);
}

static void find_times(struct outlook *outlook)
{
	const struct state *state = outlook->ops.state;

	for (size_t i = 0; i < state_override_count(state); i++)
		if (comes_between(outlook->drain, state_override_at(state, i)))
			note_time(outlook, override_start_s(state_override_at(state, i)));
}

// One that begins then; NULL: it has been taken back meanwhile.
static const struct override *begins_at(const struct outlook *outlook, int64_t time_s)
{
	const struct state *state = outlook->ops.state;

	for (size_t i = 0; i < state_override_count(state); i++)
		if (comes_between(outlook->drain, state_override_at(state, i)) &&
		    override_start_s(state_override_at(state, i)) == time_s)
			return state_override_at(state, i);
	return NULL;
}

// ---- the looks ------------------------------------------------------------------------------------------------------

static void end(struct outlook *outlook)
{
	json_t *forecast = outlook->forecast;
	void (*done)(void *ctx, json_t *forecast) = outlook->done;
	void *ctx = outlook->ctx;

	override_free(outlook->drain);
	free(outlook);
	done(ctx, forecast);
}

static bool is_refused(const json_t *forecast)
{
	return json_array_size(json_object_get(forecast, "refusals")) > 0;
}

// Its lines, with when that is.
static json_t *lines_of(const json_t *later, int64_t time_s, const struct override *other)
{
	json_t *lines = json_array();
	const json_t *line;
	char when[WHEN_TEXT_LEN];
	size_t i;

	when_format(time_s, when);
	json_array_foreach(json_object_get(later, "refusals"), i, line)
	{
		lines = reply_append(lines, json_sprintf("%s (from %s on, when the drain of %s%s%s begins)", json_string_value(line),
		                                         when, other->app ? other->app : "", other->app ? " at " : "", other->site));
	}
	return lines;
}

// Puts what is refused at a time to come in the place of what is not by now.
static void put_later(struct outlook *outlook, const json_t *later, int64_t time_s, const struct override *other)
{
	static const char *const keys[] = {"nothing", "nothing_more", "ceilings", "carriers"};
	json_t *of = reply_set(json_object(), "time", reply_time(time_s)), *forecast = outlook->forecast;

	of = reply_set(of, "site", reply_text(other->site));
	of = reply_set(of, "app", reply_text(other->app));
	forecast = reply_set(forecast, "refusals", lines_of(later, time_s, other));
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		forecast = reply_set(forecast, keys[i], json_incref(json_object_get(later, keys[i])));
	outlook->forecast = reply_set(forecast, "later", of);
}

static void tell_unseen(struct outlook *outlook)
{
	json_t *warnings = json_object_get(outlook->forecast, "warnings");

	if (outlook->unseen > 0)
		(void)json_array_append_new(warnings, json_sprintf("%zu more drains begin after those that were looked at, the first %d, "
		                                                   "while this one holds", outlook->unseen, OUTLOOK_TIMES_MAX));
}

static void look_on(struct outlook *outlook);

static void looked_later(void *ctx, json_t *later)
{
	struct outlook *outlook = ctx;
	int64_t time_s = outlook->times[outlook->next++];
	const struct override *other;

	if (!later || gate_is_closed(outlook->ops.gate)) { // nothing is known: it is not given
		json_decref(outlook->forecast);
		outlook->forecast = NULL;
		json_decref(later);
		end(outlook);
		return;
	}
	other = is_refused(later) ? begins_at(outlook, time_s) : NULL;
	if (other)
		put_later(outlook, later, time_s, other);
	json_decref(later);
	if (other)
		end(outlook);
	else
		look_on(outlook);
}

static void look_on(struct outlook *outlook)
{
	struct control_change change = {.given = outlook->drain};

	if (outlook->next == outlook->count) {
		tell_unseen(outlook);
		end(outlook);
		return;
	}
	change.at_s = outlook->times[outlook->next];
	forecast_begin(&outlook->ops, &change, true, looked_later, outlook);
}

static void looked(void *ctx, json_t *forecast)
{
	struct outlook *outlook = ctx;

	outlook->forecast = forecast;
	if (!forecast || is_refused(forecast) || gate_is_closed(outlook->ops.gate)) {
		end(outlook);
		return;
	}
	find_times(outlook);
	look_on(outlook);
}

void outlook_begin(const struct control_ops *ops, const struct override *drain, bool is_order,
                   void (*done)(void *ctx, json_t *forecast), void *ctx)
{
	struct outlook *outlook = calloc(1, sizeof(*outlook));
	const struct control_change change = {.given = drain, .at_s = drain->start_s};

	must(drain->kind == OVERRIDE_DRAIN);
	if (!outlook || !(outlook->drain = override_copy(drain))) {
		free(outlook);
		done(ctx, NULL);
		return;
	}
	outlook->ops = *ops;
	outlook->done = done;
	outlook->ctx = ctx;
	forecast_begin(ops, &change, is_order, looked, outlook);
}
