// Flap damping and slow start by a clock of the test's own: how often a target that flaps moves its clients.
#include "health/damping.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "health/warmup.h"

enum { FLAP_MS = 3000, HOUR_MS = 3600000 };

static const struct damping_rule rule = {.half_life_ms = 300000, .suppress = 4000, .reuse = 1500, .longest_ms = 1200000};

// Flaps for an hour, then is still. How often clients move, and when it is believed again after its last fall.
static unsigned flap(const struct damping_rule *by, int64_t flap_ms, int64_t *ret_still_ms)
{
	struct damping damping = {0};
	bool raw = true, believed = true;
	unsigned moves = 0;
	int64_t fell_ms = 0;

	for (int64_t now_ms = 0; now_ms < 3 * HOUR_MS; now_ms += 1000) {
		if (now_ms < HOUR_MS && now_ms % flap_ms == 0 && now_ms > 0) {
			raw = !raw;
			if (!raw) {
				damping_fell(&damping, by, now_ms);
				fell_ms = now_ms;
			}
		}
		raw = raw || now_ms >= HOUR_MS;

		bool now = raw && !damping_holds(&damping, by, now_ms);

		moves += now != believed;
		if (now && !believed)
			*ret_still_ms = now_ms - fell_ms;
		believed = now;
	}
	assert_true(believed);
	return moves;
}

// The bound that the manual states: nine, and one back.
static void test_an_hour_of_flapping(void **unused)
{
	int64_t still_ms = 0;
	unsigned moves = flap(&rule, FLAP_MS, &still_ms);

	(void)unused;
	assert_in_range(moves, 2, 10);
	assert_in_range(still_ms, 60000, rule.longest_ms + 1000);
	for (int64_t flap_ms = 1000; flap_ms <= 10000; flap_ms += 1000)
		assert_in_range(flap(&rule, flap_ms, &still_ms), 2, 10);
	for (int64_t flap_ms = 11000; flap_ms <= 30000; flap_ms += 1000)
		assert_in_range(flap(&rule, flap_ms, &still_ms), 2, 12); // falls between decay
}

static void test_off(void **unused)
{
	const struct damping_rule off = {.suppress = 4000, .reuse = 1500, .longest_ms = 1200000};
	int64_t still_ms = 0;

	(void)unused;
	assert_in_range(flap(&off, FLAP_MS, &still_ms), HOUR_MS / FLAP_MS - 2, HOUR_MS / FLAP_MS);
}

// A target that falls now and then is not damped.
static void test_rare_falls(void **unused)
{
	struct damping damping = {0};

	(void)unused;
	for (int64_t now_ms = 1; now_ms < 24 * (int64_t)HOUR_MS; now_ms += 600000) {
		damping_fell(&damping, &rule, now_ms);
		assert_false(damping_holds(&damping, &rule, now_ms));
	}
}

static void test_end(void **unused)
{
	struct damping damping = {0};
	int64_t end_ms;

	(void)unused;
	assert_int_equal(damping_ends_ms(&damping, &rule, 5), 5);
	for (int i = 0; i < 1000; i++)
		damping_fell(&damping, &rule, 1000);
	end_ms = damping_ends_ms(&damping, &rule, 1000);
	assert_in_range(end_ms, 1000 + rule.longest_ms - 1000, 1000 + rule.longest_ms + 1000);
	assert_true(damping_holds(&damping, &rule, end_ms - 2000));
	assert_false(damping_holds(&damping, &rule, end_ms));
	assert_false(damping_holds(&damping, &rule, end_ms - 2000)); // not held again without a fall
}

static void test_warmup(void **unused)
{
	uint32_t before = 0;

	(void)unused;
	assert_int_equal(warmup_share(1000, 0, 1000), WARMUP_WHOLE);
	assert_int_equal(warmup_share(1000, 60000, 1000), WARMUP_FIRST);
	assert_int_equal(warmup_share(1000, 60000, 500), WARMUP_FIRST); // a clock of milliseconds
	assert_int_equal(warmup_share(1000, 60000, 61000), WARMUP_WHOLE);
	for (int64_t now_ms = 1000; now_ms <= 61000; now_ms += 100) {
		uint32_t share = warmup_share(1000, 60000, now_ms);
		double even = WARMUP_FIRST + (WARMUP_WHOLE - WARMUP_FIRST) * (double)(now_ms - 1000) / 60000;

		assert_true(share >= before);
		assert_in_range(share, even - 2, even + 2);
		before = share;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_hour_of_flapping), cmocka_unit_test(test_off),    cmocka_unit_test(test_rare_falls),
		cmocka_unit_test(test_end),                 cmocka_unit_test(test_warmup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
