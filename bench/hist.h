// A histogram of latencies in logarithmic buckets: fixed memory, full range, under 1.6 % error. For load and micro.
#pragma once

#include <stdint.h>

// 64 buckets for each power of two; below 64 every value has its own.
enum { HIST_SUB_BITS = 6, HIST_SUB = 1 << HIST_SUB_BITS, HIST_BUCKETS = (64 - HIST_SUB_BITS + 1) * HIST_SUB };

// Zero-initialised, it is valid and empty.
struct hist {
	uint64_t buckets[HIST_BUCKETS];
	uint64_t count, sum, max;
};

void hist_add(struct hist *hist, uint64_t value);
// The upper end of the bucket that contains quantile `fraction` (0..1), at most the maximum; 0 when empty.
uint64_t hist_quantile(const struct hist *hist, double fraction);
// 0 when empty.
double hist_mean(const struct hist *hist);
