// Slow start: the share of its clients that a target takes after it has come back up. Pure, for the judge and its test.
#pragma once

#include <stdint.h>

enum {
	WARMUP_WHOLE = 65536,     // all of them
	WARMUP_FIRST = WARMUP_WHOLE / 20, // at once, so that its caches and pools begin to fill
};

// Rises evenly over `over_ms` (0: at once) from when it came up. Never falls while time passes.
static inline uint32_t warmup_share(int64_t up_ms, unsigned over_ms, int64_t now_ms)
{
	int64_t passed_ms = now_ms > up_ms ? now_ms - up_ms : 0;

	if (passed_ms >= over_ms)
		return WARMUP_WHOLE;
	return WARMUP_FIRST + (uint32_t)((uint64_t)(WARMUP_WHOLE - WARMUP_FIRST) * (uint64_t)passed_ms / over_ms);
}
