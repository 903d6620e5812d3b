// One generation: a config read, its zones and sources loaded, all of it compiled into a view. Built whole or not at
// all. Called by main at the start and, on a thread of its own, for a reload.
#pragma once

#include <stdint.h>

#include "base/attr.h"

struct config;
struct report;
struct view;

struct handover;

struct generation {
	struct config *config;     // owned
	struct view *view;         // owned
	struct handover *handover; // owned by whoever prepares it, see reload.h; NULL: nothing was prepared
	int64_t took_ms;
};

// Everything that is wrong with the config, the zones and the sources goes into the report, as much of it as can be seen
// in one go. E_INVAL (or E_IO, E_NOMEM): nothing is returned.
int generation_build(const char *path, uint64_t number, struct report *report,
                     struct generation *ret_generation) MUST_USE;
