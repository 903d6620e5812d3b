// The tables of all sets of sites of a view. Sets are collected first, each counted by the apps that have it; then all
// are built at once, on all processors: the sets of most apps get a table of their own, the others share.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "steer/steer.h"

struct steering_plan;

// NULL when out of memory.
struct steering_plan *steering_plan_new(void) MUST_USE;
// Takes NULL; returns NULL.
struct steering_plan *steering_plan_free(struct steering_plan *plan);
// Adds the set of one more app, and returns its number, the same for equal sets. `spec` is copied. E_NOMEM.
int steering_plan_add(struct steering_plan *plan, const struct ranking_spec *spec, uint32_t *ret_set) MUST_USE;

// Immutable once built. Owns what it points to.
struct steering {
	struct steer *sets;         // by number
	uint32_t count;
	uint32_t form_counts[STEER_FORMS];
	uint64_t form_bytes[STEER_FORMS]; // memory used, octets, with what is shared
	struct lpm_pair places;     // address -> place, if a set is STEER_MAPPED
	struct ranks_table ranks[METRO_RULES]; // by rule, if a set with it is STEER_SHARED
};

// Builds the tables of all sets of the plan. The `own_max` sets of most apps (of those with equally many, the first)
// get tables of their own. `in`, with `site_count` sites, is borrowed during the call; the caller frees *ret_steering
// with steering_free(). E_NOMEM; E_LIMIT as in ranks.h and steer.h, or when the arrays by place would take
// more than STEERING_MAPS_BYTES_MAX.
int steering_build(struct steering_plan *plan, const struct steer_input *in, size_t site_count, uint32_t own_max,
                   struct steering **ret_steering) MUST_USE;
#define STEERING_MAPS_BYTES_MAX (UINT64_C(4) << 30)
// Takes NULL; returns NULL.
struct steering *steering_free(struct steering *steering);
