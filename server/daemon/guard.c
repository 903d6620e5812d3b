// Guards against reloads that move too much; see guard.h.
#include "daemon/guard.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/publish.h"
#include "base/report.h"
#include "config/config.h"
#include "control/effect_json.h"
#include "daemon/adopts.h"
#include "daemon/handover.h"
#include "generation/generation.h"
#include "traffic/effect.h"
#include "traffic/samples.h"
#include "view/index.h"
#include "view/live.h"
#include "view/view.h"

void guard_start(struct guard *guard, const struct samples *samples, const struct view *view, const struct state *state)
{
	guard_wipe(guard);
	guard->said = adopts_copy(state);
	guard->samples = samples_copy(samples, view, clock_mono_ms());
}

void guard_start_app(struct guard *guard, const struct view *view, const char *app)
{
	int number = index_find_spelled(view, app);

	if (guard->samples)
		samples_of_app(guard->samples, number < 0 ? UINT32_MAX : (uint32_t)number);
}

void guard_wipe(struct guard *guard)
{
	adopts_free(guard->said);
	free(guard->samples);
	json_decref(guard->effect);
	*guard = (struct guard){0};
}

// Of the targets that take a part of their clients, which part: a reload does not change it. The caller's to free. NULL:
// there are none, or out of memory.
static struct target_shares *next_shares(const struct live *now, const uint32_t *old_of_new, struct target_states *states)
{
	struct target_shares *shares = now->shares ? live_shares_new(states->count) : NULL;

	for (uint32_t i = 0; i < states->count; i++) {
		uint8_t parts = old_of_new[i] < now->states->count ? live_state(now, old_of_new[i]) & TARGET_PARTS : 0;

		if (!shares || !parts)
			continue;
		states->octets[i] |= parts;
		shares->of[i] = now->shares->of[old_of_new[i]];
	}
	return shares;
}

// Apps that steer a part of their clients, by the next config and by what operators say. Into `states`, and *shares, which is
// made where there are none. Out of memory, they steer all.
static void set_adopts(const struct adopts_said *said, const struct generation *next, struct target_states *states,
                       struct target_shares **shares)
{
	for (uint32_t i = 0; i < next->view->app_count; i++) {
		const struct app *app = &next->view->apps[i];
		uint32_t share = adopts_share(said, &next->config->apps[i]);

		if (share == SHARE_ALL || !app->target_count || (!*shares && !(*shares = live_shares_new(states->count))))
			continue;
		(*shares)->of[app->first_target].steered = (uint16_t)share;
		for (uint32_t target = app->first_target; target < app->first_target + app->target_count; target++)
			states->octets[target] |= TARGET_ADOPTED;
	}
}

// The next generation as it would be answered from at first. New targets count as up. Its states and shares are the caller's
// to free; without states: out of memory.
static struct live next_live(const struct live *now, const struct generation *next, const struct adopts_said *said)
{
	const uint32_t *old_of_new = next->handover->old_of_new;
	struct live live = {.view = next->view};
	struct target_states *states = malloc(sizeof(*states) + next->view->target_count + 1);
	struct target_shares *shares;

	live.states = states;
	live.learned = now->view->tables == next->view->tables ? now->learned : next->handover->learned;
	if (!states)
		return live;
	states->count = next->view->target_count;
	for (uint32_t i = 0; i < states->count; i++)
		states->octets[i] = old_of_new[i] < now->states->count ? live_state(now, old_of_new[i]) & TARGET_CLOSED : 0;
	shares = next_shares(now, old_of_new, states);
	set_adopts(said, next, states, &shares);
	live.shares = shares;
	return live;
}

static void tell_held(const struct effect *effect, const struct live *now, const struct live *next, uint64_t moved,
                      unsigned limit_percent, struct report *report)
{
	const struct effect_move *first = &effect->moves[0];

	report_error(report, NULL, 0, 0,
	             "guard: %.1f %% of the recent queries would be answered with another site, and %u %% may; first of all %.1f %% "
	             "that go from %s to %s; edgesteerctl reload --check shows them; if they are to: edgesteerctl reload --force",
	             100 * (double)moved / (double)effect->all.weight, limit_percent,
	             100 * (double)first->before.weight / (double)effect->all.weight,
	             first->from < 0 ? "nowhere" : now->view->sites[first->from].name,
	             first->to < 0 ? "nowhere" : next->view->sites[first->to].name);
}

static int judge(const struct guard *guard, const struct effect *effect, const struct live *now, const struct live *next,
                 unsigned limit_percent, struct report *report)
{
	uint64_t moved = effect->moved - effect->gone;

	if (guard->samples->count < GUARD_SAMPLES_MIN ||
	    (double)moved * 100 <= (double)effect->all.weight * (double)limit_percent)
		return E_OK;
	tell_held(effect, now, next, moved, limit_percent, report);
	return E_HELD;
}

static int look(struct guard *guard, const struct live *now, const struct generation *next, bool by_force,
                struct report *report)
{
	struct live after = next_live(now, next, guard->said);
	struct effect effect;
	int err = after.states ? effect_of(guard->samples, now, &after, &effect) : E_NOMEM;

	if (err == E_OK) {
		guard->effect = effect_json(&effect, guard->samples, now->view, next->view);
		if (!by_force)
			err = judge(guard, &effect, now, &after, next->config->guard, report);
		effect_wipe(&effect);
	}
	free((void *)after.states);
	live_shares_put(after.shares);
	return err == E_NOMEM ? E_OK : err; // a reload needs more than this
}

int guard_look(struct guard *guard, const struct generation *next, bool by_force, struct report *report)
{
	const struct live *now;
	int err = E_OK;

	if (!guard->samples || guard->samples->count == 0)
		return E_OK;
	publish_register_reader();
	publish_online(); // what is published stays meanwhile
	now = live_read();
	if (now && now->view->generation == guard->samples->generation)
		err = look(guard, now, next, by_force, report);
	publish_offline();
	publish_unregister_reader();
	return err;
}
