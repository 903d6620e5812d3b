// Rankings: the candidates of one place for one set of targets, in order; made when the view is built. Reach is an
// invariant (DESIGN section 2.2): a ranking contains only sites that its clients can reach, so nothing later (health,
// drains, fail-open) can answer with one that they cannot.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "steer/cost.h"
#include "steer/metro.h"

struct place;

// One candidate, as rankings are made from it and `explain` shows it.
struct candidate {
	uint16_t slot;
	struct cost cost;
	int64_t order; // see metro_order()
};

// What a ranking depends on besides the place. Apps with equal specs share one struct steer.
struct ranking_spec {
	const uint16_t *sites;     // index in the view's sites, per slot, in the order of the config
	const uint32_t *weights;   // per slot; NULL: the config gives none, so the best candidate takes all. 0: a standby,
	                           // after all in reach that have a weight
	uint16_t count;
	uint32_t tie_us;           // candidates within this of the best share by weight; used only with weights
	uint8_t hash_v4, hash_v6;  // bits of the client's prefix in the hash's key; the leaf's depth where that is longer
	enum metro_rule metro;     // for clients of a carrier whose coordinates are not known
};

// A candidate. With weights a ranking is divided into groups: the best one and all within `tie` of it share, then the
// next best and all within `tie` of that one, and so on. The groups do not depend on health, so that when a target goes
// down only its own clients move. Without weights each step is a group.
struct ranking_step {
	uint8_t slot;
	uint8_t group_end;         // index of the last step in its group
};

// The order of a set's sites for some clients: a struct ranking or, where the set shares a table, a struct ranks. Both
// begin with this.
struct order {
	uint32_t carriers;         // place_carrier_bit() of all whose clients have this order; no part of what tells two apart
	bool hashed;               // some group has more than one step, so that a hash may decide, depending on health
	bool ecs_ignored;          // an ECS address here is ignored; the order is for clients that query from here
	uint16_t count;            // of a ranking's steps; 0: this client can reach nothing
};

enum { ORDER_CARRIERS_LEN = offsetof(struct order, hashed) }; // octets at its start that interning passes over

// The first steps are next to the count, as most queries read no others.
struct ranking {
	struct order order;
	struct ranking_step steps[];
};

enum { RANKING_UNIT = 16 }; // octets

// Sorts all of the spec's slots for one place: reachable ones first, by cost, those of unknown cost last (as in
// metro.h), ties in the order of the config; then standbys, in the same way; unreachable ones last, in the
// order of the config. Writes spec->count candidates, of which the first N, returned, are reachable.
unsigned ranking_candidates(const struct steer_input *in, const struct ranking_spec *spec, const struct place *place,
                            struct candidate *ret_candidates);

bool ranking_spec_equal(const struct ranking_spec *a, const struct ranking_spec *b) PURE;
// Copies a spec with its arrays, which ranking_spec_wipe() frees. E_NOMEM; *ret_copy is then empty.
int ranking_spec_copy(const struct ranking_spec *spec, struct ranking_spec *ret_copy) MUST_USE;
// Frees the arrays of a copy and leaves it empty; an empty one is fine.
void ranking_spec_wipe(struct ranking_spec *copy);

// Makes rankings and interns them in one contiguous block of memory, each at a multiple of RANKING_UNIT octets.
struct ranking_maker;

// `in` and `spec` are borrowed until ranking_maker_free(). NULL when out of memory.
struct ranking_maker *ranking_maker_new(const struct steer_input *in, const struct ranking_spec *spec) MUST_USE;
// Takes NULL; returns NULL.
struct ranking_maker *ranking_maker_free(struct ranking_maker *maker);
// The position of the place's ranking, in units of RANKING_UNIT octets; places with equal rankings share one. E_NOMEM;
// E_LIMIT when there are more than LPM_VALUE_MAX units.
int ranking_of_place(struct ranking_maker *maker, const struct place *place, uint32_t *ret_unit) MUST_USE;

struct ranking_set {
	uint8_t *bytes;  // the rankings; the caller frees them with free()
	size_t len;      // octets
	uint32_t count;
};

// Passes the rankings to the caller and leaves the maker empty.
struct ranking_set ranking_maker_finish(struct ranking_maker *maker);
