// Changes on a copy of the merge; see what_if.h.
#include "daemon/what_if.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/must.h"
#include "base/recycle.h"
#include "control/cover.h"
#include "control/ops.h"
#include "daemon/by_carrier.h"
#include "daemon/drains.h"
#include "daemon/merge.h"
#include "state/state.h"
#include "view/live.h"
#include "view/view.h"

// The share that drains leave, by target.
struct laying {
	uint32_t *shares;
	uint32_t share; // of the drain that is laid
};

static void lay_one(void *ctx, uint32_t target)
{
	struct laying *laying = ctx;

	if (laying->share < laying->shares[target])
		laying->shares[target] = laying->share;
}

// What a drain leaves at a time to come, when its ramps have come to their ends.
//
// begins     ends                        share
// later      -                           all
// by then    later, or never             none; of one that gives its clients back, nearly all
// by then    by then, over a time, and   nearly all: it gives them back
//            that is not over
// by then    by then                     all
static uint32_t share_at(const struct override *drain, int64_t at_s)
{
	if (!drain->has_begun && override_start_s(drain) > at_s)
		return SHARE_ALL;
	if (!drain->until_s || drain->until_s > at_s)
		return drain->is_returning ? SHARE_ALL - 1 : 0;
	return !drain->is_returning && at_s < drain->until_s + drain->over_s ? SHARE_ALL - 1 : SHARE_ALL;
}

// What a drain beside the change leaves when that is made.
static uint32_t share_then(const struct override *drain, const struct control_change *change)
{
	if (change->at_s)
		return share_at(drain, change->at_s);
	if (!override_holds(drain, clock_wall_s()))
		return SHARE_ALL;
	if (change->in_full && drain->has_begun)
		return drain->is_returning ? SHARE_ALL - 1 : 0;
	return drains_share(drain);
}

static bool is_out(const struct control_change *change, const struct override *drain)
{
	if (change->taken && override_matches(drain, change->taken))
		return true;
	if (!change->given)
		return false;

	struct override_match same = {change->given->kind, change->given->site, change->given->app, false};

	return override_matches(drain, &same);
}

// E_NOMEM.
static int lay_drains(struct merge *merge, const struct state *state, const struct control_change *change)
{
	const struct view *view = merge_view(merge);
	struct laying laying = {.shares = malloc(((size_t)view->target_count + 1) * sizeof(*laying.shares))};
	int err = laying.shares ? E_OK : E_NOMEM;

	for (uint32_t i = 0; err == E_OK && i < view->target_count; i++)
		laying.shares[i] = SHARE_ALL;
	for (size_t i = 0; err == E_OK && i < state_override_count(state); i++) {
		const struct override *drain = state_override_at(state, i);

		laying.share =
			drain->kind == OVERRIDE_DRAIN && !is_out(change, drain) ? share_then(drain, change) : SHARE_ALL;
		if (laying.share < SHARE_ALL)
			cover_each(view, drain, lay_one, &laying);
	}
	laying.share = 0;
	if (err == E_OK && change->given)
		cover_each(view, change->given, lay_one, &laying);
	for (uint32_t i = 0; err == E_OK && i < view->target_count; i++) {
		merge_set_drained(merge, i, laying.shares[i] == 0);
		err = merge_set_share(merge, i, MERGE_STAYING, laying.shares[i] == 0 ? SHARE_ALL : laying.shares[i]);
	}
	free(laying.shares);
	return err;
}

static void drain_list(void *ctx, const uint32_t *targets, uint32_t count)
{
	merge_drain_all(ctx, targets, count);
}

// A drain that is given now takes all from what it covers, whatever else does: there is no need to look at the rest.
static int change_drains(struct merge *merge, const struct state *state, const struct control_change *change)
{
	if (change->taken || change->at_s || change->in_full)
		return lay_drains(merge, state, change);
	if (change->given)
		cover_lists(merge_view(merge), change->given, drain_list, merge);
	return E_OK;
}

// E_NOMEM.
static int change_merge(struct merge *merge, const struct state *state, const struct control_change *change)
{
	enum override_kind kind = change->given   ? change->given->kind
	                          : change->taken ? change->taken->kind
	                                          : OVERRIDE_DRAIN;
	struct override lifted = {.kind = OVERRIDE_FORCE, .to = FORCE_UP};

	if (kind == OVERRIDE_DRAIN)
		return change_drains(merge, state, change);
	must(kind == OVERRIDE_FORCE);
	if (change->given) {
		merge_set_override(merge, change->given, true);
		return E_OK;
	}
	lifted.app = (char *)change->taken->app;
	lifted.site = (char *)change->taken->site;
	merge_set_override(merge, &lifted, false);
	return E_OK;
}

static int spill_nothing(struct merge *merge)
{
	uint32_t count = merge_view(merge)->target_count;
	int err = E_OK;

	for (uint32_t i = 0; err == E_OK && i < count; i++)
		err = merge_set_share(merge, i, MERGE_SPILLING, SHARE_ALL);
	return err;
}

static int take_live(const struct merge *merge, struct judge *judge, struct live *ret_live)
{
	struct columns *columns = NULL;
	uint32_t count = merge_view(merge)->target_count;
	struct target_states *states = recycle_take(sizeof(*states) + count); // live_states_new() has some for publications
	struct target_shares *shares = NULL;

	if (!states || (judge && by_carrier_make(merge, judge, &columns) < 0) || merge_shares(merge, &shares) < 0) {
		recycle_put(states);
		free(columns);
		return E_NOMEM;
	}
	states->count = count;
	merge_copy_states(merge, states);
	by_carrier_mark(columns, states);
	*ret_live = (struct live){.view = merge_view(merge), .states = states, .shares = shares, .columns = columns};
	return E_OK;
}

int what_if_make(const struct merge *merge, struct judge *judge, const struct state *state,
                 const struct control_change *change, struct live *ret_live)
{
	bool is_as_it_is = !change->given && !change->taken && !change->at_s && !change->in_full;
	struct merge *copy = is_as_it_is ? NULL : merge_copy(merge);
	int err;

	if (is_as_it_is)
		return take_live(merge, judge, ret_live);
	err = copy ? change_merge(copy, state, change) : E_NOMEM;
	if (err == E_OK && change->in_full)
		err = spill_nothing(copy);
	if (err == E_OK)
		err = take_live(copy, judge, ret_live);
	merge_free(copy);
	return err;
}
