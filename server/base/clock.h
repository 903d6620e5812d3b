// The two clocks: monotonic for intervals, wall for what people read and what survives a restart. Slow side: the query
// path reads neither.
#pragma once

#include <stdint.h>

// CLOCK_MONOTONIC, in milliseconds and nanoseconds.
int64_t clock_mono_ms(void);
int64_t clock_mono_ns(void);
// Since the Unix epoch.
int64_t clock_wall_s(void);
int64_t clock_wall_ms(void);
