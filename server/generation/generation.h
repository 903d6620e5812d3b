// One generation: a config with its zones and sources, compiled into a view. Built completely or not at all. Called by
// the main thread at startup and, on a thread of its own, by a reload, and when targets come or go.
#pragma once

#include <stdint.h>

#include "base/attr.h"

struct config;
struct handover;
struct keys;
struct report;
struct tables;
struct view;
struct zonedb;

struct generation {
	struct config *config;     // used
	struct view *view;         // owned
	struct handover *handover; // owned by the ops that prepare it, see reload.h; NULL: not prepared
	struct keys *keys;         // of the HTTP door; as the handover, NULL after a join
	int64_t took_ms;           // to build
};

// Adds the targets that come by themselves to a config as it was read.
struct generation_joiner {
	// *ret_config has the apps of `read`, in the same order, with targets added, and after them the apps that only these
	// targets name, which overlay_refusal() accepts for `zones`; its sites start with those of `read`. The caller leaves it
	// with config_free(). E_NOMEM. Any thread.
	int (*join)(void *ctx, struct config *read, const struct zonedb *zones, struct report *report,
	            struct config **ret_config);
	void *ctx;
};

// Builds generation `number` from the config file at `path`. `joiner` NULL: with nothing added. Errors in the config, the
// zones and the sources go into the report, as many as can be found in one pass. E_INVAL, E_IO, E_LIMIT, E_NOMEM: nothing
// is returned.
int generation_build(const char *path, const struct generation_joiner *joiner, uint64_t number, struct report *report,
                     struct generation *ret_generation) MUST_USE;
// Builds it from what was read for another generation, the one in use or one before (its config as it was read, its tables), with
// the targets that there are now. No file is read. Takes time for the apps, the targets and, where a site is new, for the tables of
// steering. E_INVAL (reported), E_LIMIT, E_NOMEM.
int generation_join(struct config *read, struct tables *tables, const struct generation_joiner *joiner, uint64_t number,
                    struct report *report, struct generation *ret_generation) MUST_USE;
