// Overrides whose moment has come: they begin, run out, or give back what they took over a time; see state.h and
// state_inner.h.
#include <stdlib.h>

#include "base/clock.h"
#include "base/must.h"
#include "state/afterwards.h"
#include "state/change.h"
#include "state/state.h"
#include "state/state_inner.h"

bool state_begin_if_due(struct override *override)
{
	int64_t wall_ms = clock_wall_ms(), mono_ms = clock_mono_ms();

	if (!override->has_begun && override_start_s(override) * 1000 <= wall_ms)
		override_begin(override, wall_ms, mono_ms);
	else
		override_step(override, mono_ms);
	return override->has_begun;
}

// Whether its time was up, and it gives back what it took. Not while another one may be under way that takes the place of
// one in memory only, see take_put().
static bool is_to_turn(const struct state *state, const struct override *override, int64_t now_s)
{
	return override_turns(override) && override->until_s <= now_s && (!override->is_volatile || !state->outstanding);
}

// From `since_s` on. It is saved like what is in memory only: this needs no disk, and no operator who waits for one.
static void turn(struct state *state, struct override *override, int64_t since_s)
{
	int64_t passed_ms = clock_wall_ms() - since_s * 1000, mono_ms = clock_mono_ms();

	override_return(override, override->over_s, since_s, mono_ms);
	override->begun_mono_ms -= passed_ms > 0 ? passed_ms : 0;
	override_step(override, mono_ms);
	state->volatile_count += !override->is_volatile;
	override->is_volatile = true;
}

void state_begin_all(struct state *state)
{
	int64_t now_s = clock_wall_s();

	for (size_t i = 0; i < state->overrides.count; i++) {
		struct override *override = state->overrides.rows[i];

		if (state_begin_if_due(override) && is_to_turn(state, override, now_s))
			turn(state, override, override->until_s);
	}
}

void state_step(struct state *state, int64_t mono_ms)
{
	for (size_t i = 0; i < state->overrides.count; i++)
		override_step(state->overrides.rows[i], mono_ms);
}

static void submit_expiry(struct state *state)
{
	struct job *job;

	if (!state->expire_s || state->expire_is_under_way || !(job = calloc(1, sizeof(*job))))
		return;
	job->change = change_expire(state->expire_s, state->committed);
	if (!job->change) {
		free(job);
		return;
	}
	state->expire_s = 0;
	state->expire_is_under_way = true;
	state_submit(state, job);
}

static bool has_run_out(const void *ctx, const struct override *override)
{
	return override_is_over(override, *(const int64_t *)ctx, clock_mono_ms());
}

// Those whose start has come take effect. True: there were some.
static bool begin_due(struct state *state)
{
	bool any = false;

	for (size_t i = 0; i < state->overrides.count; i++) {
		struct override *override = state->overrides.rows[i];

		if (override->has_begun || !state_begin_if_due(override))
			continue;
		any = true;
		state_report(state, override, override);
	}
	return any;
}

static bool turn_due(struct state *state, int64_t now_s)
{
	bool any = false;

	for (size_t i = 0; i < state->overrides.count; i++) {
		struct override *override = state->overrides.rows[i];

		if (!is_to_turn(state, override, now_s))
			continue;
		any = true;
		afterwards_gone(&state->afterwards, override); // what it took is handed out again
		turn(state, override, now_s);
		state_report(state, override, override);
	}
	return any;
}

static void sooner(int64_t *next_s, int64_t time_s, int64_t now_s)
{
	if (time_s > now_s && (!*next_s || time_s < *next_s))
		*next_s = time_s;
}

size_t state_expire(struct state *state, int64_t now_s, int64_t *ret_next_s)
{
	struct overrides *set = &state->overrides;
	int64_t next_s = 0;

	must(!state->is_applying);
	state->is_applying = true;

	size_t gone = state_sweep(state, has_run_out, &now_s);
	bool has_begun = begin_due(state), has_turned = turn_due(state, now_s);

	if ((has_begun || has_turned || gone) && state->ops.committed)
		state->ops.committed(state->ops.ctx);
	if (gone)
		state->expire_s = now_s;
	for (size_t i = 0; i < gone; i++) {
		struct override *override = set->rows[set->count + i];

		afterwards_ended(&state->afterwards, override, override->ender ? ENDED_TAKEN_BACK : ENDED_RAN_OUT, override->ender,
		                 NULL, now_s);
		override_free(override);
	}
	state->is_applying = false;
	state_save(state); // before rows go that ran out, and turned
	submit_expiry(state);
	for (size_t i = 0; i < set->count; i++) {
		sooner(&next_s, set->rows[i]->until_s, now_s);
		if (override_turns(set->rows[i]) && set->rows[i]->until_s <= now_s) // it was put off, see is_to_turn()
			sooner(&next_s, now_s + 1, now_s);
		if (!set->rows[i]->has_begun)
			sooner(&next_s, override_start_s(set->rows[i]), now_s);
	}
	*ret_next_s = next_s;
	return gone;
}
