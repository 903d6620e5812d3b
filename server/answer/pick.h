// The decision for one client and one app: of the ranking made for the client's place, the first candidate that health and
// drains allow. Returns a value and writes no packet; queries and explain both call it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct app;
struct live;
struct location;
struct target;

// First row that applies (DESIGN section 2.4); "reachable" is what the ranking holds, nothing else is ever looked at.
//
//   a reachable target neither drained nor down      PICK_HEALTHY      the first in order, or by weight among its equals
//   a reachable target not drained                   PICK_FAIL_OPEN    likewise, health ignored
//   reachable targets, all drained                   PICK_DRAINED      the app's last resort
//   none reachable                                   PICK_UNREACHABLE  the app's last resort
enum pick_outcome { PICK_HEALTHY, PICK_FAIL_OPEN, PICK_DRAINED, PICK_UNREACHABLE };

struct pick {
	enum pick_outcome outcome;
	const struct target *target; // NULL for PICK_DRAINED and PICK_UNREACHABLE
	uint32_t target_number;      // in the view; only with a target
	bool hashed;                 // a hash decided among equals
};

// The client must have been located for this app.
struct pick pick_target(const struct live *live, const struct app *app, const struct location *where) HOT;

const char *pick_outcome_text(enum pick_outcome outcome);
