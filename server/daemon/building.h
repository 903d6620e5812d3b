// What the builder's thread does: a generation with what it takes over from the one in use. Called by reload.c by way of
// daemon.c.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "daemon/guard.h"
#include "daemon/handover.h"

struct config;
struct generation;
struct generation_joiner;
struct handouts;
struct learner;
struct learner_plan;
struct provide;
struct provide_plan;
struct snapshot;
struct reload_job;
struct report;
struct rollback;

// What it reads. It must not change during a build.
struct building {
	const char *config_path;
	struct handouts *handouts;
	struct config *config;          // in use
	const struct provide *provide;  // its list of what runs
	struct snapshot *snapshot;      // what providers give, taken when the build started; owned
	struct learner *learner;        // its list of services
	struct learner_plan *learner_plan; // made by a build, as the next
	struct provide_plan *plan;      // made by a build, for who takes its generation; else NULL
	struct handover_from previous;  // the rest of the generation in use
	struct guard guard;
	const struct rollback *rollback; // what may be gone back to
};

// generation_build(), and the files of the HTTP door. E_INVAL is also for what is wrong with these. The caller leaves it with
// building_discard() unless it is taken.
int building_read(const char *path, const struct generation_joiner *joiner, uint64_t number, struct report *report,
                  struct generation *ret_generation) MUST_USE;
// Starts the providers of the first generation, which was built without them: a join is to follow. *ret_has_saved: they gave
// something before the start. E_INVAL (reported), E_IO, E_LIMIT, E_NOMEM.
int building_first(struct provide *provide, const struct config *config, struct report *report,
                   bool *ret_has_saved) MUST_USE;
// Main thread: a build starts, from what there is now. What an earlier one has left is freed.
void building_start(struct building *building, struct provide *provide);
// Main thread: a generation of it is in use now.
void building_taken(struct building *building, struct provide *provide, const struct config *config);
// Frees what the last build has left.
void building_end(struct building *building);
// As reload_ops.build. The caller leaves *ret_generation with building_discard() unless it is taken.
int building_build(struct building *building, const struct reload_job *job, struct report *report,
                   struct generation *ret_generation) MUST_USE;
// Frees a generation that was not taken. Any thread.
void building_discard(struct generation *generation);
