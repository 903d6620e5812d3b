// One generation: a config with its zones and sources, compiled into a view. Built completely or not at all. Called by
// the main thread at startup and, on a thread of its own, by a reload.
#pragma once

#include <stdint.h>

#include "base/attr.h"

struct config;
struct handover;
struct report;
struct view;

struct generation {
	struct config *config;     // owned
	struct view *view;         // owned
	struct handover *handover; // owned by the ops that prepare it, see reload.h; NULL: not prepared
	int64_t took_ms;           // to build
};

// Builds generation `number` from the config file at `path`. Errors in the config, the zones and the sources go into
// the report, as many as can be found in one pass. E_INVAL, E_IO, E_LIMIT, E_NOMEM: nothing is returned.
int generation_build(const char *path, uint64_t number, struct report *report,
                     struct generation *ret_generation) MUST_USE;
