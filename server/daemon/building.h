// What the builder's thread does: a generation with what it takes over from the one in use. Called by reload.c by way of
// daemon.c.
#pragma once

#include "base/attr.h"
#include "daemon/handover.h"

struct config;
struct generation;
struct handouts;
struct reload_job;
struct report;

// What it reads. It must not change during a build.
struct building {
	const char *config_path;
	struct handouts *handouts;
	struct config *config;          // in use
	struct handover_from previous;  // the rest of the generation in use
};

// As reload_ops.build. The caller leaves *ret_generation with building_discard() unless it is taken.
int building_build(const struct building *building, const struct reload_job *job, struct report *report,
                   struct generation *ret_generation) MUST_USE;
// Frees a generation that was not taken. Any thread.
void building_discard(struct generation *generation);
