// The two clocks. Monotonic for intervals, wall for what people read and what survives a restart. Slow side: a
// query reads neither.
#pragma once

#include <stdint.h>

int64_t clock_mono_ms(void);
int64_t clock_mono_ns(void);
// Seconds since the Unix epoch.
int64_t clock_wall_s(void);
