// A view: one immutable generation of everything a query may read. Built whole on the slow side, frozen, published
// inside a struct live; freed when no reader can still hold it.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/publish.h"
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
	_Atomic uint64_t *handouts; // answers that held a target: [worker * handout_stride + target]; each row one writer
	uint32_t handout_stride, workers;
};

struct view *view_free(struct view *view);

// Answers since this view was built that held the target, of all workers.
uint64_t view_handouts(const struct view *view, uint32_t target);

// -1 when there is none of that name.
int view_find_site(const struct view *view, const char *name);
int view_find_app(const struct view *view, const char *name);
// The number of an app's target at a site, or -1.
int view_find_target(const struct view *view, const char *app, const char *site);

// The steering of one app for one place, for explain and for tests: what ranking_candidates() needs.
struct steer_input view_steer_input(const struct view *view);
