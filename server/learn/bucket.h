// A token bucket: so many a second, and at most a tenth of that at once (one, for rates below ten).
#pragma once

#include <stdint.h>

struct bucket {
	uint32_t rate;      // tokens a second; 1 or more
	uint64_t thousandths; // of a token that it holds
	int64_t filled_ms;  // until when it has been filled
};

static inline uint64_t bucket_room(const struct bucket *bucket)
{
	return bucket->rate < 10 ? 1000 : (uint64_t)bucket->rate * 100;
}

// Full, from now on.
static inline struct bucket bucket_new(uint32_t rate, int64_t now_ms)
{
	struct bucket bucket = {rate, 0, now_ms};

	bucket.thousandths = bucket_room(&bucket);
	return bucket;
}

// How many tokens it holds.
static inline uint32_t bucket_fill(struct bucket *bucket, int64_t now_ms)
{
	uint64_t passed_ms = now_ms > bucket->filled_ms ? (uint64_t)(now_ms - bucket->filled_ms) : 0;

	if (passed_ms > 1000)
		passed_ms = 1000; // it is full by then, or has one more
	bucket->filled_ms = now_ms;
	bucket->thousandths += passed_ms * bucket->rate;
	if (bucket->thousandths > bucket_room(bucket))
		bucket->thousandths = bucket_room(bucket);
	return (uint32_t)(bucket->thousandths / 1000);
}

// For how many milliseconds a bucket that was just filled has no token; 0: it has one.
static inline uint32_t bucket_wait_ms(const struct bucket *bucket)
{
	return bucket->thousandths >= 1000 ? 0 : (uint32_t)((1000 - bucket->thousandths + bucket->rate - 1) / bucket->rate);
}

// Returns one that was taken and not used. What is too many is lost with the next bucket_fill().
static inline void bucket_return(struct bucket *bucket)
{
	bucket->thousandths += 1000;
}

// Takes one that bucket_fill() has said is there.
static inline void bucket_take(struct bucket *bucket)
{
	bucket->thousandths -= 1000;
}
