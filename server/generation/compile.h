// From config to view: sites, apps, targets with their answers in wire form, rankings. The zones are made by zones.c
// and the places by discovery/; this puts everything together.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct config;
struct measured_row;
struct metro_row;
struct places;
struct report;
struct view;
struct zonedb;

struct compile_input {
	struct zonedb *zones;
	struct places *places;
	const struct measured_row *measured;
	size_t measured_count;
	const struct metro_row *metros; // at most PRIOR_METROS_MAX
	size_t metro_count;
	uint64_t generation;
};

// Takes ownership of zones and places in every case; the caller frees *ret_view with view_free(). Targets are numbered
// in the order of the config, app by app. Warns of apps without public site, of CA files that cannot be read, and of
// names that only the config or only the sources use. E_INVAL and E_LIMIT (reported), E_NOMEM.
int compile_view(const struct config *config, const struct compile_input *in, struct report *report,
                 struct view **ret_view) MUST_USE;
