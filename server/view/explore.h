// Exploration: a share of the blocks of what is learned is answered with its second best site, for a time, so that it is
// known how far that is; where only one is known, with what the prefix table says, in the same reach. Blocks and scopes stay
// as they are, and so does reach, as no row gets another site; what is down or drained is passed over as ever. Every row has
// a twin (view/learned.h), and the blocks that are drawn lead to that.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/hash.h"

enum { EXPLORE_ALL = 1000000 }; // a share of one, in millionths

struct explore {
	uint32_t share; // of the blocks, millionths; 0: none
	uint64_t seed;  // the same ones for the same seed
};

// Whether the block that begins at `key` explores.
static inline bool explore_draws(const struct explore *explore, struct addr_key key, uint8_t depth)
{
	uint64_t chance = hash_mix(explore->seed ^ hash_mix(key.hi ^ hash_mix(key.lo + depth))) >> 32;

	return chance * EXPLORE_ALL >> 32 < explore->share;
}
