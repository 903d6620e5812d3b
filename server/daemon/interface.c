// What the control socket and the HTTP door ask of the daemon; see inner.h.
#include "base/err.h"
#include "config/config.h"
#include "control/ops.h"
#include "daemon/aliases.h"
#include "daemon/caches.h"
#include "daemon/ceilings.h"
#include "daemon/inner.h"
#include "daemon/metrics.h"
#include "daemon/process.h"
#include "daemon/scrape.h"
#include "daemon/serving.h"
#include "daemon/watching.h"
#include "door/door.h"
#include "door/keys.h"
#include "generation/reload.h"
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

static int64_t cached_s(void *ctx, const char *app, const char *site)
{
	const struct daemon *daemon = ctx;

	return caches_left_s(serving_caches(daemon->serving), app, site);
}

static const struct files *files_of(void *ctx)
{
	const struct daemon *daemon = ctx;

	return watching_files(daemon->watching);
}

static bool ceiling(void *ctx, const char *site, double *ret_ceiling, double *ret_rate, double *ret_share)
{
	const struct daemon *daemon = ctx;
	struct ceilings_shown shown;

	if (!ceilings_of(serving_ceilings(daemon->serving), NULL, site, &shown))
		return false;
	*ret_ceiling = shown.ceiling;
	*ret_rate = shown.rate;
	*ret_share = (double)shown.share / SHARE_ALL;
	return true;
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
		.config = config_of,
		.live = live_of,
		.reload = reloads_begin,
		.cached_s = cached_s,
		.files = files_of,
		.ceiling = ceiling,
		.effect = effect,
		.stats = stats,
		.status = status_of,
	};
}
