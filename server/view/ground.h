// What successive views share, in two layers, each counted by those who use it and freed with the last of them:
//
//   ground  what was read from files: zones, places, measured round trips, metros. One per load
//   tables  what takes long to compute from it, for one list of sites (tables.h)
//
// Views of one load differ in their apps and targets only, which come and go while it is served, so that building the
// next view takes time for these alone (generation/generation.h).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/users.h"
#include "steer/cost.h"
#include "steer/prior.h"

struct arena;
struct places;
struct zonedb;

struct ground {
	struct users users;
	struct arena *arena;        // of the arrays below
	struct zonedb *zones;       // with the apps of the config alone
	struct places *places;
	struct measured_table measured;
	struct prior_metro *metros; // sorted, see prior_build()
	size_t metro_count;
	struct cost_model model;
	int64_t loaded_s;           // when, wall clock
};

// An empty ground, used by the caller alone, who fills it in. NULL when out of memory.
struct ground *ground_new(void) MUST_USE;
// One user more; returns the ground. Any thread.
struct ground *ground_use(struct ground *ground);
// One user less; the last one frees it. Takes NULL; returns NULL. Any thread.
struct ground *ground_free(struct ground *ground);
