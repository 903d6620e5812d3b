// The job of looking ahead; see forecast.h.
#include "control/forecast.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "base/recycle.h"
#include "config/config.h"
#include "control/background.h"
#include "control/effect_json.h"
#include "control/gate.h"
#include "control/reply_json.h"
#include "control/safety.h"
#include "state/override.h"
#include "traffic/effect.h"
#include "traffic/samples.h"
#include "view/index.h"
#include "view/live.h"
#include "view/view.h"

enum {
	TRIES = 3,          // on the background thread: then at once, as generations may follow one another fast
	AT_ONCE_MAX = 4096, // samples that are decided on the main thread
	REFUSAL_MAX = 8192, // octets
};

// Without the change and with it.
struct pair {
	struct live before, after;
};

struct forecast {
	struct background_job job;
	struct control_ops ops;
	struct override *given; // of `change`, owned
	struct override_match taken;
	struct control_change change, first; // the second: what `before` is without; usually nothing
	struct pair now;                     // as answers would be
	struct pair demand;                  // in full; only if that is something else
	bool has_demand;
	struct sample_set *samples; // NULL: out of memory
	struct control_ceiling *ceilings;
	size_t ceiling_count;
	unsigned max_drained, tries;
	const char *app; // of the view
	bool by_table;   // an order: samples are not taken before they are needed
	bool is_stale, is_direct, is_unsafe;
	json_t *result;
	void (*done)(void *ctx, json_t *forecast);
	void *ctx;
};

// ---- what it needs of the main thread -------------------------------------------------------------------------------

static void wipe_live(struct live *live)
{
	recycle_put((void *)live->states);
	live_shares_put(live->shares);
	free((void *)live->columns);
	*live = (struct live){0};
}

static void wipe_taken(struct forecast *f)
{
	wipe_live(&f->now.before);
	wipe_live(&f->now.after);
	wipe_live(&f->demand.before);
	wipe_live(&f->demand.after);
	free(f->samples);
	free(f->ceilings);
	f->samples = NULL;
	f->ceilings = NULL;
	f->ceiling_count = 0;
}

static void free_forecast(struct forecast *f)
{
	wipe_taken(f);
	override_free(f->given);
	override_match_done(&f->taken);
	free(f);
}

static int take_pair(struct forecast *f, bool in_full, struct pair *pair)
{
	struct control_change before = f->first, after = f->change;
	int err;

	before.in_full = after.in_full = in_full;
	err = f->ops.what_if(f->ops.ctx, &before, &pair->before);
	return err == E_OK ? f->ops.what_if(f->ops.ctx, &after, &pair->after) : err;
}

static int take_ceilings(struct forecast *f)
{
	f->max_drained = f->ops.config(f->ops.ctx)->max_drained;
	f->ceilings = malloc(CONTROL_CEILINGS_MAX * sizeof(*f->ceilings));
	if (!f->ceilings)
		return E_NOMEM;
	f->ceiling_count = f->ops.ceilings(f->ops.ctx, f->ceilings);
	return E_OK;
}

// In the place of some that are not needed. NULL: out of memory.
static struct sample_set *no_samples(const struct view *view)
{
	struct sample_set *samples = calloc(1, sizeof(*samples));

	if (samples)
		samples->generation = view->generation;
	return samples;
}

// Whether some target takes a part of its clients.
static bool has_parts(const struct live *live)
{
	for (uint32_t i = 0; live->shares && i < live->states->count; i++)
		if (live_state(live, i) & TARGET_PARTS)
			return true;
	return false;
}

// E_NOMEM.
static int take(struct forecast *f)
{
	int err = take_pair(f, false, &f->now), app;

	if (err == E_OK)
		err = take_ceilings(f);
	if (err < 0)
		return err;
	f->has_demand = f->ceiling_count > 0 && (has_parts(&f->now.before) || has_parts(&f->now.after));
	if (f->has_demand && take_pair(f, true, &f->demand) < 0)
		return E_NOMEM;
	app = f->given && f->given->app ? index_find_spelled(f->now.after.view, f->given->app) : -1;
	f->app = app < 0 ? NULL : f->now.after.view->apps[app].name;
	f->samples = f->by_table && f->ceiling_count == 0 ? no_samples(f->now.after.view) : f->ops.samples(f->ops.ctx);
	if (f->samples && f->is_direct)
		samples_shorten(f->samples, AT_ONCE_MAX);
	return f->samples ? E_OK : E_NOMEM;
}

// ---- the work -------------------------------------------------------------------------------------------------------

// What is learned is published by itself.
static void share_learned(struct pair *pair, const struct live *now)
{
	pair->before.learned = pair->after.learned = now->learned;
}

static json_t *effect_of_now(const struct forecast *f, const struct effect *effect)
{
	const struct view *view = f->now.after.view;
	json_t *object = effect_json(effect, f->samples, view, view);

	return reply_set(object, "few", json_boolean(f->samples->count < FORECAST_SAMPLES_FEW));
}

static json_t *judge(const struct forecast *f, const struct effect *demand, json_t *object)
{
	const struct safety_case given = {
		.before = &f->now.before,
		.after = &f->now.after,
		.effect = demand,
		.samples = f->samples,
		.app = f->app,
		.ceilings = f->ceilings,
		.ceiling_count = f->ceiling_count,
		.max_drained = f->max_drained,
	};

	return safety_judge(&given, object);
}

