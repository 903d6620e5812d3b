// Walks the truth table of health/score.h, and checks rise and fall against counting.
#include "health/score.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "base/attr.h"

static void walks_the_table(void **state)
{
	static const struct {
		unsigned score;
		bool up;
		unsigned after_success, after_failure, streak;
	} rows[] = {
		{0, false, 1, 0, 0}, {1, false, 4, 0, 1}, {2, true, 4, 0, 2}, {3, true, 4, 2, 1}, {4, true, 4, 3, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(score_up(rows[i].score, 2), rows[i].up);
		assert_int_equal(score_next(rows[i].score, true, 2, 3), rows[i].after_success);
		assert_int_equal(score_next(rows[i].score, false, 2, 3), rows[i].after_failure);
		assert_int_equal(score_streak(rows[i].score, 2, 3), rows[i].streak);
	}
	assert_int_equal(score_sure(true, 2, 3), 4);
	assert_int_equal(score_sure(false, 2, 3), 0);
}

// The same said with a state and a counter.
static void equals_counting(void **state)
{
	(void)state;
	srand(1);
	for (unsigned rise = 1; rise <= 5; rise++)
		for (unsigned fall = 1; fall <= 5; fall++) {
			bool up = rand() & 1;
			unsigned against = 0, score = score_sure(up, rise, fall);

			for (int i = 0; i < 2000; i++) {
				bool success = rand() & 1;

				against = success == up ? 0 : against + 1;
				if (against == (up ? fall : rise)) {
					up = !up;
					against = 0;
				}
				score = score_next(score, success, rise, fall);
				assert_int_equal(score_up(score, rise), up);
				assert_int_equal(score_streak(score, rise, fall), against);
			}
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks_the_table),
		cmocka_unit_test(equals_counting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
