// From config to view: apps and targets with their answers in wire form, over ground and tables. zones.c makes the
// zones, survey.c the rest; this puts everything together.
#pragma once

#include <stdint.h>

#include "base/attr.h"

struct config;
struct ground;
struct report;
struct tables;
struct view;
struct zonedb;

struct compile_input {
	struct ground *ground;
	struct tables *tables;    // those in use, for the same ground; NULL: none
	struct zonedb *zones;     // over those of the ground, see zone/overlay.h; NULL: those of the ground
	uint64_t generation;
};

// Takes ownership of `zones` in every case, and uses ground and tables; the caller frees *ret_view with view_free().
// Targets are numbered in the order of the config, app by app. E_INVAL and E_LIMIT (reported), E_NOMEM.
int compile_view(const struct config *config, const struct compile_input *in, struct report *report,
                 struct view **ret_view) MUST_USE;
// Warns of apps without a target at a public site.
void compile_warn(const struct config *config, const struct view *view, struct report *report);
