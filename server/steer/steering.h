// The tables of all sets of sites of a view. Sets are collected first, each counted by the apps that have it; then all
// are built at once, on all processors: the sets of most apps get a table of their own, the others share.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/intern.h"
#include "steer/steer.h"

struct steering_plan;

// NULL when out of memory.
struct steering_plan *steering_plan_new(void) MUST_USE;
// Takes NULL; returns NULL.
struct steering_plan *steering_plan_free(struct steering_plan *plan);
// Adds the set of one more app, and returns its number, the same for equal sets. `spec` is copied. E_NOMEM.
int steering_plan_add(struct steering_plan *plan, const struct ranking_spec *spec, uint32_t *ret_set) MUST_USE;

// What else a steering is to be able to take in later, by steering_extend(), besides the sets of its plan.
struct steering_wants {
	uint32_t own_max;           // the sets of most apps (of those with equally many, the first) that get a table of
	                            // their own
	bool shared[METRO_RULES];   // by rule, never `sole`: the shared table ranks all sites, and is made even if no set
	                            // needs it now
	bool mapped;                // the table of places is made even if no set needs it now
};

// Immutable once built. Owns what it points to, except for sets in `of` that belong to the steering it extends.
struct steering {
	const struct steer **of;    // by number of the set
	uint32_t count;
	struct steer *sets;         // its own
	uint32_t set_count;
	struct intern index;        // of its own sets
	uint32_t form_counts[STEER_FORMS]; // of `of`
	uint64_t form_bytes[STEER_FORMS]; // memory used, octets, with what is shared
	struct lpm_pair places;     // address -> place, if wanted or a set is STEER_MAPPED
	struct ranks_table ranks[METRO_RULES]; // by rule, if wanted or a set with it is STEER_SHARED
	struct steering_wants wants;
};

// Builds the tables of all sets of the plan. `in`, with `site_count` sites, is borrowed during the call; the caller frees
// *ret_steering with steering_free(). E_NOMEM; E_LIMIT as in ranks.h and steer.h, or when the arrays by place would take
// more than STEERING_MAPS_BYTES_MAX.
int steering_build(struct steering_plan *plan, const struct steer_input *in, size_t site_count,
                   const struct steering_wants *wants, struct steering **ret_steering) MUST_USE;
#define STEERING_MAPS_BYTES_MAX (UINT64_C(4) << 30)
// The sets of the plan by the tables of `base`, which was built for the same sites and places and must outlive the
// result: sets that it has are taken from there, others share its tables, which takes no time but for sets with weights.
// E_NOTFOUND: it has not the table for one of them (see steering_wants); E_LIMIT, E_NOMEM.
int steering_extend(struct steering_plan *plan, const struct steer_input *in, const struct steering *base,
                    struct steering **ret_steering) MUST_USE;
// Takes NULL; returns NULL.
struct steering *steering_free(struct steering *steering);
