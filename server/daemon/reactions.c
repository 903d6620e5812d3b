// What the daemon does when its state, its probes or its look-ups report something; see inner.h.
#include <event2/event.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "config/config.h"
#include "daemon/aliases.h"
#include "daemon/inner.h"
#include "daemon/loop.h"
#include "daemon/readiness.h"
#include "daemon/serving.h"
#include "health/health.h"
#include "health/judge.h"
#include "provide/provide.h"
#include "state/state.h"
#include "view/index.h"
#include "view/view.h"

enum {
	CLOCK_PAUSE_US = 1000,   // the least time between two looks at the clock
	CLOCK_LOOK_S = 1,        // within this a change of the clock is noticed
};

// Out of memory, it is tried again.
static void publish(struct daemon *daemon)
{
	int64_t began_ns = clock_mono_ns();
	bool is_short = aliases_is_short(daemon->aliases) && serving_fill(daemon->serving, daemon->aliases, daemon->health) < 0;

	if (!serving_publish(daemon->serving, daemon->health) || is_short)
		loop_arm(daemon->publish, PUBLISH_AGAIN_S, 0);
	daemon->facts.publication_took_us = (clock_mono_ns() - began_ns) / 1000;
}

// ---- overrides ------------------------------------------------------------------------------------------------------

void reactions_expire(struct daemon *daemon)
{
	int64_t next_s = 0, now_s = clock_wall_s();

	for (size_t i = 0; i < state_override_count(daemon->state); i++) {
		const struct override *override = state_override_at(daemon->state, i);

		if (!override_holds(override, now_s))
			log_notice("the drain of %s for %s has expired; set by %s, reason: %s", override->site,
			           override->app ? override->app : "every app", override->who,
			           override->reason ? override->reason : "none given");
	}
	(void)state_expire(daemon->state, now_s, &next_s); // publishes, see overrides_committed()
	event_del(daemon->expiry);
	// Drains end by the wall clock, which may be set, and runs on while the machine is suspended. A timer follows
	// neither, so the clock is polled while any drain has an end.
	if (next_s)
		loop_arm(daemon->expiry, next_s - now_s < CLOCK_LOOK_S ? 0 : CLOCK_LOOK_S, CLOCK_PAUSE_US);
}

void reactions_on_expiry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	reactions_expire(arg);
}

static void override_changed(void *ctx, const struct override *old, const struct override *next)
{
	struct daemon *daemon = ctx;

	serving_set_override(daemon->serving, old, next, clock_wall_s());
	if (next && next->until_s)
		loop_arm(daemon->expiry, 0, CLOCK_PAUSE_US);
}

static void overrides_committed(void *ctx)
{
	publish(ctx);
}

// ---- health ---------------------------------------------------------------------------------------------------------

void reactions_on_publish(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *daemon = arg;

	(void)fd;
	(void)what;
	publish(daemon);
}

static void health_changed(void *ctx, size_t number, const struct health_address *address)
{
	struct daemon *daemon = ctx;
	const struct view *view = serving_view(daemon->serving);

	must(number < view->target_count);

	const struct target *target = &view->targets[number];

	state_set_health(daemon->state, target->app->name, view->sites[target->site].name, address->endpoint,
	                 address->shown->up, address->shown->since_s);
	serving_set_health(daemon->serving, daemon->health, (uint32_t)number);
	loop_arm(daemon->publish, 0, COALESCE_US);
}

// The targets of the list are those of the view that it was made with, which may not be in use yet.
static void health_listed(void *ctx, const char *app, const char *site, const uint32_t *endpoints, size_t count)
{
	const struct daemon *daemon = ctx;

	state_retain_addresses(daemon->state, app, site, endpoints, count);
}

static int health_saved(void *ctx, const char *app, const char *site, uint32_t probed, int64_t *ret_since_s)
{
	const struct daemon *daemon = ctx;

	return state_health(daemon->state, app, site, probed, ret_since_s);
}

static void first_round_over(void *ctx)
{
	daemon_first_round_over(ctx);
}

// ---- targets by host name -------------------------------------------------------------------------------------------

