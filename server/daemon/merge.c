// Two bytes per target: its inputs, and the state that follows from them; see merge.h.
#include "daemon/merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "view/index.h"
#include "view/live.h"
#include "view/view.h"

enum known {
	KNOWN_DOWN = 1 << 0,          // by health
	KNOWN_FORCED_UP = 1 << 1,
	KNOWN_FORCED_DOWN = 1 << 2,
	KNOWN_SITE_DRAINED = 1 << 3,
	KNOWN_TARGET_DRAINED = 1 << 4, // by a drain of its own: both may hold, and end at different times
	KNOWN_EMPTY = 1 << 5,
	KNOWN_ALL = 1 << 6,
};

struct merge {
	const struct view *view;
	uint8_t *known;               // by target number
	struct target_states *states;
	struct target_shares *shares; // those that there are; NULL: none yet
	uint8_t state_of[KNOWN_ALL];  // known bits -> enum target_state; a table, as one drain may change very many targets
};

uint8_t merge_state(enum force_to forced, bool up, bool drained, bool empty)
{
	bool down = forced == FORCE_AUTO ? !up : forced == FORCE_DOWN;

	return (uint8_t)((down ? TARGET_DOWN : 0) | (drained ? TARGET_DRAINED : 0) | (empty ? TARGET_EMPTY : 0));
}

static void fill_table(struct merge *merge)
{
	for (unsigned known = 0; known < KNOWN_ALL; known++) {
		enum force_to forced = known & KNOWN_FORCED_UP     ? FORCE_UP
		                       : known & KNOWN_FORCED_DOWN ? FORCE_DOWN
		                                                   : FORCE_AUTO;

		merge->state_of[known] = merge_state(forced, !(known & KNOWN_DOWN),
		                                     known & (KNOWN_SITE_DRAINED | KNOWN_TARGET_DRAINED),
		                                     known & KNOWN_EMPTY);
	}
}

struct merge *merge_new(const struct view *view)
{
	struct merge *merge = calloc(1, sizeof(*merge));

	if (!merge)
		return NULL;
	merge->view = view;
	fill_table(merge);
	merge->known = calloc((size_t)view->target_count + 1, 1);
	merge->states = live_states_new(view->target_count);
	return merge->known && merge->states ? merge : merge_free(merge);
}

struct merge *merge_free(struct merge *merge)
{
	if (!merge)
		return NULL;
	free(merge->known);
	free(merge->states);
	free(merge->shares);
	free(merge);
	return NULL;
}

const struct view *merge_view(const struct merge *merge)
{
	return merge->view;
}

static void set(struct merge *merge, uint32_t target, uint8_t bits, uint8_t values)
{
	uint8_t known;

	must(target < merge->states->count);
	known = (uint8_t)((merge->known[target] & ~bits) | (values & bits));
	must(known < KNOWN_ALL && (known & (KNOWN_FORCED_UP | KNOWN_FORCED_DOWN)) != (KNOWN_FORCED_UP | KNOWN_FORCED_DOWN));
	merge->known[target] = known;
	merge->states->octets[target] = merge->state_of[known] | (merge->states->octets[target] & TARGET_PARTS);
}

void merge_set_health(struct merge *merge, uint32_t target, bool up)
{
	set(merge, target, KNOWN_DOWN, up ? 0 : KNOWN_DOWN);
}

void merge_set_empty(struct merge *merge, uint32_t target, bool empty)
{
	set(merge, target, KNOWN_EMPTY, empty ? KNOWN_EMPTY : 0);
}

static void drain_site(struct merge *merge, const char *name, bool holds)
{
	int site = index_find_site(merge->view, name);
	uint32_t count = 0;
	const uint32_t *targets = site < 0 ? NULL : index_targets_of(merge->view, (uint32_t)site, &count);

	for (uint32_t i = 0; i < count; i++)
		set(merge, targets[i], KNOWN_SITE_DRAINED, holds ? KNOWN_SITE_DRAINED : 0);
}

void merge_set_override(struct merge *merge, const struct override *override, bool holds)
{
	int target;

	if (!override->app) {
		must(override->kind == OVERRIDE_DRAIN);
		drain_site(merge, override->site, holds);
		return;
	}
	target = index_find_target(merge->view, override->app, override->site);
	if (target < 0)
		return;
	must(override->kind == OVERRIDE_DRAIN || override->kind == OVERRIDE_FORCE);
	if (override->kind == OVERRIDE_DRAIN)
		set(merge, (uint32_t)target, KNOWN_TARGET_DRAINED, holds ? KNOWN_TARGET_DRAINED : 0);
	else
		set(merge, (uint32_t)target, KNOWN_FORCED_UP | KNOWN_FORCED_DOWN,
		    !holds ? 0 : override->to == FORCE_UP ? KNOWN_FORCED_UP : KNOWN_FORCED_DOWN);
}

