// Groups and what they hold; see brake.h. A group is walked only when its last member that was up has fallen.
#include "health/brake.h"

#include <stdlib.h>

#include "base/must.h"

enum { NEVER = 0 };

struct brake {
	struct brake_ops ops;
	struct brake_group *groups;
	uint32_t group_count, target_count;
	uint32_t *fell;  // by target: the low bits of when it fell alone, in ms, never 0; NEVER: it has not, or has risen since
	uint32_t *holder; // by target: the group that holds it + 1; 0: none
};

struct brake *brake_new(uint32_t targets, uint32_t groups)
{
	struct brake *brake = calloc(1, sizeof(*brake));

	if (!brake)
		return NULL;
	brake->group_count = groups;
	brake->target_count = targets;
	brake->groups = calloc((size_t)groups + 1, sizeof(*brake->groups));
	brake->fell = calloc((size_t)targets + 1, sizeof(*brake->fell));
	brake->holder = calloc((size_t)targets + 1, sizeof(*brake->holder));
	return brake->groups && brake->fell && brake->holder ? brake : brake_free(brake);
}

void brake_begin(struct brake *brake, const struct brake_ops *ops, const struct brake *previous, const uint32_t *old_of_new,
                 const uint32_t *new_of_group)
{
	brake->ops = *ops;
	for (uint32_t i = 0; previous && i < previous->group_count; i++) {
		uint32_t to = new_of_group[i];

		if (to == UINT32_MAX)
			continue;
		brake->groups[to] = previous->groups[i];
		brake->groups[to].up = brake->groups[to].held = 0; // to be counted
	}
	for (uint32_t i = 0; previous && i < brake->target_count; i++) {
		uint32_t old = old_of_new[i], holder = old < previous->target_count ? previous->holder[old] : 0;

		brake->fell[i] = old < previous->target_count ? previous->fell[old] : NEVER;
		if (!holder || new_of_group[holder - 1] == UINT32_MAX)
			continue;
		brake->holder[i] = new_of_group[holder - 1] + 1;
		brake->groups[brake->holder[i] - 1].held++;
	}
}

struct brake *brake_free(struct brake *brake)
{
	if (!brake)
		return NULL;
	free(brake->groups);
	free(brake->fell);
	free(brake->holder);
	free(brake);
	return NULL;
}

void brake_count(struct brake *brake, uint32_t group, int by)
{
	must(group < brake->group_count);
	struct brake_group *at = &brake->groups[group];

	must(by >= 0 || at->up >= (uint32_t)-by);
	at->up += (uint32_t)by;
	at->falls = at->falls || by < 0;
}

void brake_suspect(struct brake *brake, uint32_t group)
{
	must(group < brake->group_count);
	brake->groups[group].falls = true;
}

void brake_fell(struct brake *brake, uint32_t target, bool alone, int64_t now_ms)
{
	must(target < brake->target_count);
	brake->fell[target] = !alone ? NEVER : (uint32_t)now_ms == NEVER ? 1 : (uint32_t)now_ms;
}

static void let_go(struct brake *brake, uint32_t target)
{
	uint32_t holder = brake->holder[target];

	brake->holder[target] = 0;
	brake->groups[holder - 1].held--;
	brake->ops.changed(brake->ops.ctx, target, false);
}

void brake_rose(struct brake *brake, uint32_t target)
{
	must(target < brake->target_count);
	brake->fell[target] = NEVER;
	if (brake->holder[target])
		let_go(brake, target);
}

static bool fell_within(const struct brake *brake, uint32_t target, int64_t now_ms, unsigned within_ms)
{
	return brake->fell[target] != NEVER && (uint32_t)now_ms - brake->fell[target] <= within_ms;
}

// Whether enough members fell within the time, at enough sites.
static bool is_correlated(const struct brake *brake, uint32_t group, int64_t now_ms, unsigned within_ms)
{
	const struct brake_ops *ops = &brake->ops;
	uint32_t fell = 0, site = 0;
	bool several = false;

	for (uint32_t i = 0; i < brake->target_count && !(fell >= BRAKE_TARGETS && several); i++) {
		if (!fell_within(brake, i, now_ms, within_ms) || !ops->member(ops->ctx, group, i))
			continue;
		several = several || (fell > 0 && ops->site(ops->ctx, i) != site);
		site = ops->site(ops->ctx, i);
		fell++;
	}
	return fell >= BRAKE_TARGETS && several;
}

_Static_assert(BRAKE_SITES == 2, "as is_correlated() counts them");

// Holds the members that have fallen within the time and are not held yet.
static void hold_members(struct brake *brake, uint32_t group, int64_t now_ms, unsigned within_ms)
{
	struct brake_group *at = &brake->groups[group];

	for (uint32_t i = 0; i < brake->target_count; i++) {
		if (brake->holder[i] || !fell_within(brake, i, now_ms, within_ms) ||
		    !brake->ops.member(brake->ops.ctx, group, i))
			continue;
		brake->holder[i] = group + 1;
		at->held++;
		brake->ops.changed(brake->ops.ctx, i, true);
	}
}

// Unless another group holds all of them already.
static void hold(struct brake *brake, uint32_t group, int64_t now_ms, unsigned within_ms)
{
	struct brake_group *at = &brake->groups[group];

	hold_members(brake, group, now_ms, within_ms);
	if (at->held == 0)
		return;
	at->phase = BRAKE_HOLDS;
	at->since_ms = now_ms;
	brake->ops.told(brake->ops.ctx, group, at);
}

static void release(struct brake *brake, uint32_t group, enum brake_end end, int64_t now_ms)
{
	struct brake_group *at = &brake->groups[group];

	for (uint32_t i = 0; i < brake->target_count && at->held > 0; i++) {
		if (brake->holder[i] == group + 1) {
			brake->fell[i] = NEVER; // no other group holds it for the same fall
			let_go(brake, i);
		}
	}
	at->phase = BRAKE_RELEASED;
	at->end = end;
	at->since_ms = now_ms;
	brake->ops.told(brake->ops.ctx, group, at);
}

void brake_look(struct brake *brake, int64_t now_ms, unsigned within_ms, unsigned longest_ms)
{
	for (uint32_t group = 0; group < brake->group_count; group++) {
		struct brake_group *at = &brake->groups[group];
		bool falls = at->falls;

		at->falls = false;
		if (at->phase == BRAKE_HOLDS) {
			if (falls && at->up == 0) // more of the same
				hold_members(brake, group, now_ms, within_ms);
			if (at->held == 0 || now_ms - at->since_ms >= longest_ms)
				release(brake, group, at->held == 0 ? BRAKE_BY_ITSELF : BRAKE_BY_TIME, now_ms);
		} else if (at->up > 0) {
			at->phase = BRAKE_ARMED;
		} else if (at->phase == BRAKE_ARMED && falls && longest_ms > 0 &&
		           is_correlated(brake, group, now_ms, within_ms)) {
			hold(brake, group, now_ms, within_ms);
		}
	}
}

bool brake_release(struct brake *brake, uint32_t group, int64_t now_ms)
{
	must(group < brake->group_count);
	if (brake->groups[group].phase != BRAKE_HOLDS)
		return false;
	release(brake, group, BRAKE_BY_OPERATOR, now_ms);
	return true;
}

bool brake_held(const struct brake *brake, uint32_t target)
{
	must(target < brake->target_count);
	return brake->holder[target] != 0;
}

const struct brake_group *brake_group_at(const struct brake *brake, uint32_t group)
{
	must(group < brake->group_count);
	return &brake->groups[group];
}
