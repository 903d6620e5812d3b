// One override: what it must be like, and the share that a drain over a time leaves, by a clock of the test's own.
#include "state/override.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/err.h"

static const struct override plain = {.kind = OVERRIDE_DRAIN, .site = (char *)"bos", .who = (char *)"uid 0", .since_s = 1000};

// override.c's tables.
static void test_check(void **unused)
{
	struct override rows[19];
	static const int errors[] = {E_OK, E_OK, E_INVAL, E_INVAL, E_INVAL, E_OK, E_INVAL, E_INVAL, E_INVAL, E_INVAL,
	                             E_OK, E_INVAL, E_INVAL, E_INVAL, E_INVAL, E_INVAL, E_INVAL, E_INVAL, E_INVAL};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		rows[i] = plain;


	(void)unused;
	rows[1].site = (char *)"us-*,region:r";
	rows[2].site = (char *)"region:";
	rows[3].ender = (char *)"uid 1"; // without a way back
	rows[4].over_s = OVERRIDE_OVER_MAX_S + 1;
	rows[5] = (struct override){.kind = OVERRIDE_DRAIN, .site = (char *)"bos", .who = (char *)"uid 0", .since_s = 1000,
	                            .start_s = 2000, .over_s = 60, .until_s = 2060, .whence = 7, .is_returning = true,
	                            .ender = (char *)"uid 1"};
	rows[6] = rows[5];
	rows[6].until_s = 2061;
	rows[7] = rows[5];
	rows[7].whence = SHARE_WHOLE + 1;
	rows[8].kind = OVERRIDE_FORCE;
	rows[8].app = (char *)"a";
	rows[8].to = FORCE_UP;
	rows[8].site = (char *)"b*";
	rows[9] = rows[8];
	rows[9].site = (char *)"bos";
	rows[9].over_s = 5;
	rows[10] = (struct override){.kind = OVERRIDE_ADOPT, .site = (char *)"", .app = (char *)"a", .who = (char *)"uid 0",
	                             .since_s = 1000, .over_s = 60, .whence = 7, .share = SHARE_WHOLE};
	for (size_t i = 11; i < 18; i++)
		rows[i] = rows[10];
	rows[11].site = (char *)"bos";
	rows[12].app = NULL;
	rows[13].share = SHARE_WHOLE + 1;
	rows[14].to = FORCE_UP;
	rows[15].start_s = 2000;
	rows[16].until_s = 2000;
	rows[17].whence = SHARE_WHOLE + 1;
	rows[18].share = 1; // of a drain
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (override_check(&rows[i]) != errors[i])
			fail_msg("row %zu: %d", i, override_check(&rows[i]));
}

// Up and down, from where it begins to where it is to end.
static void test_adoption(void **unused)
{
	struct override adoption = {.kind = OVERRIDE_ADOPT, .since_s = 1000, .over_s = 100, .whence = 100, .share = 1100};

	(void)unused;
	// Given by a clock that has been set back since: not what a drain is before its start.
	assert_int_equal(override_share(&adoption, 5000), 100);
	adoption.over_s = 0;
	assert_int_equal(override_share(&adoption, 5000), 1100);
	adoption.over_s = 100;
	override_begin(&adoption, 1000000, 5000);
	assert_int_equal(override_share(&adoption, 5000), 100);
	assert_int_equal(override_share(&adoption, 5000 + 50000), 600);
	assert_int_equal(override_share(&adoption, 5000 + 100000), 1100);
	assert_int_equal(override_share(&adoption, 5000 + 900000), 1100);
	adoption.share = 0;
	assert_int_equal(override_share(&adoption, 5000 + 50000), 50);
	assert_int_equal(override_share(&adoption, 5000 + 100000), 0);
	adoption.over_s = 0; // at once
	adoption.share = 77;
	assert_int_equal(override_share(&adoption, 5000), 77);
	assert_false(override_is_plain(&adoption));
}

