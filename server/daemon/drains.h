// Drains in the merge: whether those that hold have taken a target's clients away. A drain of one site or target is a bit
// of its own there; those of selectors of sites are one bit together, as any number of them may overlap. Main thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct merge;
struct override;
struct state;

// A drain has changed, has begun, or (`holds` false) holds no more; the state has what holds now. drains_step() is still
// to be called.
void drains_set(struct merge *merge, const struct state *state, const struct override *drain, bool holds);
// Gives each target that a drain moves clients from, or to, the drain's share; of several drains the smallest. 1: there are
// some, 0: none. E_NOMEM: to be called again.
int drains_step(struct merge *merge, const struct state *state) MUST_USE;
// Settles those whose ramp has come to its end without that anything else has changed. Whether there were any.
bool drains_finish(struct merge *merge, const struct state *state);
// Whether the drain moves clients at the moment.
bool drains_is_moving(const struct override *drain) PURE;
// The share that the drain leaves, of SHARE_ALL: its share_now, but less than all while it moves clients, so that answers have the
// scopes of a part from its first moment on.
uint32_t drains_share(const struct override *drain) PURE;
