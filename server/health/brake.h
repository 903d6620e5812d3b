// The correlated-failure brake: when everything in a group fails within an interval, by the word of one vantage only, that is
// more likely the fault of the vantage, or of the network before it, than of all these targets. They are held in their last
// good state until a second vantage says the same, an operator releases them, or the hold has lasted long enough. The groups
// are the regions, and what each vantage sees. Knows no clock, and targets and groups only by number: see judge_life.c, which says
// who is in which group.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct brake;

enum {
	BRAKE_TARGETS = 3, // the fewest that must have fallen for a group to be held,
	BRAKE_SITES = 2,   // and at how many sites
};

enum brake_phase {
	BRAKE_ARMED,    // nothing is the matter
	BRAKE_HOLDS,    // its targets are held
	BRAKE_RELEASED, // they no longer are, until the first of the group is up again
};

// Why a group is no longer held.
enum brake_end {
	BRAKE_BY_ITSELF, // each of its targets is up again, or a second vantage says that it is down
	BRAKE_BY_OPERATOR,
	BRAKE_BY_TIME,
};

struct brake_group {
	enum brake_phase phase;
	enum brake_end end;  // of BRAKE_RELEASED
	uint32_t up;         // members whose raw state is up
	uint32_t held;       // targets that it holds
	int64_t since_ms;    // of the phase, monotonic
	bool falls;          // a member has fallen since the last look
};

struct brake_ops {
	// Whether the target is in the group.
	bool (*member)(void *ctx, uint32_t group, uint32_t target);
	// A number for the site that it is at.
	uint32_t (*site)(void *ctx, uint32_t target);
	// It is held from now on, or no longer (`held`): its state follows anew.
	void (*changed)(void *ctx, uint32_t target, bool held);
	// The group is held from now on, `held` targets of it, or has been released.
	void (*told)(void *ctx, uint32_t group, const struct brake_group *state);
	void *ctx;
};

// Of that many targets, all up, in groups of nobody. NULL when out of memory.
struct brake *brake_new(uint32_t targets, uint32_t groups) MUST_USE;
// Takes NULL; returns NULL.
struct brake *brake_free(struct brake *brake);

// Before anything else. `ops` is copied. What `previous` holds (NULL: there is none) goes on: old_of_new[] has the targets'
// numbers there, UINT32_MAX: it is new, and new_of_group[] the groups' here, UINT32_MAX: there is no such group any more.
void brake_begin(struct brake *brake, const struct brake_ops *ops, const struct brake *previous, const uint32_t *old_of_new,
                 const uint32_t *new_of_group);
// A member of a group has come up (1) or is not up any more (-1), or has joined or left it while up.
void brake_count(struct brake *brake, uint32_t group, int by);
// The group is looked at by the next brake_look(), though none of its members was up: one that is new has fallen.
void brake_suspect(struct brake *brake, uint32_t group);
// A target has fallen; `alone`: by the word of one vantage. Its groups are looked at by the next brake_look().
void brake_fell(struct brake *brake, uint32_t target, bool alone, int64_t now_ms);
// It is up again, or down by another word: nothing is held.
void brake_rose(struct brake *brake, uint32_t target);
// Looks at the groups in which somebody fell: holds those of which every member has fallen within `within_ms`. Releases those
// held for `longest_ms` (0: none is ever held), and arms those with a member that is up.
void brake_look(struct brake *brake, int64_t now_ms, unsigned within_ms, unsigned longest_ms);
// By an operator: one group. False: it is not held.
bool brake_release(struct brake *brake, uint32_t group, int64_t now_ms);
bool brake_held(const struct brake *brake, uint32_t target);
const struct brake_group *brake_group_at(const struct brake *brake, uint32_t group);
