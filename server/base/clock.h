// The clocks: monotonic for intervals, wall for what people read and what survives a restart, steady for ages that no step of
// the wall clock may change. Slow side: the query path reads none.
#pragma once

#include <stdint.h>

// CLOCK_MONOTONIC, in milliseconds and nanoseconds.
int64_t clock_mono_ms(void);
int64_t clock_mono_ns(void);
// Since the Unix epoch.
int64_t clock_wall_s(void);
int64_t clock_wall_ms(void);
// As the wall clock was when this process looked for the first time, and the time that has passed since, sleep of the machine
// included: seconds since the Unix epoch that never step. Any thread.
int64_t clock_steady_s(void);
// By how much the wall clock is ahead of that: 0 until it is set; negative if it was set back.
int64_t clock_stepped_s(void);
