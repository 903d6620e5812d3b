// The layer between the ground and a view: what takes long to compute, for one list of sites. See ground.h.
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "base/users.h"
#include "steer/cost.h"
#include "steer/site.h"

struct arena;
struct ground;
struct prior;
struct steering;

struct tables {
	struct users users;
	struct ground *ground;      // used
	struct arena *arena;        // of the sites
	const struct site *sites;
	uint32_t site_count;
	struct prior *prior;
	struct steering *steering;
};

// Empty tables over a ground, used by the caller alone, who fills them in. NULL when out of memory.
struct tables *tables_new(struct ground *ground) MUST_USE;
// As for the ground.
struct tables *tables_use(struct tables *tables);
struct tables *tables_free(struct tables *tables);

// The input of ranking_candidates() and of the tables themselves, which are borrowed with it.
struct steer_input tables_steer_input(const struct tables *tables);
