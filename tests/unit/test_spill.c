// Ceilings: how much of the demand stays, as it rises and falls, with noise, and beside another site with a ceiling.
#include "traffic/spill.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static double taken(double demand, const struct spill *spill)
{
	return demand * spill->share / SHARE_ALL;
}

static void turns(struct spill *spill, double ceiling, double demand, int count)
{
	for (int i = 0; i < count; i++)
		spill_turn(spill, ceiling, taken(demand, spill));
}

// Below its ceiling a site takes all; above it the ceiling, within seconds; and all again when the demand is over.
static void test_steps(void **state)
{
	struct spill spill = {.share = SHARE_ALL};

	(void)state;
	turns(&spill, 100, 99, 60);
	assert_int_equal(spill.share, SHARE_ALL);
	turns(&spill, 100, 400, 20);
	assert_in_range((int)taken(400, &spill), 85, 100);
	turns(&spill, 100, 150, 40);
	assert_in_range((int)taken(150, &spill), 85, 100);
	turns(&spill, 100, 50, 40);
	assert_int_equal(spill.share, SHARE_ALL);
}

// A demand that stays moves nobody once it has settled, though it is measured with noise of a twentieth.
static void test_still(void **state)
{
	struct spill spill = {.share = SHARE_ALL};
	uint32_t settled;
	int changes = 0;

	(void)state;
	srand(3);
	turns(&spill, 1000, 3000, 60);
	settled = spill.share;
	for (int i = 0; i < 600; i++) {
		uint32_t before = spill.share;

		spill_turn(&spill, 1000, taken(3000, &spill) * (0.95 + 0.1 * rand() / RAND_MAX));
		changes += spill.share != before;
	}
	assert_true(changes < 10);
	assert_in_range(spill.share, settled * 9 / 10, settled * 11 / 10);
}

// Nothing is given back faster than a twentieth of the clients a turn.
static void test_slow_return(void **state)
{
	struct spill spill = {.share = SHARE_ALL};

	(void)state;
	turns(&spill, 10, 1000, 60);
	assert_in_range(spill.share, SPILL_LEAST, SHARE_ALL / 90);
	for (int i = 0; i < 40; i++) {
		uint32_t before = spill.share;

		turns(&spill, 10, 0, 1);
		assert_true(spill.share <= before + SHARE_ALL / 20);
	}
	assert_int_equal(spill.share, SHARE_ALL);
}

// Any demand and ceiling: a share there is, and what is taken comes under the ceiling unless the least share is above it.
static void test_any(void **state)
{
	(void)state;
	srand(4);
	for (int i = 0; i < 2000; i++) {
		struct spill spill = {.share = 1 + (uint32_t)rand() % SHARE_ALL};
		double ceiling = 1 + rand() % 100000, demand = rand() % 1000000;

		turns(&spill, ceiling, demand, 200);
		assert_in_range(spill.share, 1, SHARE_ALL);
		assert_true(taken(demand, &spill) <= ceiling * 1.01 || spill.share == SPILL_LEAST);
		assert_true(spill.share == SHARE_ALL || taken(demand, &spill) >= ceiling * 0.88 || spill.share == SPILL_LEAST);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_still),
		cmocka_unit_test(test_slow_return),
		cmocka_unit_test(test_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
