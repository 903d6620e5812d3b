// Makes what successive views share (view/ground.h, view/tables.h): the ground from what a config names, the tables for
// the sites and the sets of sites of its apps.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct config;
struct ground;
struct measured_row;
struct metro_row;
struct places;
struct report;
struct steering_plan;
struct tables;
struct zonedb;

struct survey_input {
	struct zonedb *zones;
	struct places *places;
	const struct measured_row *measured;
	size_t measured_count;
	const struct metro_row *metros; // at most PRIOR_METROS_MAX
	size_t metro_count;
};

// Takes ownership of zones and places in every case; the caller leaves *ret_ground with ground_free(). E_LIMIT, E_NOMEM.
int survey_ground(const struct config *config, const struct survey_input *in, struct ground **ret_ground) MUST_USE;

// The sets of sites of a config's apps.
struct survey_sets {
	struct steering_plan *plan;
	uint32_t *of_apps;          // by app: the number of its set in the plan
};

// The caller frees the contents with survey_sets_wipe(). E_NOMEM.
int survey_sets(const struct config *config, struct survey_sets *ret_sets) MUST_USE;
void survey_sets_wipe(struct survey_sets *sets);

// The tables for the config's sites, with the sets built into their steering. `ground` is used by them; the caller leaves
// *ret_tables with tables_free(). E_INVAL (reported) when they would be too large; E_NOMEM.
int survey_tables(const struct config *config, struct ground *ground, const struct survey_sets *sets,
                  struct report *report, struct tables **ret_tables) MUST_USE;
// Whether the tables are for the config's sites, so that steering_extend() may be tried.
bool survey_tables_fit(const struct config *config, const struct tables *tables);
