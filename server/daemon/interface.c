// What the control socket and the HTTP door ask of the daemon; see inner.h.
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "config/config.h"
#include "control/cover.h"
#include "control/ops.h"
#include "daemon/aliases.h"
#include "daemon/ceilings.h"
#include "daemon/handed.h"
#include "daemon/inner.h"
#include "daemon/metrics.h"
#include "daemon/process.h"
#include "daemon/rollback.h"
#include "daemon/scrape.h"
#include "daemon/serving.h"
#include "daemon/watching.h"
#include "daemon/what_if.h"
#include "door/door.h"
#include "door/keys.h"
#include "generation/reload.h"
#include "state/override.h"
#include "state/selector.h"
#include "traffic/samples.h"
#include "view/index.h"
#include "view/live.h"

static const struct config *config_of(void *ctx)
{
	const struct daemon *daemon = ctx;

	return serving_config(daemon->serving);
}

static const struct live *live_of(void *ctx)
{
	const struct daemon *daemon = ctx;

	return serving_live(daemon->serving);
}

// What a drain is of, for serving_cached_s().
struct wanted {
	const struct view *view;
	const struct override *drain;
};

// A site that the view has not any more is one of a selector's for safety's sake.
static bool is_wanted(const void *ctx, const char *app, const char *site)
{
	const struct wanted *wanted = ctx;
	const struct override *drain = wanted->drain;

	if (drain->app && app[0] && strcmp(app, drain->app) != 0)
		return false;
	if (!selector_is(drain->site))
		return strcmp(site, drain->site) == 0;

	int number = index_find_site(wanted->view, site);

	return number < 0 || cover_site(wanted->view, drain, (uint32_t)number);
}

static int64_t cached_s(void *ctx, const struct override *drain)
{
	const struct daemon *daemon = ctx;
	const struct wanted wanted = {serving_view(daemon->serving), drain};

	return serving_cached_s(daemon->serving, is_wanted, &wanted);
}

static int64_t last_answer_s(void *ctx, uint32_t target)
{
	const struct daemon *daemon = ctx;

	return handed_last_s(daemon->handed, serving_view(daemon->serving), target);
}

static const struct files *files_of(void *ctx)
{
	const struct daemon *daemon = ctx;

	return watching_files(daemon->watching);
}

static bool ceiling(void *ctx, const char *app, const char *site, bool of_load, struct control_ceiling_state *ret_ceiling)
{
	const struct daemon *daemon = ctx;
	struct ceilings_shown shown;

	if (!ceilings_of(serving_ceilings(daemon->serving), app, site, of_load, clock_mono_ms(), &shown))
		return false;
	*ret_ceiling = (struct control_ceiling_state){shown.ceiling, shown.rate, (double)shown.share / SHARE_ALL, shown.age_ms};
	return true;
}

static int what_if(void *ctx, const struct control_change *change, struct live *ret_live)
{
	const struct daemon *daemon = ctx;

	return what_if_make(serving_merge(daemon->serving), serving_started(daemon->serving) ? daemon->judge : NULL, daemon->state,
	                    change, ret_live);
}

static struct sample_set *samples_of(void *ctx)
{
	const struct daemon *daemon = ctx;

	return samples_copy(serving_samples(daemon->serving), serving_view(daemon->serving), clock_mono_ms());
}

static size_t list_ceilings(void *ctx, struct control_ceiling *list)
{
	const struct daemon *daemon = ctx;

	return ceilings_list(serving_ceilings(daemon->serving), list);
}

static int push_load(void *ctx, const char *app, const char *site, double figure, int64_t ttl_ms)
{
	const struct daemon *daemon = ctx;

	return serving_load(daemon->serving, app, site, figure, ttl_ms, clock_mono_ms());
}

static json_t *effect(void *ctx)
{
	const struct daemon *daemon = ctx;

	return daemon->building.guard.effect;
}

static json_t *stats(void *ctx)
{
	const struct daemon *daemon = ctx;

	return metrics_counters(daemon->workers, daemon->health, daemon->judge, aliases_resolve(daemon->aliases),
	                        daemon->learner);
}

static json_t *status_of(void *ctx)
{
	const struct daemon *daemon = ctx;
	struct metrics_facts facts = daemon->facts;
	json_t *status;

	facts.reload_began_s = reload_began_s(daemon->reload);
	status = metrics_status(&facts, live_current());
	json_object_set_new(status, "watch", watching_status(daemon->watching));
	rollback_status(daemon->rollback, status);
	return status;
}

static void metrics(void *ctx, bool openmetrics, void (*done)(void *done_ctx, char *text, size_t len), void *done_ctx)
{
	const struct daemon *daemon = ctx;
	struct metrics_facts facts = daemon->facts;
	struct door_stats door;
	struct process process;
	const struct metrics_source source = {
		.workers = daemon->workers,
		.health = daemon->health,
		.judge = daemon->judge,
		.resolve = aliases_resolve(daemon->aliases),
		.learner = daemon->learner,
		.facts = &facts,
		.state = daemon->state,
		.door = &door,
		.process = &process,
		.live = live_current(),
	};

	facts.reload_began_s = reload_began_s(daemon->reload);
	door_stats(daemon->door, &door);
	process_read(&process);
	scrape_begin(daemon->scrape, &source, openmetrics, done, done_ctx);
}

int interface_open_door(struct daemon *daemon, struct keys *keys)
{
	const struct door_ops ops = {.control = interface_ops(daemon), .metrics = metrics, .ctx = daemon};

	daemon->scrape = daemon->door ? scrape_new(daemon->base, SCRAPE_TARGETS_MAX) : NULL;
	if (daemon->door && !daemon->scrape) {
		keys_free(keys);
		return E_NOMEM;
	}
	return door_serve(daemon->door, daemon->base, &ops, keys);
}

struct control_ops interface_ops(struct daemon *daemon)
{
	return (struct control_ops){
		.ctx = daemon,
		.health = daemon->health,
		.judge = daemon->judge,
		.state = daemon->state,
		.provide = daemon->provide,
		.learner = daemon->learner,
		.resolve = aliases_resolve(daemon->aliases),
		.gate = daemon->gate,
		.config = config_of,
		.live = live_of,
		.what_if = what_if,
		.reload = reloads_begin,
		.compare = reloads_compare,
		.rollback = reloads_roll_back,
		.samples = samples_of,
		.cached_s = cached_s,
		.last_answer_s = last_answer_s,
		.files = files_of,
		.ceiling = ceiling,
		.ceilings = list_ceilings,
		.load = push_load,
		.effect = effect,
		.stats = stats,
		.status = status_of,
	};
}
