// Config -> view: sites, apps, targets with their answers in wire form, orders. The zones and the places are made by
// zones.c and by discovery; this puts everything together.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct config;
struct measured_row;
struct places;
struct report;
struct view;
struct zonedb;

struct compile_input {
	struct zonedb *zones;
	struct places *places;
	const struct measured_row *measured;
	size_t measured_count;
	uint64_t generation;
};

// Takes ownership of zones and places in every case. View target numbers count the config's apps in order, each one's
// targets in order. Warns of apps no public site serves, and of names that only the config or only the sources use.
// E_INVAL (reported), E_NOMEM.
int compile_view(const struct config *config, const struct compile_input *in, struct report *report,
                 struct view **ret_view) MUST_USE;
