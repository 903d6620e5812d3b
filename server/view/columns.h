// Where health differs by carrier: the targets that are up for everybody but down for the clients of some carrier, or
// the other way round, as that carrier's own vantages say. A part of the live part, NULL where there is none: then a
// query costs nothing for it. A set of (target, carrier), immutable once it is published.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/hash.h"
#include "steer/place.h"

enum { COLUMNS_MAX = 1 << 20 };

struct columns {
	uint64_t *keys;      // columns_key(); 0: a free slot
	uint32_t count;
	uint32_t mask;       // of both tables, at most half of which is used
	uint32_t carriers[]; // by the target's low bits: place_carrier_bit() of all that are in it with such a target
};

// For up to `count` members. NULL when out of memory; freed with free().
struct columns *columns_new(size_t count) MUST_USE;
// `carrier` is a number in places->carriers, not 0. Each pair once, and no more than it was made for.
void columns_add(struct columns *columns, uint32_t target, uint16_t carrier);

static inline uint64_t columns_key(uint32_t target, uint16_t carrier)
{
	return (uint64_t)target << 16 | carrier;
}

// The carriers for whose clients the target's health may be the opposite, as a set of place_carrier_bit(). No other carrier's
// client has to be asked whose it is.
static inline uint32_t columns_carriers(const struct columns *columns, uint32_t target)
{
	return columns->carriers[target & columns->mask];
}

// Whether the target's health is the opposite for clients of the carrier.
static inline bool columns_differ(const struct columns *columns, uint32_t target, uint16_t carrier)
{
	uint64_t key = columns_key(target, carrier);

	for (uint32_t at = (uint32_t)hash_mix(key) & columns->mask; columns->keys[at]; at = (at + 1) & columns->mask)
		if (columns->keys[at] == key)
			return true;
	return false;
}
