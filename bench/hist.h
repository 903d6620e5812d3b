// A histogram of latencies in logarithmic buckets: fixed memory, no loss of range, under 1.6 % error. For load and micro.
#pragma once

#include <stdint.h>

// 64 buckets for each power of two; below 64 every value has its own.
enum { HIST_SUB_BITS = 6, HIST_SUB = 1 << HIST_SUB_BITS, HIST_BUCKETS = (64 - HIST_SUB_BITS + 1) * HIST_SUB };

// Zero-initialised is a valid, empty one.
struct hist {
	uint64_t buckets[HIST_BUCKETS];
	uint64_t count, sum, max;
};

void hist_add(struct hist *hist, uint64_t value);
// The upper end of the bucket under which `fraction` (0..1) of the values lie, never above the maximum; 0 when empty.
uint64_t hist_quantile(const struct hist *hist, double fraction);
// 0 when empty.
double hist_mean(const struct hist *hist);
