// The decision for one client and one app: the first target, in the order of the client's place, that health and
// drains allow. Returns a value and writes no packet; queries and `explain` both call it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct app;
struct live;
struct location;
struct target;

// The first row that applies (DESIGN section 2.4). "Reachable" means that the order has it: no other target is ever
// considered. Where something is learned of the client (view/learned.h), the learned sites come first, in their order,
// and of the others only those that the learned carrier and class can reach are in the order. A target that is leaving is
// drained to the clients that it does not take any more. "Up" is what the vantages of the client's own carrier say, while
// they say something, else what all others say.
//
//   a reachable target, not drained, not empty, up   PICK_HEALTHY      the first in order, or by weight in its group;
//                                                                       one that is eased for this client only where no
//                                                                       other is open to it; for a client that the app
//                                                                       does not steer (`adopt`) any of them, by weight
//   a reachable target, not drained, not empty       PICK_FAIL_OPEN    the same, ignoring health
//   a reachable target, not drained                  PICK_EMPTY        the app's last resort
//   a reachable target                               PICK_DRAINED      the app's last resort
//   none                                             PICK_UNREACHABLE  the app's last resort
enum pick_outcome { PICK_HEALTHY, PICK_FAIL_OPEN, PICK_EMPTY, PICK_DRAINED, PICK_UNREACHABLE };

struct pick {
	enum pick_outcome outcome;
	const struct target *target; // only for PICK_HEALTHY and PICK_FAIL_OPEN, else NULL
	uint32_t target_number;      // in the view; only with a target
	bool hashed;                 // a hash decided within a group, or among all
	bool weighed;                // the app does not steer the client: one of all in reach, by weight and hash
};

// `where` must be the client's location for this app; its scope may become longer, see locate_lengthen().
struct pick pick_target(const struct live *live, const struct app *app, struct location *where) HOT;

// "healthy", "fail-open", "no address", "all drained", "none reachable".
const char *pick_outcome_text(enum pick_outcome outcome);
