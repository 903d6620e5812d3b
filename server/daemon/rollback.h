// The load before the one in use: config, zones and tables as they were compiled, kept in memory for `rollback`; and
// that one was asked for. Main thread, but for rollback_build().
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct config;
struct generation;
struct generation_joiner;
struct report;
struct rollback;
struct tables;
struct view;

// Nothing is kept yet. NULL when out of memory.
struct rollback *rollback_new(void) MUST_USE;
// Takes NULL; returns NULL.
struct rollback *rollback_free(struct rollback *rollback);

// What a load is made of, held beyond its view.
struct rollback_load;

// Holds what the load in use is made of, as a reload is about to take its place. NULL: out of memory, or its config has
// `server.rollback: off`.
struct rollback_load *rollback_hold(struct config *config, const struct view *view) MUST_USE;
// Frees it on the reclaimer's thread, as of a large one that takes longer than the main loop may be blocked. Takes
// NULL; returns NULL.
struct rollback_load *rollback_leave(struct rollback_load *load);
// A reload has been taken, whose config is `next`: `load` (NULL: it is not known), which is taken, is the one before,
// in the place of what was kept; but where both were read from the same, what was kept stays. A rolled back daemon is
// so no more.
void rollback_keep(struct rollback *rollback, struct rollback_load *load, const struct config *next);
// What is kept has been taken: nothing is, and the daemon is rolled back, by who has asked for it.
void rollback_taken(struct rollback *rollback);

bool rollback_is_there(const struct rollback *rollback);
bool rollback_is_back(const struct rollback *rollback);
// Who asks, and why: a copy (`by`, `reason` may be NULL). NULL: out of memory.
struct rollback_asked;
struct rollback_asked *rollback_ask(const char *who, const char *by, const char *reason) MUST_USE;
// They wait for a rollback that has been begun, or (`begun` false) were refused. Takes `asked`.
void rollback_asked(struct rollback *rollback, struct rollback_asked *asked, bool begun);

// Builder's thread: builds generation `number` of what is kept, as generation_join(). It must not change meanwhile.
int rollback_build(const struct rollback *rollback, const struct generation_joiner *joiner, uint64_t number,
                   struct report *report, struct generation *ret_generation) MUST_USE;

// Adds to `status` (NULL: out of memory, and it stays so): "rollback", what is kept, with "generation", "loaded" (when
// it was read) and "bytes" of its tables; and "rolled_back", if the daemon is, with "since", "to" (the generation gone
// back to, which is served under a number of its own), "who", "by" and "reason".
void rollback_status(const struct rollback *rollback, json_t *status);