static int set_addresses(void *ctx, uint32_t target, const struct addr *addresses, size_t count, uint32_t ttl_s)
{
	struct daemon *daemon = ctx;

	loop_arm(daemon->publish, 0, COALESCE_US);
	return serving_set_addresses(daemon->serving, daemon->health, target, addresses, count, ttl_s);
}

static int set_probed(void *ctx, uint32_t target, const struct addr *addresses, size_t count)
{
	struct daemon *daemon = ctx;

	loop_arm(daemon->publish, 0, COALESCE_US);
	return serving_set_probed(daemon->serving, daemon->health, target, addresses, count);
}

// ---- what providers say ----------------------------------------------------------------------------------------------

enum { PATIENCE_MS = 30000 }; // without a check: as a check's by default

// `fall` intervals of the app's check; of an app that is to come, of the default one.
static int64_t patience_ms(const struct daemon *daemon, const char *name)
{
	const struct config *config = serving_config(daemon->serving);
	int app = index_find_app(serving_view(daemon->serving), name);
	int number = app < 0 ? config->defaults.check : config->apps[app].check;
	const struct config_check *check = number < 0 ? NULL : &config->checks[number];

	return check ? (int64_t)check->fall * check->interval_ms : PATIENCE_MS;
}

void reactions_ready_changed(void *ctx, const char *app, const char *site, enum edgesteer_health health)
{
	const struct daemon *daemon = ctx;

	readiness_told(daemon->readiness, app, site, health, patience_ms(daemon, app));
	serving_judge_again(daemon->serving, app, site);
	loop_arm(daemon->publish, 0, COALESCE_US);
}

static enum word endpoints_word(void *ctx, const char *app, const char *site)
{
	const struct daemon *daemon = ctx;
	enum edgesteer_health health = daemon->provide ? provide_ready(daemon->provide, app, site) : EDGESTEER_HEALTH_UNKNOWN;

	// One that has none ready says down when that has lasted, see readiness.h; until then it says nothing.
	return health == EDGESTEER_HEALTH_READY ? WORD_UP : WORD_NONE;
}

// ---- what is believed -------------------------------------------------------------------------------------------------

static void judged(void *ctx, uint32_t target, bool up)
{
	const struct daemon *daemon = ctx;

	serving_judged(daemon->serving, target, up);
}

static void eased(void *ctx, uint32_t target, uint32_t share)
{
	const struct daemon *daemon = ctx;

	serving_eased(daemon->serving, target, share);
}

static void judge_moved(void *ctx)
{
	struct daemon *daemon = ctx;

	loop_arm(daemon->publish, 0, COALESCE_US);
}

static void set_ready(void *ctx, const char *app, const char *site, bool ready)
{
	struct daemon *daemon = ctx;

	serving_set_ready(daemon->serving, app, site, ready);
	loop_arm(daemon->publish, 0, COALESCE_US);
}

// ---- opening --------------------------------------------------------------------------------------------------------

int reactions_open(struct daemon *daemon)
{
	struct state_ops state_ops = {.ctx = daemon, .changed = override_changed, .committed = overrides_committed};
	struct health_ops health_ops = {
		.changed = health_changed, .settled = first_round_over, .saved = health_saved,
		.listed = health_listed, .ctx = daemon};
	struct aliases_ops aliases_ops = {.sink = {set_addresses, set_probed, daemon}, .settled = first_round_over, .ctx = daemon};
	const struct readiness_ops readiness_ops = {set_ready, daemon};
	const struct judge_ops judge_ops = {judged, eased, endpoints_word, judge_moved, daemon};
	int err = state_open(daemon->base, serving_config(daemon->serving)->server.state_dir, &state_ops, &daemon->state);

	if (err < 0)
		return err;
	daemon->health = health_new(daemon->base, &health_ops);
	daemon->judge = judge_new(daemon->base, &judge_ops);
	daemon->aliases = aliases_new(daemon->base, daemon->state, &aliases_ops);
	daemon->readiness = readiness_new(daemon->base, &readiness_ops);
	if (!daemon->health || !daemon->judge || !daemon->aliases || !daemon->readiness)
		return E_NOMEM;
	return E_OK;
}