static json_t *compute(const struct forecast *f)
{
	json_t *object = json_object();
	struct effect effect, demand;
	int err;

	if (f->samples->count == 0)
		return judge(f, NULL, reply_set(object, "effect", json_null()));
	err = effect_of(f->samples, &f->now.before, &f->now.after, &effect);
	if (err == E_OK && f->has_demand && (err = effect_of(f->samples, &f->demand.before, &f->demand.after, &demand)) < 0)
		effect_wipe(&effect);
	if (err < 0) {
		json_decref(object);
		return NULL;
	}
	object = reply_set(object, "effect", effect_of_now(f, &effect));
	object = judge(f, f->has_demand ? &demand : &effect, object);
	effect_wipe(&effect);
	if (f->has_demand)
		effect_wipe(&demand);
	return object;
}

// With what is answered from now: `now` is of the view that was in use when the rest was taken.
static void work_with(struct forecast *f, const struct live *now)
{
	share_learned(&f->now, now);
	share_learned(&f->demand, now);
	f->result = compute(f);
	// Without ceilings, samples only say how many clients are left with nothing.
	f->is_unsafe = f->by_table && f->ceiling_count == 0 && json_array_size(json_object_get(f->result, "nothing")) > 0;
}

static struct forecast *forecast_of(struct background_job *job)
{
	return (struct forecast *)((char *)job - offsetof(struct forecast, job));
}

static void work(struct background_job *job)
{
	struct forecast *f = forecast_of(job);
	const struct live *now = live_read();

	// The pointer may be that of a view which has been freed: it is not followed before the samples have said so.
	f->is_stale = !now || now->view->generation != f->samples->generation;
	if (!f->is_stale)
		work_with(f, now);
}

static void finish(struct forecast *f)
{
	json_t *result = f->result;
	void (*done)(void *ctx, json_t *forecast) = f->done;
	void *ctx = f->ctx;

	free_forecast(f);
	done(ctx, result);
}

static void start(struct forecast *f);

// Begins again, if what was taken was not right, or not enough. Whether it has. Not when the daemon stops: there is no state
// any more.
static bool is_begun_again(struct forecast *f)
{
	if ((!f->is_stale && !f->is_unsafe) || gate_is_closed(f->ops.gate))
		return false;
	f->tries += f->is_stale;
	f->by_table = f->by_table && !f->is_unsafe;
	f->is_stale = f->is_unsafe = false;
	json_decref(f->result);
	f->result = NULL;
	wipe_taken(f);
	start(f);
	return true;
}

static void worked(struct background_job *job)
{
	struct forecast *f = forecast_of(job);

	if (!is_begun_again(f))
		finish(f);
}

static void start(struct forecast *f)
{
	const struct live *now = f->ops.live(f->ops.ctx);

	f->is_direct = !f->ops.background || !live_current() || f->tries >= TRIES;
	if (!now || take(f) < 0) {
		finish(f);
		return;
	}
	if (f->is_direct) {
		work_with(f, now);
		if (!is_begun_again(f))
			finish(f);
		return;
	}
	f->job = (struct background_job){.work = work, .done = worked};
	background_run(f->ops.background, &f->job);
}

static struct forecast *forecast_new(const struct control_ops *ops, const struct control_change *change)
{
	struct forecast *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->ops = *ops;
	f->change = *change;
	f->first = (struct control_change){.at_s = change->at_s};
	f->given = change->given ? override_copy(change->given) : NULL;
	f->change.given = f->given;
	f->change.taken = NULL;
	if ((change->given && !f->given) || (change->taken && override_match_copy(change->taken, &f->taken) < 0)) {
		free_forecast(f);
		return NULL;
	}
	if (change->taken)
		f->change.taken = &f->taken;
	return f;
}

void forecast_begin(const struct control_ops *ops, const struct control_change *change, bool is_order,
                    void (*done)(void *ctx, json_t *forecast), void *ctx)
{
	struct forecast *f = forecast_new(ops, change);

	if (!f) {
		done(ctx, NULL);
		return;
	}
	f->by_table = is_order;
	f->done = done;
	f->ctx = ctx;
	start(f);
}

void forecast_begin_of_begun(const struct control_ops *ops, const struct override *drain,
                             void (*done)(void *ctx, json_t *forecast), void *ctx)
{
	const struct override_match match = {OVERRIDE_DRAIN, drain->site, drain->app, false};
	const struct control_change change = {.given = drain};
	struct forecast *f = forecast_new(ops, &change);

	if (!f || override_match_copy(&match, &f->taken) < 0) {
		if (f)
			free_forecast(f);
		done(ctx, NULL);
		return;
	}
	f->first.taken = &f->taken;
	f->by_table = true;
	f->done = done;
	f->ctx = ctx;
	start(f);
}

char *forecast_refusal(const json_t *forecast)
{
	const json_t *lines = json_object_get(forecast, "refusals"), *line;
	size_t i, len = 0;
	char *text = json_array_size(lines) ? malloc(REFUSAL_MAX) : NULL;

	if (!text)
		return NULL;
	json_array_foreach(lines, i, line)
	{
		const char *words = json_string_value(line);
		size_t room = REFUSAL_MAX - len, need = strlen(words) + 8;

		if (need > room)
			break;
		len += (size_t)snprintf(text + len, room, "%sit %s", i ? "; " : "", words);
	}
	return text;
}