// ---- shares ---------------------------------------------------------------------------------------------------------

// Makes room for one more, here and in what is published. E_NOMEM.
static int reserve_share(struct merge *merge)
{
	const struct target_shares *now = merge->shares;
	uint32_t cap = now ? 2 * now->cap : 64;
	struct target_shares *more;

	if (now && now->count < now->cap)
		return E_OK;
	more = live_shares_new(cap);
	if (!more || live_reserve_shares(cap) < 0) {
		free(more);
		return E_NOMEM;
	}
	more->count = now ? now->count : 0;
	if (now)
		memcpy(more->list, now->list, now->count * sizeof(*now->list));
	free(merge->shares);
	merge->shares = more;
	return E_OK;
}

static struct target_share *insert_share(struct target_shares *shares, uint32_t at, uint32_t target)
{
	memmove(&shares->list[at + 1], &shares->list[at], (shares->count - at) * sizeof(*shares->list));
	shares->count++;
	shares->list[at] = (struct target_share){.target = target};
	return &shares->list[at];
}

static void remove_share(struct target_shares *shares, uint32_t at)
{
	shares->count--;
	memmove(&shares->list[at], &shares->list[at + 1], (shares->count - at) * sizeof(*shares->list));
}

int merge_set_share(struct merge *merge, uint32_t target, enum merge_share which, uint32_t share)
{
	uint8_t bit = which == MERGE_STAYING ? TARGET_LEAVING : TARGET_EASED, *state = &merge->states->octets[target];
	struct target_share *entry;
	uint32_t at;

	must(target < merge->states->count && share <= SHARE_ALL);
	if (share == SHARE_ALL && !(*state & bit))
		return E_OK;
	if (!(*state & TARGET_PARTS) && reserve_share(merge) < 0)
		return E_NOMEM;
	at = live_share_find(merge->shares, target);
	entry = *state & TARGET_PARTS ? &merge->shares->list[at] : insert_share(merge->shares, at, target);
	*state = (uint8_t)(share == SHARE_ALL ? *state & ~bit : *state | bit);
	if (!(*state & TARGET_PARTS))
		remove_share(merge->shares, at);
	else if (share < SHARE_ALL)
		*(which == MERGE_STAYING ? &entry->staying : &entry->eased) = (uint16_t)share;
	return E_OK;
}

uint32_t merge_share(const struct merge *merge, uint32_t target, enum merge_share which)
{
	const struct target_share *entry;

	if (!(merge_state_of(merge, target) & (which == MERGE_STAYING ? TARGET_LEAVING : TARGET_EASED)))
		return SHARE_ALL;
	entry = &merge->shares->list[live_share_find(merge->shares, target)];
	return which == MERGE_STAYING ? entry->staying : entry->eased;
}

int merge_shares(const struct merge *merge, struct target_shares **ret_shares)
{
	const struct target_shares *now = merge->shares;

	*ret_shares = now && now->count ? live_shares_new(now->cap) : NULL;
	if (!now || !now->count)
		return E_OK;
	if (!*ret_shares)
		return E_NOMEM;
	(*ret_shares)->count = now->count;
	memcpy((*ret_shares)->list, now->list, now->count * sizeof(*now->list));
	return E_OK;
}

// ---- the state ------------------------------------------------------------------------------------------------------

uint8_t merge_state_of(const struct merge *merge, uint32_t target)
{
	must(target < merge->states->count);
	return merge->states->octets[target];
}

bool merge_drained(const struct merge *merge, uint32_t target)
{
	return merge_state_of(merge, target) & TARGET_DRAINED;
}

bool merge_forced(const struct merge *merge, uint32_t target)
{
	must(target < merge->states->count);
	return merge->known[target] & (KNOWN_FORCED_UP | KNOWN_FORCED_DOWN);
}

void merge_copy_states(const struct merge *merge, struct target_states *states)
{
	must(states->count == merge->states->count);
	memcpy(states->octets, merge->states->octets, states->count);
}

struct target_states *merge_states(const struct merge *merge)
{
	struct target_states *states = live_states_new(merge->states->count);

	if (states)
		merge_copy_states(merge, states);
	return states;
}
