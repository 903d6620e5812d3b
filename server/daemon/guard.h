// Looks at what a reload would change for the recent traffic before it is taken, and holds one that would move too much. On
// the builder's thread, but for guard_start() and guard_effect().
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/attr.h"

struct adopts_said;
struct generation;
struct report;
struct sample_set;
struct samples;
struct state;
struct view;

enum { GUARD_SAMPLES_MIN = 1000 }; // with fewer nothing is held

// Zero-initialised at first; contents are freed by guard_wipe().
struct guard {
	struct adopts_said *said;   // what operators say of apps, when the build starts
	struct sample_set *samples; // that the next build is looked at with; NULL: none, so nothing is held
	json_t *effect;             // of the last build, see control/effect_json.h; NULL: nothing is known
};

// Main thread: a build starts, from `view`. Out of memory, nothing is held.
void guard_start(struct guard *guard, const struct samples *samples, const struct view *view, const struct state *state);
// After that: only the samples of one app, by its name in the view, count; none if the view has not got it.
void guard_start_app(struct guard *guard, const struct view *view, const char *app);
// Compares what is published with the next generation, whose handover is made, with today's health, overrides and learned
// prefixes. E_HELD (reported): more of the queries would move than its config's `guard` allows, not counting those whose
// targets are gone; `by_force`: never.
int guard_look(struct guard *guard, const struct generation *next, bool by_force, struct report *report) MUST_USE;
void guard_wipe(struct guard *guard);
