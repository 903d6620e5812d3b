// Rankings: the candidates of one place for one set of targets, in order; made when the view is built. Reach is an
// invariant (DESIGN section 2.2): a ranking holds only sites its clients can reach, so nothing later (health, drains,
// fail-open) can answer one they cannot.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "steer/cost.h"

struct place;

// One candidate as explain shows it and as rankings are made from it.
struct candidate {
	uint16_t slot;
	bool reachable;
	struct cost cost;
};

// What a ranking depends on besides the place. Two apps with equal ones share the steer.
struct ranking_spec {
	const uint16_t *sites;     // per slot, in the order written
	const uint32_t *weights;   // per slot; NULL: the config gives no weights, so the best one takes all. 0: a standby,
	                           // behind all in reach that have a weight
	uint16_t count;
	uint32_t tie_us;           // candidates within this of the best share by weight; read only with weights
	uint8_t hash_v4, hash_v6;  // the hash's key: the client's prefix cut to this, or to the leaf where that is longer
};

// Candidates in order. With weights the ranking falls into groups: the best one and all within `tie` of it share, then the
// next best and all within `tie` of that one, and so on. The groups do not move with health, so that when a target
// leaves only its own clients move. Without weights each step is a group.
struct ranking_step {
	uint8_t slot;
	uint8_t group_end;         // index of the last step of this one's group
};

// The first steps lie beside the count, as they are what most queries read.
struct ranking {
	uint16_t count;            // 0: this client can reach nothing
	bool hashed;               // some group has more than one step, so in some state of health a hash decides
	bool ecs_ignored;          // an ECS address here is taken as the resolver's own; `steps` are for who asks from here
	struct ranking_step steps[];
};

enum { RANKING_UNIT = 16 };

// All of the spec's slots for one place, in order: reachable ones first, by cost, unknown cost last (public before
// carrier sites), ties in the order written; standbys after those with a weight, likewise; unreachable ones last, in the
// order written. Writes spec->count candidates, returns how many are reachable.
unsigned ranking_candidates(const struct steer_input *in, const struct ranking_spec *spec, const struct place *place,
                            struct candidate *ret_candidates);

bool ranking_spec_equal(const struct ranking_spec *a, const struct ranking_spec *b) PURE;

// Distinct rankings side by side in one piece of memory, each at a multiple of RANKING_UNIT octets, while they are made.
struct ranking_maker;

// `in` and `spec` are borrowed. NULL without memory.
struct ranking_maker *ranking_maker_new(const struct steer_input *in, const struct ranking_spec *spec) MUST_USE;
// Takes NULL; returns NULL.
struct ranking_maker *ranking_maker_free(struct ranking_maker *maker);
// The unit at which the place's ranking stands; places that rank alike share one. E_NOMEM, E_LIMIT.
int ranking_of_place(struct ranking_maker *maker, const struct place *place, uint32_t *ret_unit) MUST_USE;

struct ranking_set {
	uint8_t *bytes;  // the rankings; free() gives them back
	size_t len;      // octets
	uint32_t count;
};

// Hands over what was made.
struct ranking_set ranking_maker_finish(struct ranking_maker *maker);
