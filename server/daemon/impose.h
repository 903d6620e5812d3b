// Operators' overrides in the merge: drains (drains.h), forces (merge.h) and adoptions (adopts.h). Main thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct config;
struct merge;
struct override;
struct state;

// One has changed, has begun, or (`holds` false) holds no more; the state has what holds now. impose_step() is still to
// be called. `config` is that of the merge's view.
void impose_one(struct merge *merge, const struct state *state, const struct config *config,
                const struct override *which, bool holds);
// All that hold, of a generation that comes into use, and what its config says of the same.
void impose_all(struct merge *merge, const struct state *state, const struct config *config);
// Those that move clients have gone on, see state_step(). 1: there are some, or one has come to its end; 0: none. E_NOMEM: to be
// called again.
int impose_step(struct merge *merge, const struct state *state) MUST_USE;
// Whether the override moves clients at the moment.
bool impose_is_moving(const struct override *override) PURE;
