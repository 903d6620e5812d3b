// A view: one immutable generation of everything a query may read. Built on the slow side, published inside a struct
// live, freed after a grace period.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "steer/place.h"
#include "steer/site.h"
#include "steer/steering.h"
#include "view/app.h"
#include "zone/zone.h"

// The server's own properties in replies; set once per view.
struct view_limits {
	uint16_t udp_size;        // the largest UDP reply, octets; also advertised in OPT
	const uint8_t *nsid;      // NULL: none
	uint16_t nsid_len;
};

struct handouts;
struct tables;
struct view_index;

struct view {
	struct arena *arena;      // apps, targets, their rrsets and strings
	struct tables *tables;    // used, and the ground by them
	uint64_t generation;      // counts from 1
	int64_t built_s;          // when, wall clock
	struct view_limits limits;
	const struct zonedb *zones;       // its own or the ground's
	const struct site *sites;         // of the tables
	const struct app *apps;
	const struct target *targets;
	const struct steering *steering;  // of all sets of sites: its own extension, or that of the tables
	struct places *places;            // of the ground, as the next two
	struct measured_table measured;
	struct cost_model model;
	struct prior *prior;              // of the tables: where carriers' clients are
	uint32_t site_count, app_count, target_count;
	const struct view_index *index;  // see index.h; in the arena
	const struct handouts *handouts; // the owner of the targets' counters; outlives the view
	uint32_t *handout_slots;         // by target, for the next call of handouts_bind()
	struct zonedb *own_zones;        // owned; NULL: `zones` are the ground's
	struct steering *extension;      // owned; NULL: `steering` is that of the tables
};

// Takes NULL; returns NULL. Views that were published are freed by live.c.
struct view *view_free(struct view *view);

// The input of ranking_candidates(), for `explain` and for tests.
struct steer_input view_steer_input(const struct view *view);
