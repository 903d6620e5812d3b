// Exploration: a share of the blocks of what is learned is answered with its second best site, for a time, so that it is
// known how far that is; where only one is known, with what the prefix table says, in the same reach. Blocks and scopes stay
// as they are, and so does reach, as no row gets another site; what is down or drained is passed over as ever.
#pragma once

#include <stdint.h>

#include "base/attr.h"

struct learned;

enum { EXPLORE_ALL = 1000000 }; // a share of one, in millionths

// Does so with `share` (millionths) of the blocks, the same ones for the same seed. Nobody reads the overlay yet. E_LIMIT, E_NOMEM: nothing was changed.
int explore_some(struct learned *learned, uint32_t share, uint64_t seed) MUST_USE;
