// The load client's table of queries in the air: each ID finds its own query once, IDs wrap, what is lost is given up
// oldest first, and random traffic agrees with a plain list.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "flight.h"

static bool answer(struct flight *flight, uint16_t id, struct flight_slot *ret_slot)
{
	struct flight_slot *slot = flight_find(flight, id);

	if (!slot)
		return false;
	*ret_slot = *slot;
	flight_close(flight, slot);
	return true;
}

static void an_id_is_answered_once(void **state)
{
	struct flight flight;
	struct flight_slot slot = {0};

	(void)state;
	assert_int_equal(flight_init(&flight, 8), 0);
	assert_false(answer(&flight, 0, &slot));
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(flight_id(&flight, 0), i);
		flight_add(&flight, 100 + i, 7 + i, INT32_MAX - i);
	}
	assert_true(answer(&flight, 2, &slot));
	assert_int_equal(slot.client, 9);
	assert_int_equal(slot.name, INT32_MAX - 2);
	assert_int_equal(slot.due_ns, 102);
	assert_false(answer(&flight, 2, &slot));
	assert_false(answer(&flight, 4, &slot));
	assert_false(answer(&flight, 65535, &slot));
	assert_int_equal(flight.open, 3);
	assert_non_null(flight_find(&flight, 1)); // finding alone does not answer
	assert_true(answer(&flight, 1, &slot));
	flight_done(&flight);
}

static void room_comes_back_with_the_oldest(void **state)
{
	struct flight flight;
	struct flight_slot slot;

	(void)state;
	assert_int_equal(flight_init(&flight, 4), 0);
	for (uint32_t i = 0; i < 4; i++)
		flight_add(&flight, i, i, 0);
	assert_int_equal(flight_room(&flight), 0);
	assert_true(answer(&flight, 1, &slot));
	assert_int_equal(flight_room(&flight), 0);
	assert_true(answer(&flight, 0, &slot));
	assert_int_equal(flight_room(&flight), 2);
	flight_done(&flight);
}

static void the_lost_are_given_up_oldest_first(void **state)
{
	struct flight flight;
	struct flight_slot slot;

	(void)state;
	assert_int_equal(flight_init(&flight, 8), 0);
	for (uint32_t i = 0; i < 6; i++)
		flight_add(&flight, 10 * i, i, 0);
	assert_true(answer(&flight, 1, &slot));
	assert_int_equal(flight_expire(&flight, 30), 2); // 0 and 2; 1 was answered, 3 is due at 30
	assert_int_equal(flight.open, 3);
	assert_false(answer(&flight, 2, &slot));
	assert_true(answer(&flight, 3, &slot));
	assert_int_equal(flight_expire(&flight, INT64_MAX), 2);
	assert_int_equal(flight.open, 0);
	assert_int_equal(flight_room(&flight), 8);
	flight_done(&flight);
}

static void the_table_is_capped_at_the_ids(void **state)
{
	struct flight flight;

	(void)state;
	assert_int_equal(flight_init(&flight, UINT32_MAX), 0);
	assert_int_equal(flight_room(&flight), FLIGHT_MAX);
	flight_done(&flight);
}

// Random sending, answering, losing; 300,000 queries, so that the IDs wrap several times.
static void random_traffic_agrees_with_a_list(void **state)
{
	enum { ROUNDS = 600000, OPEN_MAX = 64 };
	struct { uint16_t id; uint32_t client; } open[OPEN_MAX];
	unsigned count = 0, given_up = 0;
	struct flight flight;
	struct flight_slot slot;

	(void)state;
	srandom(1);
	assert_int_equal(flight_init(&flight, OPEN_MAX), 0);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		if (random() % 2 && flight_room(&flight) > 0) {
			open[count].id = flight_id(&flight, 0);
			open[count++].client = i;
			flight_add(&flight, i, i, 0);
		} else if (count > 0 && random() % 16) {
			unsigned pick = (unsigned)random() % count;

			assert_true(answer(&flight, open[pick].id, &slot));
			assert_int_equal(slot.client, open[pick].client);
			open[pick] = open[--count];
		} else if (count > 0) {
			uint32_t before = i - (uint32_t)random() % 100;
			unsigned kept = 0;

			for (unsigned k = 0; k < count; k++)
				if (open[k].client >= before)
					open[kept++] = open[k];
			assert_int_equal(flight_expire(&flight, before), count - kept);
			given_up += count - kept;
			count = kept;
		}
		assert_int_equal(flight.open, count);
	}
	assert_true(given_up > 0 && flight.head > 2 * FLIGHT_MAX);
	flight_done(&flight);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_is_answered_once),
		cmocka_unit_test(room_comes_back_with_the_oldest),
		cmocka_unit_test(the_lost_are_given_up_oldest_first),
		cmocka_unit_test(the_table_is_capped_at_the_ids),
		cmocka_unit_test(random_traffic_agrees_with_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
