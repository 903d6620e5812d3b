// A view: one immutable generation of everything a query may read. Built whole on the slow side, frozen, published
// inside a struct live; freed when no reader can still hold it.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "steer/place.h"
#include "steer/site.h"
#include "steer/steer.h"
#include "view/app.h"
#include "zone/zone.h"

// What the reply says of the server itself; set once per view.
struct view_limits {
	uint16_t udp_size;        // largest UDP reply, and what our OPT advertises
	const uint8_t *nsid;      // NULL: none
	uint16_t nsid_len;
};

struct handouts;
struct view_index;

struct view {
	struct arena *arena;      // sites, apps, targets, their rrsets and strings
	uint64_t generation;      // counts from 1
	int64_t built_s;          // wall clock
	struct view_limits limits;
	struct zonedb *zones;
	struct places *places;
	const struct site *sites;
	const struct app *apps;
	const struct target *targets;
	struct steer **steers;
	struct measured_table measured;
	struct cost_model model;
	uint32_t site_count, app_count, target_count, steer_count;
	const struct view_index *index;  // see index.h; in the arena
	const struct handouts *handouts; // that the targets' counters are of; outlives the view
	uint32_t *handout_slots;         // by target, for the next view's binding
};

struct view *view_free(struct view *view);

// The steering of one app for one place, for explain and for tests: what ranking_candidates() needs.
struct steer_input view_steer_input(const struct view *view);
