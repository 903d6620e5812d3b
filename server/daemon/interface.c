// What the control socket asks of the daemon; see inner.h.
#include "config/config.h"
#include "control/ops.h"
#include "daemon/aliases.h"
#include "daemon/caches.h"
#include "daemon/inner.h"
#include "daemon/metrics.h"
#include "daemon/serving.h"
#include "daemon/watching.h"
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

static json_t *stats(void *ctx)
{
	const struct daemon *daemon = ctx;

	return metrics_counters(daemon->workers, daemon->health, aliases_resolve(daemon->aliases));
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

struct control_ops interface_ops(struct daemon *daemon)
{
	return (struct control_ops){
		.ctx = daemon,
		.health = daemon->health,
		.state = daemon->state,
		.provide = daemon->provide,
		.resolve = aliases_resolve(daemon->aliases),
		.config = config_of,
		.live = live_of,
		.reload = reloads_begin,
		.cached_s = cached_s,
		.files = files_of,
		.stats = stats,
		.status = status_of,
	};
}
