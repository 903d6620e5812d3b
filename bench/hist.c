// Logarithmic buckets; see hist.h.
#include "hist.h"

static unsigned bucket_of(uint64_t value)
{
	if (value < HIST_SUB)
		return (unsigned)value;

	unsigned exponent = 63 - (unsigned)__builtin_clzll(value);
	unsigned shift = exponent - HIST_SUB_BITS;

	return (shift + 1) * HIST_SUB + (unsigned)(value >> shift) - HIST_SUB;
}

static uint64_t upper_end(unsigned bucket)
{
	if (bucket < HIST_SUB)
		return bucket;

	unsigned shift = bucket / HIST_SUB - 1;
	uint64_t low = (uint64_t)(HIST_SUB + bucket % HIST_SUB) << shift;

	return low + ((uint64_t)1 << shift) - 1;
}

void hist_add(struct hist *hist, uint64_t value)
{
	hist->buckets[bucket_of(value)]++;
	hist->count++;
	hist->sum += value;
	if (value > hist->max)
		hist->max = value;
}

uint64_t hist_quantile(const struct hist *hist, double fraction)
{
	double wanted = fraction * (double)hist->count;
	uint64_t seen = 0;

	for (unsigned i = 0; i < HIST_BUCKETS; i++) {
		seen += hist->buckets[i];
		if (seen > 0 && (double)seen >= wanted)
			return upper_end(i) < hist->max ? upper_end(i) : hist->max;
	}
	return hist->max;
}

double hist_mean(const struct hist *hist)
{
	return hist->count ? (double)hist->sum / (double)hist->count : 0;
}
