// What would be published if overrides were changed: a change laid on a copy of the merge. Main thread.
#pragma once

#include "base/attr.h"

struct control_change;
struct judge;
struct live;
struct merge;
struct state;

// *ret_live is of the merge's view, with states, shares and columns that are the caller's (as ops.h has it), and
// nothing else. `judge` NULL: no health differs by carrier. E_NOMEM: nothing is to be freed.
//
// A drain that is given takes all clients: as when its ramp has come to its end. Drains beside it count
//
//   now                            with the share that they leave now
//   now, in full                   those that have begun, as if their ramps were at an end; one that gives clients back
//                                  as one that is about to have given them back
//   at a time to come              the same, of those that will have begun and hold then
//
// and the one in whose place it comes does not.
int what_if_make(const struct merge *merge, struct judge *judge, const struct state *state,
                 const struct control_change *change, struct live *ret_live) MUST_USE;
