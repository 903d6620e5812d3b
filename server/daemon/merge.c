// Two bytes per target: its inputs, and the state that follows from them; see merge.h.
#include "daemon/merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "base/recycle.h"
#include "view/index.h"
#include "view/live.h"
#include "view/view.h"

enum { SHARE_BITS = TARGET_PARTS | TARGET_ADOPTED };

enum known {
	KNOWN_DOWN = 1 << 0,          // by health
	KNOWN_FORCED_UP = 1 << 1,
	KNOWN_FORCED_DOWN = 1 << 2,
	KNOWN_SITE_DRAINED = 1 << 3,
	KNOWN_TARGET_DRAINED = 1 << 4, // by a drain of its own: both may hold, and end at different times
	KNOWN_EMPTY = 1 << 5,
	KNOWN_SELECTED = 1 << 6,      // by a drain of a selector of sites, whichever and however many
	KNOWN_ALL = 1 << 7,
};

_Static_assert((unsigned)KNOWN_ALL <= UINT8_MAX + 1u, "what is known of a target is an octet");

// A target that takes a part of its clients.
struct part {
	uint32_t target;
	uint32_t shares[MERGE_SHARES]; // of SHARE_ALL
	uint32_t steered;              // the same, of its app's clients; only that of the app's first target counts
};

struct merge {
	const struct view *view;
	uint8_t *known;               // by target number
	struct target_states *states;
	struct part *parts;           // by target; of those with shares
	uint32_t part_count, part_cap;
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
		                                     known & (KNOWN_SITE_DRAINED | KNOWN_TARGET_DRAINED | KNOWN_SELECTED),
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
	merge->known = recycle_take((size_t)view->target_count + 1);
	merge->states = recycle_take(sizeof(*merge->states) + view->target_count);
	if (!merge->known || !merge->states)
		return merge_free(merge);
	memset(merge->known, 0, (size_t)view->target_count + 1);
	memset(merge->states, 0, sizeof(*merge->states) + view->target_count);
	merge->states->count = view->target_count;
	return merge;
}

struct merge *merge_copy(const struct merge *merge)
{
	struct merge *copy = malloc(sizeof(*copy));
	uint32_t count = merge->states->count;

	if (!copy)
		return NULL;
	*copy = *merge;
	copy->known = recycle_take((size_t)count + 1);
	copy->states = recycle_take(sizeof(*copy->states) + count);
	copy->parts = malloc((size_t)(merge->part_count + 1) * sizeof(*copy->parts));
	copy->part_cap = merge->part_count;
	if (!copy->known || !copy->states || !copy->parts)
		return merge_free(copy);
	copy->states->count = count;
	memcpy(copy->known, merge->known, count);
	memcpy(copy->states->octets, merge->states->octets, count);
	if (merge->part_count > 0)
		memcpy(copy->parts, merge->parts, merge->part_count * sizeof(*copy->parts));
	return copy;
}

struct merge *merge_free(struct merge *merge)
{
	if (!merge)
		return NULL;
	recycle_put(merge->known);
	recycle_put(merge->states);
	free(merge->parts);
	free(merge);
	return NULL;
}

const struct view *merge_view(const struct merge *merge)
{
	return merge->view;
}

static inline void set(struct merge *merge, uint32_t target, uint8_t bits, uint8_t values)
{
	uint8_t known;

	must(target < merge->states->count);
	known = (uint8_t)((merge->known[target] & ~bits) | (values & bits));
	must((known & (KNOWN_FORCED_UP | KNOWN_FORCED_DOWN)) != (KNOWN_FORCED_UP | KNOWN_FORCED_DOWN));
	merge->known[target] = known;
	merge->states->octets[target] = merge->state_of[known] | (merge->states->octets[target] & SHARE_BITS);
}

void merge_set_health(struct merge *merge, uint32_t target, bool up)
{
	set(merge, target, KNOWN_DOWN, up ? 0 : KNOWN_DOWN);
}

void merge_set_empty(struct merge *merge, uint32_t target, bool empty)
{
	set(merge, target, KNOWN_EMPTY, empty ? KNOWN_EMPTY : 0);
}

void merge_set_selected(struct merge *merge, uint32_t target, bool drained)
{
	set(merge, target, KNOWN_SELECTED, drained ? KNOWN_SELECTED : 0);
}

