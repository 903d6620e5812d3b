// Drains in the merge: whether those that hold have taken a target's clients away. A drain of one site or target is a bit
// of its own there; those of selectors of sites are one bit together, as any number of them may overlap. Main thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct merge;
struct override;
struct state;

// A drain has changed, has begun, or (`holds` false) holds no more; the state has what holds now.
void drains_set(struct merge *merge, const struct state *state, const struct override *drain, bool holds);
// Those whose share changes with time have gone on. Returns whether any of it is to be published.
bool drains_step(struct merge *merge, const struct state *state);
// Whether the drain's share changes with time at the moment.
bool drains_is_moving(const struct override *drain, int64_t now_ms);
