// Rendering a scrape on two threads; see scrape.h.
#include "daemon/scrape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "control/background.h"
#include "daemon/exposition.h"
#include "health/health.h"
#include "learn/shown.h"
#include "state/override.h"
#include "state/state.h"
#include "view/handouts.h"
#include "view/live.h"
#include "view/view.h"

#define ROW(name, kind, unit, help) {#name, #name, "", "", METRIC_##kind, METRIC_NONE, unit, help, false}

static const struct metric build = ROW(build_info, GAUGE, "", "The version, as a label.");
static const struct metric drained_since = ROW(drain_since, GAUGE, "timestamp", "When the drain was set, in Unix time.");
static const struct metric drained_until = ROW(drain_end, GAUGE, "timestamp",
                                               "When the drain ends, in Unix time; none where it holds until undrain.");
static const struct metric drained_share = ROW(drain_share_ratio, GAUGE, "thousandths",
                                               "The share of the traffic that the drain takes away.");
static const struct metric answers = ROW(answers, COUNTER, "",
                                         "Answers with the target; of apps beyond the first ones, under \"other\".");
static const struct metric up = ROW(target_up, FLAG, "", "Whether the target may be answered: healthy, and not drained.");
static const struct metric drained = ROW(target_drained, FLAG, "", "1 for targets that a drain takes traffic away from.");
static const struct metric since = ROW(target_since, GAUGE, "timestamp", "When the target's health last changed, in Unix time.");
static const struct metric states = ROW(target_states, GAUGE, "", "Targets by state.");

static const struct metric breaker = ROW(discovery_breaker, FLAG, "", "Whether the service's breaker is in the state.");

struct scrape {
	struct background *background;
	uint32_t targets_max;
	// Of the background thread. What "other" has shown must not fall when a reload moves targets into and out of it.
	uint64_t generation;
	uint64_t other_shown, other_kept;
};

// What the main thread knows of each target: when its health changed; of the view of that generation.
struct moments {
	uint64_t generation;
	uint32_t count;
	int64_t since_s[];
};

struct rendering {
	struct background_job job;
	struct scrape *scrape;
	struct exposition out;
	struct moments *moments;
	void (*done)(void *done_ctx, char *text, size_t len);
	void *done_ctx;
};

// ---- of the targets, on the background thread ------------------------------------------------------------------------

static void put_target(struct exposition *out, const struct metric *metric, const struct view *view,
                       const struct target *target, uint64_t value)
{
	exposition_label(out, "app", target->app->name);
	exposition_label(out, "site", view->sites[target->site].name);
	exposition_value(out, metric, value);
}

static uint32_t shown_of(const struct scrape *scrape, const struct view *view)
{
	return view->target_count < scrape->targets_max ? view->target_count : scrape->targets_max;
}

static void put_answers(struct scrape *scrape, struct exposition *out, const struct view *view)
{
	uint32_t shown = shown_of(scrape, view);
	uint64_t other = scrape->other_kept;

	exposition_head(out, &answers);
	for (uint32_t i = 0; i < shown; i++)
		put_target(out, &answers, view, &view->targets[i], handouts_of(view->handouts, view->targets[i].handouts));
	for (uint32_t i = shown; i < view->target_count; i++)
		other += handouts_of(view->handouts, view->targets[i].handouts);
	if (view->generation != scrape->generation && other < scrape->other_shown) {
		scrape->other_kept += scrape->other_shown - other;
		other = scrape->other_shown;
	}
	scrape->generation = view->generation;
	scrape->other_shown = other;
	exposition_label(out, "app", "other");
	exposition_label(out, "site", "other");
	exposition_value(out, &answers, other);
}

static void put_states(struct exposition *out, const struct live *live)
{
	uint64_t counts[4] = {0};
	static const char *const words[] = {"up", "down", "drained", "no address"};

	for (uint32_t i = 0; i < live->states->count; i++) {
		uint8_t state = live_state(live, i);

		counts[state & TARGET_DRAINED ? 2 : state & TARGET_EMPTY ? 3 : state & TARGET_DOWN ? 1 : 0]++;
	}
	exposition_head(out, &states);
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		exposition_label(out, "state", words[i]);
		exposition_value(out, &states, counts[i]);
	}
}

static void put_targets(struct rendering *rendering, const struct live *live)
{
	struct exposition *out = &rendering->out;
	const struct view *view = live->view;
	uint32_t shown = shown_of(rendering->scrape, view);
	const struct moments *moments = rendering->moments;

	put_states(out, live);
	put_answers(rendering->scrape, out, view);
	exposition_head(out, &up);
	for (uint32_t i = 0; i < shown; i++)
		put_target(out, &up, view, &view->targets[i], live_state_is_up(live_state(live, i)));
	exposition_head(out, &drained);
	for (uint32_t i = 0; i < shown; i++)
		if (live_state(live, i) & TARGET_DRAINED)
			put_target(out, &drained, view, &view->targets[i], 1);
	// Another generation may have been published since: then the next scrape has these.
	if (!moments || moments->generation != view->generation || moments->count != view->target_count)
		return;
	exposition_head(out, &since);
	for (uint32_t i = 0; i < shown; i++)
		if (moments->since_s[i])
			put_target(out, &since, view, &view->targets[i], (uint64_t)moments->since_s[i]);
}

