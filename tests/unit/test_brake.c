// The brake, by a clock of the test's own: what is held, and each way in which it ends.
#include "health/brake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// Targets 0 to 3 are in group 0, at two sites; 4 to 6 in group 1, at one; 7 and 8 in group 2, at two. SHADOW has the
// members of group 0, and nobody counts for it but where a test says so.
enum { TARGETS = 9, GROUPS = 4, SHADOW = 3, WITHIN_MS = 11000, LONGEST_MS = 60000 };

static const uint32_t group_of[TARGETS] = {0, 0, 0, 0, 1, 1, 1, 2, 2};
static const uint32_t site_of[TARGETS] = {1, 1, 2, 2, 3, 3, 3, 4, 5};
static struct brake *brake;
static unsigned told;
static enum brake_end last_end;

static bool member(void *ctx, uint32_t group, uint32_t target)
{
	(void)ctx;
	return group_of[target] == group || (group == SHADOW && group_of[target] == 0);
}

static uint32_t site(void *ctx, uint32_t target)
{
	(void)ctx;
	return site_of[target];
}

static void changed(void *ctx, uint32_t target, bool held)
{
	(void)ctx;
	assert_int_equal(brake_held(brake, target), held);
}

static void tell(void *ctx, uint32_t group, const struct brake_group *state)
{
	(void)ctx;
	(void)group;
	told++;
	last_end = state->end;
}

static const struct brake_ops ops = {member, site, changed, tell, NULL};

static void begin(void)
{
	brake = brake_new(TARGETS, GROUPS);
	assert_non_null(brake);
	brake_begin(brake, &ops, NULL, NULL, NULL);
	for (uint32_t i = 0; i < TARGETS; i++)
		brake_count(brake, group_of[i], 1);
	brake_look(brake, 0, WITHIN_MS, LONGEST_MS);
	told = 0;
}

static void fall(uint32_t target, bool alone, int64_t now_ms)
{
	brake_count(brake, group_of[target], -1);
	brake_fell(brake, target, alone, now_ms);
	brake_look(brake, now_ms, WITHIN_MS, LONGEST_MS);
}

static void rise(uint32_t target, int64_t now_ms)
{
	brake_count(brake, group_of[target], 1);
	brake_rose(brake, target);
	brake_look(brake, now_ms, WITHIN_MS, LONGEST_MS);
}

static unsigned held(void)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < TARGETS; i++)
		count += brake_held(brake, i);
	return count;
}

static void fall_all(int64_t from_ms)
{
	for (uint32_t i = 0; i < 4; i++)
		fall(i, true, from_ms + i * 1000);
}

static void test_held_when_all_fell(void **unused)
{
	(void)unused;
	begin();
	for (uint32_t i = 0; i < 3; i++) {
		fall(i, true, 1000 + i * 1000);
		assert_int_equal(held(), 0); // one is still up
	}
	fall(3, true, 10000);
	assert_int_equal(held(), 4);
	assert_int_equal(told, 1);
	assert_int_equal(brake_group_at(brake, 0)->phase, BRAKE_HOLDS);
	brake_free(brake);
}

// The three ways, each for a failure of its own; then everything begins anew.
static void test_by_time(void **unused)
{
	(void)unused;
	begin();
	fall_all(1000);
	brake_look(brake, 4000 + LONGEST_MS - 1, WITHIN_MS, LONGEST_MS);
	assert_int_equal(held(), 4);
	brake_look(brake, 4000 + LONGEST_MS, WITHIN_MS, LONGEST_MS);
	assert_int_equal(held(), 0);
	assert_int_equal(last_end, BRAKE_BY_TIME);
	assert_int_equal(told, 2);
	rise(0, 70000);
	fall(0, true, 71000); // the others fell long ago
	assert_int_equal(held(), 0);
	for (uint32_t i = 0; i < 4; i++)
		rise(i, 72000);
	fall_all(80000);
	assert_int_equal(held(), 4);
	brake_free(brake);
}

static void test_by_operator(void **unused)
{
	(void)unused;
	begin();
	assert_false(brake_release(brake, 0, 500));
	fall_all(1000);
	assert_true(brake_release(brake, 0, 5000));
	assert_int_equal(held(), 0);
	assert_int_equal(last_end, BRAKE_BY_OPERATOR);
	brake_look(brake, 5001, WITHIN_MS, LONGEST_MS);
	assert_int_equal(held(), 0); // for this failure it is released
	assert_false(brake_release(brake, 0, 6000));
	brake_free(brake);
}

