// What workers have of the book: the overlay, and who is wanted. The learner's thread keeps the latest of both, changes them by
// what is news, and makes them anew where that is not enough: for another view or plan, or after there was no memory.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "learn/facts.h"
#include "view/explore.h"
#include "view/wanted.h"

struct learned;
struct learner;
struct live;
struct overlays;
struct tables;

// Uses them no more, and empties *overlays.
void overlays_wipe(struct overlays *overlays);

// What is to be made.
struct overlays_task {
	struct tables *tables;     // used
	struct facts facts;        // all that is known, or what has changed
	bool is_whole;             // all
	int err;                   // set by overlays_make()
	struct explore explore;
	struct wanted_rules rules;
	bool has_services;         // to ask
};

// Whether there is something to make; then *ret_task is filled in. If not, it is told what is fresh. On the learner's thread,
// under its mutex.
bool overlays_begin(struct learner *learner, const struct live *live, int64_t now_ms, int64_t now_s,
                    struct overlays_task *ret_task);
// Makes it. False: that failed. On the learner's thread, not under its mutex.
bool overlays_make(struct learner *learner, struct overlays_task *task);
// Lets the main thread have what was made, and ends the task. What could not be made is made from nothing, at once, and if it
// was that, after a pause. *ret_old is for the caller to wipe without the mutex. On the learner's thread, under its mutex.
void overlays_end(struct learner *learner, struct overlays_task *task, struct overlays *ret_old);

// The overlay of all that is known, for other sites and places. NULL: nothing is, or it failed, which was logged. Any thread.
struct learned *overlays_for(struct learner *learner, struct tables *tables) MUST_USE;
