// What the daemon does when its state, its probes or its look-ups report something; see inner.h.
#include <event2/event.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "config/config.h"
#include "control/ops.h"
#include "control/safe.h"
#include "daemon/aliases.h"
#include "daemon/impose.h"
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
	LOOK_MS = 1000, STEP_MIN_MS = 100, // between two steps of drains that move clients
	TOGETHER_MS = 20,        // ramps that end within this end together
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

// Notes of the drains that have taken all clients when caches will have forgotten them.
static void note_safe(struct daemon *daemon)
{
	const struct control_ops ops = interface_ops(daemon);

	for (size_t i = 0; i < state_override_count(daemon->state); i++) {
		const struct override *drain = state_override_at(daemon->state, i);

		if (drain->kind == OVERRIDE_DRAIN && !drain->safe_mono_s && !drain->is_returning && drain->share_now == 0)
			state_set_safe(daemon->state, drain, safe_left_s(&ops, drain));
	}
}

// One look at the clock: where a ramp is, is the same for what is answered, what is told of it, and what is known to be safe.
// True: it is to be published.
static bool step(struct daemon *daemon)
{
	state_step(daemon->state, clock_mono_ms());
	return serving_step_drains(daemon->serving, daemon->state);
}

static void overrides_committed(void *ctx)
{
	struct daemon *daemon = ctx;

	(void)step(daemon);
	publish(daemon);
	note_safe(daemon);
}

static void tell_expired(const struct state *state, int64_t now_s)
{
	int64_t mono_ms = clock_mono_ms();

	for (size_t i = 0; i < state_override_count(state); i++) {
		const struct override *override = state_override_at(state, i);

		if (!override_is_over(override, now_s, mono_ms))
			continue;
		log_notice(override->is_returning ? "the drain of %s for %s has given all clients back; set by %s, reason: %s"
		                                  : "the drain of %s for %s has expired; set by %s, reason: %s", override->site,
		           override->app ? override->app : "every app", override->who,
		           override->reason ? override->reason : "none given");
	}
}

// A step of a hundredth of its ramp, but of 0.1 s to 1 s; the last one ends with it.
static unsigned step_of(const struct override *override, int64_t mono_ms)
{
	int64_t left_ms = override_ramp_left_ms(override, mono_ms);
	unsigned ms = override->over_s * 10 > STEP_MIN_MS ? override->over_s * 10 : STEP_MIN_MS;

	if (ms > LOOK_MS)
		ms = LOOK_MS;
	return left_ms >= ms ? ms : left_ms > 0 ? (unsigned)left_ms : 1; // it was stepped a moment before its end
}

// In how many milliseconds drains that are to begin, or move clients, are looked at again. 0: there are none.
static unsigned step_ms(const struct state *state)
{
	int64_t mono_ms = clock_mono_ms();
	unsigned shortest_ms = 0;

	for (size_t i = 0; i < state_override_count(state); i++) {
		const struct override *drain = state_override_at(state, i);
		unsigned ms = drain->has_begun ? step_of(drain, mono_ms) : LOOK_MS;

		if (drain->has_begun && !impose_is_moving(drain))
			continue;
		if (!shortest_ms || ms < shortest_ms)
			shortest_ms = ms;
	}
	return shortest_ms;
}

void reactions_expire(struct daemon *daemon)
{
	int64_t next_s = 0, now_s = clock_wall_s();

	tell_expired(daemon->state, now_s);
	(void)state_expire(daemon->state, now_s, &next_s); // publishes, see overrides_committed()
	if (step(daemon)) {
		publish(daemon);
		note_safe(daemon);
	}

	bool has_led = serving_lead(daemon->serving, daemon->state);
	unsigned ms = step_ms(daemon->state);

	event_del(daemon->expiry);
	// Drains begin and end by the wall clock, which may be set, and runs on while the machine is suspended. A timer
	// follows neither, so the clock is polled while any drain has an end or a beginning to come.
	if (!has_led || ms) {
		ms = ms == 0 ? LOOK_MS : ms > TOGETHER_MS ? ms : TOGETHER_MS;
		loop_arm(daemon->expiry, ms / 1000, (int)(ms % 1000 * 1000));
	} else if (next_s) {
		loop_arm(daemon->expiry, next_s - now_s < CLOCK_LOOK_S ? 0 : CLOCK_LOOK_S, CLOCK_PAUSE_US);
	}
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
	char who[OVERRIDE_WHO_LEN];

	serving_set_override(daemon->serving, daemon->state, old, next);
	if (next && old == next) {
		log_notice("the drain of %s for %s %s; set by %s, reason: %s", next->site, next->app ? next->app : "every app",
		           next->is_returning ? "has come to its end, and gives its clients back little by little" : "begins",
		           override_who_text(next, who), next->reason ? next->reason : "none given");
		if (!next->is_returning)
			begun_look(daemon, next);
	}
	if ((next && (next->until_s || next->start_s || next->over_s)) || (old && (old->start_s || old->over_s)))
		loop_arm(daemon->expiry, 0, CLOCK_PAUSE_US);
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

// ---- generations ----------------------------------------------------------------------------------------------------

void reactions_answered(struct daemon *daemon)
{
	const struct view *view = serving_view(daemon->serving);
	const struct former *former = state_former(daemon->state);

	for (uint32_t i = 0; i < view->site_count; i++)
		state_set_answered(daemon->state, view->sites[i].name, view->index->site_ttl_s[i]);
	for (size_t i = 0; i < former->count; i++)
		if (former->sites[i].ttl_s && index_find_site(view, former->sites[i].site) < 0)
			state_set_answered(daemon->state, former->sites[i].site, 0);
}

void reactions_begin(struct daemon *daemon)
{
	const struct former *former = state_former(daemon->state);
	int64_t now_s = clock_wall_s();

	for (size_t i = 0; i < former->count; i++)
		serving_note_cached(daemon->serving, former->sites[i].site, former_until_s(&former->sites[i], now_s) - now_s + 1);
	reactions_answered(daemon);
	if (step(daemon))
		publish(daemon);
	note_safe(daemon);
	reactions_expire(daemon);
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