// A second vantage says so of one after the other: each goes, the rest is held on.
static void test_by_a_second_vantage(void **unused)
{
	(void)unused;
	begin();
	fall_all(1000);
	for (uint32_t i = 0; i < 4; i++) {
		brake_rose(brake, i);
		brake_look(brake, 5000 + i, WITHIN_MS, LONGEST_MS);
		assert_int_equal(held(), 3 - i);
	}
	assert_int_equal(last_end, BRAKE_BY_ITSELF);
	assert_int_equal(brake_group_at(brake, 0)->phase, BRAKE_RELEASED);
	brake_free(brake);
}

// What comes back up is not held; what has not is, for as long as it may be.
static void test_some_come_back(void **unused)
{
	(void)unused;
	begin();
	fall_all(1000);
	rise(2, 6000);
	assert_int_equal(held(), 3);
	fall(2, true, 7000);
	assert_int_equal(held(), 4); // more of the same, and for no longer
	brake_look(brake, 4000 + LONGEST_MS, WITHIN_MS, LONGEST_MS);
	assert_int_equal(held(), 0);
	brake_free(brake);
}

static void test_not_held(void **unused)
{
	(void)unused;
	begin();
	for (uint32_t i = 4; i < 7; i++) // at one site
		fall(i, true, 1000);
	for (uint32_t i = 7; i < 9; i++) // two targets
		fall(i, true, 1000);
	assert_int_equal(held(), 0);
	brake_free(brake);

	begin();
	for (uint32_t i = 0; i < 4; i++) // seen by two vantages
		fall(i, false, 1000);
	assert_int_equal(held(), 0);
	brake_free(brake);

	begin();
	for (uint32_t i = 0; i < 4; i++) // one after another, for a minute
		fall(i, true, 1000 + i * 20000);
	assert_int_equal(held(), 0);
	brake_free(brake);

	begin();
	for (uint32_t i = 0; i < 4; i++) {
		brake_count(brake, 0, -1);
		brake_fell(brake, i, true, 1000);
	}
	brake_look(brake, 1000, WITHIN_MS, 0); // switched off
	assert_int_equal(held(), 0);
	brake_free(brake);
}

// A reload goes on with what is held, in other numbers; a group that is gone holds nothing.
static void test_carried(void **unused)
{
	static const uint32_t old_of_new[TARGETS] = {3, 2, 1, 0, 4, 5, 6, 7, UINT32_MAX};
	static const uint32_t same[GROUPS] = {0, 1, 2, 3}, without[GROUPS] = {UINT32_MAX, 1, 2, 3};

	(void)unused;
	for (int gone = 0; gone <= 1; gone++) {
		struct brake *before;

		begin();
		fall_all(1000);
		before = brake;
		brake = brake_new(TARGETS, GROUPS);
		assert_non_null(brake);
		brake_begin(brake, &ops, before, old_of_new, gone ? without : same);
		brake_free(before);
		assert_int_equal(held(), gone ? 0 : 4);
		if (!gone)
			assert_true(brake_release(brake, 0, 5000));
		brake_free(brake);
	}
}

// What one group holds already, such as what the probes see, is not held by another, such as a region, and not told twice.
static void test_held_once(void **unused)
{
	(void)unused;
	begin();
	brake_count(brake, SHADOW, 1);
	brake_look(brake, 0, WITHIN_MS, LONGEST_MS);
	fall_all(1000);
	assert_int_equal(told, 1);
	brake_count(brake, SHADOW, -1);
	brake_look(brake, 4000, WITHIN_MS, LONGEST_MS);
	brake_look(brake, 5000, WITHIN_MS, LONGEST_MS);
	assert_int_equal(told, 1);
	assert_int_equal(held(), 4);
	assert_int_equal(brake_group_at(brake, SHADOW)->phase, BRAKE_ARMED);
	assert_true(brake_release(brake, 0, 6000));
	brake_look(brake, 7000, WITHIN_MS, LONGEST_MS);
	assert_int_equal(held(), 0);
	brake_free(brake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_held_when_all_fell), cmocka_unit_test(test_by_time),
		cmocka_unit_test(test_by_operator),        cmocka_unit_test(test_by_a_second_vantage),
		cmocka_unit_test(test_some_come_back),     cmocka_unit_test(test_not_held),
		cmocka_unit_test(test_carried),            cmocka_unit_test(test_held_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