static void work(struct background_job *job)
{
	struct rendering *rendering = (struct rendering *)job; // its first member
	const struct live *live = live_read();

	if (live)
		put_targets(rendering, live);
}

static void finish(struct background_job *job)
{
	struct rendering *rendering = (struct rendering *)job;
	size_t len = 0;
	char *text = exposition_end(&rendering->out, &len);

	rendering->done(rendering->done_ctx, text, len);
	free(rendering->moments);
	free(rendering);
}

// ---- of everything else, on the main thread --------------------------------------------------------------------------

static struct moments *moments_new(const struct health *health, const struct live *live)
{
	struct moments *moments;

	if (health_count(health) != live->view->target_count)
		return NULL;
	moments = malloc(sizeof(*moments) + live->view->target_count * sizeof(moments->since_s[0]));
	if (!moments)
		return NULL;
	moments->generation = live->view->generation;
	moments->count = live->view->target_count;
	for (uint32_t i = 0; i < moments->count; i++)
		moments->since_s[i] = health_target(health, i)->since_s;
	return moments;
}

// The drains that hold, one family; `value` 0: none of this drain.
static void put_drains(struct exposition *out, const struct state *state, const struct metric *metric,
                       uint64_t (*value)(const struct override *drain))
{
	size_t count = state_override_count(state), shown = 0;
	int64_t now_s = clock_wall_s();

	exposition_head(out, metric);
	for (size_t i = 0; i < count && shown < SCRAPE_DRAINS_MAX; i++) {
		const struct override *override = state_override_at(state, i);
		uint64_t number = value(override);

		if (override->kind != OVERRIDE_DRAIN || !override_holds(override, now_s) || number == 0)
			continue;
		exposition_label(out, "site", override->site);
		exposition_label(out, "app", override->app ? override->app : "");
		exposition_value(out, metric, number);
		shown++;
	}
}

static uint64_t since_of(const struct override *drain)
{
	return (uint64_t)drain->since_s;
}

static uint64_t end_of(const struct override *drain)
{
	return (uint64_t)drain->until_s;
}

static uint64_t share_of(const struct override *drain)
{
	return (uint64_t)(SHARE_WHOLE - drain->share_now) * 1000 / SHARE_WHOLE;
}

// Of the services in `discovery`, in their order: two may have the same name.
static void put_breakers(struct exposition *out, struct learner *learner)
{
	static const char *const words[] = {"closed", "open", "half-open", "failed"};
	struct shown_status learn;

	shown_read(learner, &learn);
	exposition_head(out, &breaker);
	for (size_t i = 0; i < learn.service_count; i++) {
		const char *state = shown_state(&learn.services[i]);
		char entry[24];

		snprintf(entry, sizeof(entry), "%zu", i + 1);
		for (size_t k = 0; k < ARRAY_LEN(words); k++) {
			exposition_label(out, "service", learn.services[i].label);
			exposition_label(out, "entry", entry);
			exposition_label(out, "state", words[k]);
			exposition_value(out, &breaker, strcmp(state, words[k]) == 0);
		}
	}
}

void scrape_begin(struct scrape *scrape, const struct metrics_source *source, bool openmetrics,
                  void (*done)(void *done_ctx, char *text, size_t len), void *done_ctx)
{
	struct rendering *rendering = calloc(1, sizeof(*rendering));

	if (!rendering) {
		done(done_ctx, NULL, 0);
		return;
	}
	*rendering = (struct rendering){.job = {.work = work, .done = finish}, .scrape = scrape,
	                                .out = {.openmetrics = openmetrics}, .done = done, .done_ctx = done_ctx};
	exposition_head(&rendering->out, &build);
	exposition_label(&rendering->out, "version", PACKAGE_VERSION);
	exposition_value(&rendering->out, &build, 1);
	metrics_each(source, exposition_row, &rendering->out);
	if (source->learner)
		put_breakers(&rendering->out, source->learner);
	if (source->state) {
		put_drains(&rendering->out, source->state, &drained_share, share_of);
		put_drains(&rendering->out, source->state, &drained_since, since_of);
		put_drains(&rendering->out, source->state, &drained_until, end_of);
	}
	if (source->health && source->live)
		rendering->moments = moments_new(source->health, source->live);
	background_run(scrape->background, &rendering->job);
}

struct scrape *scrape_new(struct event_base *base, uint32_t targets_max)
{
	struct scrape *scrape = calloc(1, sizeof(*scrape));

	if (scrape) {
		scrape->targets_max = targets_max;
		scrape->background = background_new(base);
	}
	if (scrape && scrape->background)
		return scrape;
	free(scrape);
	return NULL;
}

struct scrape *scrape_free(struct scrape *scrape)
{
	if (!scrape)
		return NULL;
	background_free(scrape->background); // its jobs are done
	free(scrape);
	return NULL;
}
