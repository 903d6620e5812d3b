// The load client's histogram: every value lands in a bucket that holds it, quantiles are those of the sorted values
// within the promised error.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "hist.h"

static void small_values_are_exact(void **state)
{
	struct hist hist = {0};

	(void)state;
	for (uint64_t v = 0; v < HIST_SUB; v++)
		hist_add(&hist, v);
	assert_int_equal(hist_quantile(&hist, 0.5), HIST_SUB / 2 - 1);
	assert_int_equal(hist_quantile(&hist, 0), 0);
	assert_int_equal(hist_quantile(&hist, 1), HIST_SUB - 1);
	assert_int_equal(hist.count, HIST_SUB);
}

static void one_value_is_within_a_64th(void **state)
{
	(void)state;
	for (unsigned shift = 0; shift < 64; shift++)
		for (int around = -1; around <= 1; around++) {
			// The second value, larger than all, keeps the maximum from hiding the bucket's upper bound.
			struct hist hist = {0};
			uint64_t value = ((uint64_t)1 << shift) + (uint64_t)around;

			hist_add(&hist, value);
			hist_add(&hist, UINT64_MAX);

			uint64_t got = hist_quantile(&hist, 0.5);

			assert_true(got >= value);
			assert_true(got - value <= value / 64);
			assert_true(hist_quantile(&hist, 1) == UINT64_MAX);
		}
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void quantiles_follow_the_sorted_values(void **state)
{
	enum { COUNT = 10000 };
	static uint64_t values[COUNT];
	static const double fractions[] = {0.01, 0.5, 0.9, 0.99, 0.999};
	struct hist hist = {0};
	uint64_t seed = 1, sum = 0;

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		values[i] = seed >> (24 + seed % 40);
		sum += values[i];
		hist_add(&hist, values[i]);
	}
	qsort(values, COUNT, sizeof(values[0]), compare);
	for (size_t i = 0; i < sizeof(fractions) / sizeof(fractions[0]); i++) {
		uint64_t right = values[(size_t)(fractions[i] * COUNT) - 1], got = hist_quantile(&hist, fractions[i]);

		assert_true(got >= right && got <= right + right / 64 + 1);
	}
	assert_true(hist.max == values[COUNT - 1] && hist.sum == sum);
	assert_true(hist_mean(&hist) == (double)sum / COUNT);
}

static void an_empty_one_is_zero(void **state)
{
	struct hist hist = {0};

	(void)state;
	assert_int_equal(hist_quantile(&hist, 0.99), 0);
	assert_true(hist_mean(&hist) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_values_are_exact),
		cmocka_unit_test(one_value_is_within_a_64th),
		cmocka_unit_test(quantiles_follow_the_sorted_values),
		cmocka_unit_test(an_empty_one_is_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
