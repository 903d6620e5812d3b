// What is observed, as a part of the learner (rounds.h), which sightings.c looks after: from the hopper's lines to the book of
// learned prefixes. An observation is aggregated by prefix and site (observed.h); where the measured round trips make another order
// of sites than what is answered (merit.h), that order is one more sample of the client's prefix, from the source "observe",
// with the hysteresis of all samples.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "learn/hopper.h"
#include "learn/observed.h"
#include "learn/observer.h"

struct merit;
struct observer;
struct tables;

// As `learned` shows them: what measurements say, and what is held as the table says it, only to be explored. The latter is not
// kept over a restart, and given up when the table may say something else.
#define OBSERVE_SOURCE "observe"
#define EXPLORE_SOURCE "explore"

enum {
	OBSERVE_ROUND = 4096,     // lines taken in a round
	OBSERVE_CONFIRM_S = 300,  // what is held already is confirmed so often at most: each time it is written
};

struct observe_rules {
	bool is_on;
	struct observed_rules observed;
	unsigned margin;          // percent
	uint32_t explore;         // millionths of what is learned
	uint8_t len_v4, len_v6;   // of learned prefixes
	struct observer_place place;
};

struct observe {
	struct observe_rules rules;
	struct hopper *hopper;    // there whether it is on or not
	struct observed *observed; // NULL: it is off, as the next two
	struct merit *merit;
	struct observer *observer; // NULL also: nothing is read from a socket or a file
	uint64_t taken, unknown_sites, out_of_reach;
	int64_t ticked_s;
	const struct tables *explored_of; // what is held to be explored is as these say it; NULL: nothing is
	uint64_t epoch;           // of exploring: other prefixes in each. 0: there is none
};
