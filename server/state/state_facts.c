// What is read of the state, and what is remembered at once and written later; see state.h.
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "state/lasthealth.h"
#include "state/lastprovided.h"
#include "state/state.h"
#include "state/state_inner.h"

// Afterwards ----------------------------------------------------------------------------------------------------------

void state_ended(struct state *state, const struct override *override, enum ended_how how, const char *ender,
                 const char *by)
{
	afterwards_ended(&state->afterwards, override, how, ender, by, clock_wall_s());
}

size_t state_ended_count(const struct state *state)
{
	return state->afterwards.ended.count;
}

const struct ended *state_ended_at(const struct state *state, size_t i)
{
	return &state->afterwards.ended.rows[i];
}

void state_set_safe(struct state *state, const struct override *override, int64_t left_s)
{
	struct override *own = overrides_find(&state->overrides, override->kind, override->app, override->site);

	must(own == override && left_s >= 0);
	own->safe_mono_s = clock_mono_ms() / 1000 + left_s;
	afterwards_safe(&state->afterwards, own, clock_wall_s() + left_s);
}

void state_set_answered(struct state *state, const char *site, uint32_t ttl_s)
{
	afterwards_answered(&state->afterwards, site, ttl_s, clock_wall_s());
}

const struct former *state_former(const struct state *state)
{
	return &state->afterwards.former;
}

int64_t state_failing_s(const struct state *state)
{
	int64_t health_s = lasthealth_failing_s(state->health), provided_s = lastprovided_failing_s(state->provided);

	return !health_s || (provided_s && provided_s < health_s) ? provided_s : health_s;
}

// Reading -------------------------------------------------------------------------------------------------------------

uint64_t state_revision(const struct state *state)
{
	return state->revision;
}

size_t state_override_count(const struct state *state)
{
	return state->overrides.count;
}

size_t state_removed_count(const struct state *state)
{
	return state->removed.count;
}

const struct override *state_removed_at(const struct state *state, size_t i)
{
	return state->removed.rows[i];
}

const struct override *state_override_at(const struct state *state, size_t i)
{
	return state->overrides.rows[i];
}

size_t state_selector_count(const struct state *state)
{
	return state->overrides.selector_count;
}

const struct override *state_selector_at(const struct state *state, size_t i)
{
	return state->overrides.selectors[i];
}

size_t state_volatile_count(const struct state *state)
{
	return state->volatile_count + state->removed.count;
}

const struct override *state_drain_given(const struct state *state, const char *app, const char *site)
{
	return overrides_find(&state->overrides, OVERRIDE_DRAIN, app, site);
}

static const struct override *holding(const struct override *drain, int64_t now_s)
{
	return drain && drain->has_begun && override_holds(drain, now_s) ? drain : NULL;
}

const struct override *state_drained(const struct state *state, const char *app, const char *site, int64_t now_s)
{
	const struct override *all = holding(state_drain_given(state, NULL, site), now_s);
	const struct override *own = app ? holding(state_drain_given(state, app, site), now_s) : NULL;

	return !all || (own && override_lasts_longer(own, all)) ? own : all;
}

enum force_to state_forced(const struct state *state, const char *app, const char *site)
{
	const struct override *force = overrides_find(&state->overrides, OVERRIDE_FORCE, app, site);

	return force ? force->to : FORCE_AUTO;
}

const struct override *state_adopted(const struct state *state, const char *app)
{
	return overrides_find(&state->overrides, OVERRIDE_ADOPT, app, "");
}

void state_set_health(struct state *state, const char *app, const char *site, uint32_t probed, bool up,
                      int64_t since_s)
{
	lasthealth_set(state->health, app, site, probed, up, since_s);
}

int state_health(const struct state *state, const char *app, const char *site, uint32_t probed,
                 int64_t *ret_since_s)
{
	return lasthealth_get(state->health, app, site, probed, ret_since_s);
}

void state_forget_health(struct state *state, const char *app, const char *site)
{
	lasthealth_retain_addresses(state->health, app, site, NULL, 0);
}

void state_retain_addresses(struct state *state, const char *app, const char *site, const uint32_t *probed, size_t count)
{
	lasthealth_retain_addresses(state->health, app, site, probed, count);
}

void state_retain_health(struct state *state, bool (*is_kept)(void *ctx, const char *app, const char *site), void *ctx)
{
	lasthealth_retain(state->health, is_kept, ctx);
}

void state_set_alias(struct state *state, const char *name, const char *addresses, uint32_t ttl_s, int64_t since_s)
{
	lasthealth_set_alias(state->health, name, addresses, ttl_s, since_s);
}

const char *state_alias(const struct state *state, const char *name, uint32_t *ret_ttl_s, int64_t *ret_since_s)
{
	return lasthealth_alias(state->health, name, ret_ttl_s, ret_since_s);
}

void state_retain_aliases(struct state *state, bool (*is_kept)(void *ctx, const char *name), void *ctx)
{
	lasthealth_retain_aliases(state->health, is_kept, ctx);
}

void state_set_provided(struct state *state, const char *owner, const char *key, const char *text)
{
	lastprovided_set(state->provided, owner, key, text);
}

int state_take_provided(struct state *state,
                        int (*row)(void *ctx, const char *owner, const char *key, const char *text), void *ctx)
{
	return lastprovided_take(state->provided, row, ctx);
}

static const char learned_owner[] = "/learned"; // of providers these are names of plugins

void state_set_learned(struct state *state, const char *prefix, const char *text)
{
	lastprovided_set(state->provided, learned_owner, prefix, text);
}

void state_progress(const struct state *state, struct provided_progress *ret_progress)
{
	lastprovided_progress(state->provided, ret_progress);
}

void state_take_learned(struct state *state, void (*row)(void *ctx, const char *prefix, const char *text), void *ctx)
{
	lastprovided_take_of(state->provided, learned_owner, row, ctx);
}