// What is written for an older version and read again is the same; what an older one has written is.
static void test_json(void **unused)
{
	struct override full = {.kind = OVERRIDE_DRAIN, .site = (char *)"b*", .app = (char *)"a", .reason = (char *)"r",
	                        .who = (char *)"w", .by = (char *)"b", .ender = (char *)"e", .since_s = 1, .start_s = 2,
	                        .until_s = 62, .over_s = 60, .whence = 4, .is_returning = true};
	struct override *back = NULL;
	json_t *object = override_to_json(&full);

	(void)unused;
	assert_int_equal(override_from_json(OVERRIDE_DRAIN, object, &back), E_OK);
	assert_string_equal(back->by, "b");
	assert_string_equal(back->ender, "e");
	assert_true(back->start_s == 2 && back->until_s == 62 && back->over_s == 60 && back->whence == 4 && back->is_returning);
	assert_false(override_is_plain(back));
	assert_true(override_is_plain(&plain));
	override_free(back);
	json_object_set_new(object, "over", json_integer(-1));
	assert_int_equal(override_from_json(OVERRIDE_DRAIN, object, &back), E_INVAL);
	json_decref(object);
}

static void test_share(void **unused)
{
	struct override drain = plain;

	(void)unused;
	drain.over_s = 100;
	drain.whence = SHARE_WHOLE;
	assert_int_equal(override_share(&drain, 5000), SHARE_WHOLE); // it has not begun
	override_begin(&drain, 1000 * 1000, 5000);
	assert_int_equal(override_share(&drain, 5000), SHARE_WHOLE);
	assert_int_equal(override_share(&drain, 0), SHARE_WHOLE);
	for (int tenth = 1; tenth <= 10; tenth++)
		assert_in_range(override_share(&drain, 5000 + tenth * 10000), SHARE_WHOLE * (10 - tenth) / 10,
		                SHARE_WHOLE * (10 - tenth) / 10 + 1);
	assert_int_equal(override_share(&drain, 5000 + 1000000), 0);
	// After a restart half of it has passed, whatever this process's monotonic clock says.
	override_begin(&drain, 1050 * 1000, 77);
	assert_int_equal(override_share(&drain, 77), SHARE_WHOLE / 2);
	// Turned round there.
	drain.is_returning = true;
	drain.whence = SHARE_WHOLE / 2;
	drain.begun_mono_ms = 0;
	assert_int_equal(override_share(&drain, 0), SHARE_WHOLE / 2);
	assert_int_equal(override_share(&drain, 50000), SHARE_WHOLE / 4 * 3);
	assert_int_equal(override_share(&drain, 100000), SHARE_WHOLE);
}

// Both ways, turned round at any moment: the share goes one way until the next turn, and no jump is larger than what
// the time between two looks accounts for.
static void test_turns(void **unused)
{
	struct override drain = plain;
	uint32_t last = SHARE_WHOLE;
	int64_t mono_ms = 0;

	(void)unused;
	srand(13);
	drain.has_begun = true;
	drain.whence = SHARE_WHOLE;
	drain.over_s = 60;
	for (int i = 0; i < 200000; i++) {
		int64_t step_ms = rand() % 1000;
		uint32_t share;

		mono_ms += step_ms;
		share = override_share(&drain, mono_ms);
		assert_true(drain.is_returning ? share >= last : share <= last);
		assert_true(labs((long)share - (long)last) <= (long)(SHARE_WHOLE * step_ms / (drain.over_s * 1000)) + 1);
		last = share;
		if (rand() % 50 == 0) {
			drain.is_returning = !drain.is_returning;
			drain.whence = share;
			drain.begun_mono_ms = mono_ms;
			drain.over_s = 1 + (uint32_t)(rand() % 600);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check), cmocka_unit_test(test_adoption), cmocka_unit_test(test_json), cmocka_unit_test(test_share), cmocka_unit_test(test_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
