// The breaker's state machine walked row by row, and the token bucket against its promise: never more in any second than
// its rate and a tenth.
#include "learn/breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/hash.h"
#include "learn/bucket.h"

static void fail_times(struct breaker *breaker, unsigned times, int64_t now_ms)
{
	while (times-- > 0)
		breaker_failure(breaker, 0, false, now_ms, 500); // half of a second more than half of the pause
}

static void test_states(void **state)
{
	struct breaker breaker = {0};

	(void)state;
	fail_times(&breaker, BREAKER_FAILURES - 1, 0);
	assert_int_equal(breaker_allows(&breaker, 10, 0), 10);
	breaker_success(&breaker);
	fail_times(&breaker, BREAKER_FAILURES - 1, 0);
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	fail_times(&breaker, 1, 0);
	assert_int_equal(breaker.state, BREAKER_OPEN);
	assert_int_equal(breaker_allows(&breaker, 10, 999), 0);
	breaker_success(&breaker); // of a question from before
	assert_int_equal(breaker.state, BREAKER_OPEN);
	assert_int_equal(breaker_allows(&breaker, 10, 1000), 1); // one trial
	breaker_asked(&breaker, 1);
	assert_int_equal(breaker_allows(&breaker, 10, 1001), 0);
	fail_times(&breaker, 1, 1001);
	assert_int_equal(breaker.state, BREAKER_OPEN);
	assert_int_equal(breaker.pause_ms, 2 * BREAKER_FIRST_MS);
	assert_int_equal(breaker_allows(&breaker, 1, breaker.until_ms), 1);
	breaker_asked(&breaker, 1);
	breaker_success(&breaker);
	assert_int_equal(breaker_allows(&breaker, 10, breaker.until_ms), 10);
}

static void test_pauses(void **state)
{
	struct breaker breaker = {0};
	int64_t now_ms = 0;

	(void)state;
	for (int i = 0; i < 30; i++) {
		int64_t wait_ms;

		breaker_failure(&breaker, 0, true, now_ms, hash_mix((uint64_t)i)); // one is enough
		assert_int_equal(breaker.state, BREAKER_OPEN);
		wait_ms = breaker.until_ms - now_ms;
		assert_in_range(wait_ms, breaker.pause_ms / 2, breaker.pause_ms + breaker.pause_ms / 2);
		now_ms = breaker.until_ms;
		assert_int_equal(breaker_allows(&breaker, 1, now_ms), 1);
	}
	assert_int_equal(breaker.pause_ms, BREAKER_MAX_MS);

	breaker_failure(&breaker, 900, false, now_ms, 0); // Retry-After: not a millisecond earlier
	assert_int_equal(breaker_allows(&breaker, 1, now_ms + 899999), 0);
	assert_int_equal(breaker_allows(&breaker, 1, now_ms + 900000), 1);
	breaker_failure(&breaker, UINT32_MAX, false, now_ms, 0); // but no more than an hour
	assert_int_equal(breaker.until_ms, now_ms + BREAKER_RETRY_MAX_S * 1000);
}

// Several questions are under way when the first answer opens it: what the others ask for counts as well.
static void test_asked_to_wait_while_open(void **state)
{
	struct breaker breaker = {0};

	(void)state;
	fail_times(&breaker, BREAKER_FAILURES, 0); // open until 1000
	assert_int_equal(breaker.until_ms, 1000);
	breaker_failure(&breaker, 60, false, 500, 0);
	assert_int_equal(breaker.state, BREAKER_OPEN);
	assert_int_equal(breaker_allows(&breaker, 1, 60499), 0);
	breaker_failure(&breaker, 10, false, 600, 0); // sooner: the longer one holds
	breaker_failure(&breaker, 0, false, 700, 0);
	assert_int_equal(breaker.until_ms, 60500);
	breaker_failure(&breaker, UINT32_MAX, false, 800, 0); // no more than an hour
	assert_int_equal(breaker.until_ms, 800 + BREAKER_RETRY_MAX_S * 1000);
	assert_int_equal(breaker.pause_ms, BREAKER_FIRST_MS); // late ones tell nothing of how it is now
	assert_int_equal(breaker_allows(&breaker, 1, breaker.until_ms), 1);
	breaker_asked(&breaker, 1);
	breaker_success(&breaker);
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	assert_int_equal(breaker_allows(&breaker, 7, 0), 7);

	breaker = (struct breaker){0};
	breaker_failure(&breaker, 1, true, 0, 1000); // less than the back-off, which holds
	assert_int_equal(breaker.until_ms, 1500);
}

static void test_bucket(void **state)
{
	static const uint32_t rates[] = {1, 3, 10, 50, 999};

	(void)state;
	for (size_t r = 0; r < ARRAY_LEN(rates); r++) {
		enum { MS = 20000 };
		static uint32_t taken[MS];
		struct bucket bucket = bucket_new(rates[r], 0);
		uint64_t total = 0;

		for (int64_t now_ms = 0; now_ms < MS; now_ms++) {
			uint32_t window = 0;

			taken[now_ms] = 0;
			if (hash_mix((uint64_t)now_ms) % 7 == 0 || now_ms > 3000) // a greedy caller, at times asleep
				while (bucket_fill(&bucket, now_ms) > 0) {
					bucket_take(&bucket);
					taken[now_ms]++;
				}
			if (bucket_fill(&bucket, now_ms) == 0) {
				struct bucket before = bucket, then = bucket;
				uint32_t wait_ms = bucket_wait_ms(&bucket);

				assert_int_equal(bucket_fill(&before, now_ms + wait_ms - 1), 0);
				assert_int_equal(bucket_fill(&then, now_ms + wait_ms), 1);
			}
			total += taken[now_ms];
			for (int64_t i = now_ms > 999 ? now_ms - 999 : 0; i <= now_ms; i++)
				window += taken[i];
			assert_true(window <= rates[r] + (rates[r] < 10 ? 1 : rates[r] / 10));
		}
		assert_true(total + rates[r] / 5 + 2 >= (uint64_t)rates[r] * MS / 1000); // and no less
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_states), cmocka_unit_test(test_pauses),
	                                   cmocka_unit_test(test_asked_to_wait_while_open), cmocka_unit_test(test_bucket)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