void merge_set_drained(struct merge *merge, uint32_t target, bool drained)
{
	set(merge, target, KNOWN_SITE_DRAINED | KNOWN_TARGET_DRAINED | KNOWN_SELECTED, drained ? KNOWN_SELECTED : 0);
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

static const uint8_t share_bits[MERGE_SHARES] = {TARGET_LEAVING, TARGET_EASED, TARGET_EASED};

// The place of the first part whose target is not below this number.
static uint32_t find_part(const struct merge *merge, uint32_t target)
{
	uint32_t low = 0, high = merge->part_count;

	if (high && merge->parts[high - 1].target < target) // as when they are set one after the other
		return high;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (merge->parts[middle].target < target)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

// Makes room for one more, here and in what is published. E_NOMEM.
static int reserve_part(struct merge *merge)
{
	uint32_t cap = merge->part_cap ? 2 * merge->part_cap : 64;
	struct part *parts;

	if (merge->part_count < merge->part_cap)
		return E_OK;
	parts = live_reserve_shares(merge->states->count) < 0 ? NULL : reallocarray(merge->parts, cap, sizeof(*parts));
	if (!parts)
		return E_NOMEM;
	merge->parts = parts;
	merge->part_cap = cap;
	return E_OK;
}

static void insert_part(struct merge *merge, uint32_t at, uint32_t target)
{
	struct part *part = &merge->parts[at];

	memmove(part + 1, part, (merge->part_count - at) * sizeof(*part));
	merge->part_count++;
	*part = (struct part){target, {SHARE_ALL, SHARE_ALL, SHARE_ALL}, SHARE_ALL};
}

static void remove_part(struct merge *merge, uint32_t at)
{
	merge->part_count--;
	memmove(&merge->parts[at], &merge->parts[at + 1], (merge->part_count - at) * sizeof(*merge->parts));
}

// The part of a target, where `is_needed` made if there is none. NULL: there is none; where it is needed, out of memory.
static struct part *part_of(struct merge *merge, uint32_t target, bool is_needed)
{
	uint32_t at = find_part(merge, target);

	must(target < merge->states->count);
	if (at < merge->part_count && merge->parts[at].target == target)
		return &merge->parts[at];
	if (!is_needed || reserve_part(merge) < 0)
		return NULL;
	insert_part(merge, at, target);
	return &merge->parts[at];
}

int merge_set_share(struct merge *merge, uint32_t target, enum merge_share which, uint32_t share)
{
	struct part *part = part_of(merge, target, share < SHARE_ALL);
	uint8_t bits = 0;

	must(which < MERGE_SHARES && share <= SHARE_ALL);
	if (!part)
		return share < SHARE_ALL ? E_NOMEM : E_OK;
	part->shares[which] = share;
	for (unsigned i = 0; i < MERGE_SHARES; i++)
		bits |= part->shares[i] < SHARE_ALL ? share_bits[i] : 0;
	if (!bits && part->steered == SHARE_ALL)
		remove_part(merge, (uint32_t)(part - merge->parts));
	merge->states->octets[target] = (uint8_t)((merge->states->octets[target] & ~TARGET_PARTS) | bits);
	return E_OK;
}

void merge_end_parts(struct merge *merge, const uint32_t *targets, uint32_t count)
{
	for (uint32_t i = 0; i < count && merge->part_count > 0; i++)
		must(merge_set_share(merge, targets[i], MERGE_STAYING, SHARE_ALL) == E_OK); // which needs no memory
}

void merge_drain_all(struct merge *merge, const uint32_t *targets, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		merge_set_drained(merge, targets[i], true);
	merge_end_parts(merge, targets, count);
}

int merge_set_steered(struct merge *merge, const struct app *app, uint32_t share)
{
	uint32_t first = app->first_target;
	struct part *part = app->target_count ? part_of(merge, first, share < SHARE_ALL) : NULL;

	must(share <= SHARE_ALL);
	if (!part)
		return share < SHARE_ALL && app->target_count ? E_NOMEM : E_OK;
	part->steered = share;
	if (share == SHARE_ALL && !(merge->states->octets[first] & TARGET_PARTS))
		remove_part(merge, (uint32_t)(part - merge->parts));
	for (uint32_t i = first; i < first + app->target_count; i++)
		merge->states->octets[i] = (uint8_t)((merge->states->octets[i] & ~TARGET_ADOPTED) |
		                                     (share < SHARE_ALL ? TARGET_ADOPTED : 0));
	return E_OK;
}

uint32_t merge_steered(const struct merge *merge, const struct app *app)
{
	uint32_t at = app->target_count ? find_part(merge, app->first_target) : merge->part_count;

	return at < merge->part_count && merge->parts[at].target == app->first_target ? merge->parts[at].steered : SHARE_ALL;
}

uint32_t merge_share(const struct merge *merge, uint32_t target, enum merge_share which)
{
	uint32_t at = find_part(merge, target);

	return at < merge->part_count && merge->parts[at].target == target ? merge->parts[at].shares[which] : SHARE_ALL;
}

static uint16_t least(uint32_t a, uint32_t b)
{
	uint32_t less = a < b ? a : b;

	return less < SHARE_ALL ? (uint16_t)less : UINT16_MAX; // not looked at without the bit
}

int merge_shares(const struct merge *merge, struct target_shares **ret_shares)
{
	struct target_shares *shares = merge->part_count ? live_shares_new(merge->states->count) : NULL;

	*ret_shares = shares;
	if (merge->part_count && !shares)
		return E_NOMEM;
	for (uint32_t i = 0; i < merge->part_count; i++) {
		const struct part *part = &merge->parts[i];

		shares->of[part->target] = (struct target_share){
			least(part->shares[MERGE_STAYING], SHARE_ALL),
			least(part->shares[MERGE_EASED], part->shares[MERGE_SPILLING]),
			least(part->steered, SHARE_ALL)};
	}
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
