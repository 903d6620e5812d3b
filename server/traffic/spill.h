// How much of its demand a site may take that has a ceiling: the rest spills to the next site in reach. Arithmetic alone; the
// caller measures and keeps the time.
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "view/live.h"

// Zero-initialised but for `share`: SHARE_ALL.
struct spill {
	double rate;    // answers a second, smoothed; or what else the ceiling is of
	uint32_t share; // of SHARE_ALL: the part of its clients that it takes
};

enum { SPILL_LEAST = SHARE_ALL / 256 }; // so that the demand is still seen

// `rate` was measured over the last second or so, while `spill->share` was published. By the smoothed rate:
//
//   above the ceiling              the share is reduced to what would be at 0.95 of it
//   from 0.9 of it to the ceiling  nothing changes, so clients stay where they are
//   below 0.9 of it                the share grows, by a twentieth of all clients at most, to what would be at 0.95 of it
void spill_turn(struct spill *spill, double ceiling, double rate);
