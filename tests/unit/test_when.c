// Points in time as people write them: a table, and every hour of a year there and back.
#include "base/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/err.h"

enum { NOW_S = 1786284200 }; // 2026-08-09T14:03:20Z

static void test_table(void **unused)
{
	static const struct {
		const char *text;
		int64_t time_s; // -1: E_INVAL
	} rows[] = {
		{"2026-08-09T14:03:20Z", NOW_S},
		{"2026-08-09t14:03:20z", NOW_S},
		{"2026-08-09 14:03:20Z", NOW_S},
		{"2026-08-09T14:03Z", NOW_S - 20},
		{"2026-08-09T16:03:20+02:00", NOW_S},
		{"2026-08-09T09:33:20-04:30", NOW_S},
		{"@1786284200", NOW_S},
		{"@0", 0},
		{"", -1}, {"@", -1}, {"@-1", -1}, {"@1x", -1}, {"@123456789012", -1}, {"now", -1}, {"tomorrow", -1},
		{"2026-08-09", -1}, {"2026-08-09T14:03:20", -1}, {"14:03", -1}, {"2026-08-09T24:00:00Z", -1},
		{"2026-08-09T14:60:00Z", -1}, {"2026-08-09T14:03:60Z", -1}, {"2026-02-29T10:00:00Z", -1}, {"2026-13-01T10:00:00Z", -1},
		{"2026-00-01T10:00:00Z", -1}, {"2026-01-00T10:00:00Z", -1}, {"2026-8-9T14:03:20Z", -1}, {"2026-08-09T14:03:20Zx", -1},
		{"2026-08-09T14:03:20+2:00", -1}, {"2026-08-09T14:03:20+02", -1}, {"1969-08-09T14:03:20Z", -1},
		{"2028-02-29T00:00:00Z", 1835395200},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t time_s = -1;
		int err = when_parse(rows[i].text, NOW_S, false, &time_s);

		if (err != (rows[i].time_s < 0 ? E_INVAL : E_OK) || time_s != rows[i].time_s)
			fail_msg("%s: %d, %lld", rows[i].text, err, (long long)time_s);
	}
}

// In a zone with summer time, two hours east of UTC then.
static void test_local(void **unused)
{
	static const struct {
		const char *text;
		int64_t time_s;
	} rows[] = {
		{"2026-08-09 16:03:20", NOW_S}, {"2026-08-09T16:03", NOW_S - 20}, {"2026-01-09 15:03:20", 1767967400},
		{"16:03:21", NOW_S + 1}, {"16:03:20", NOW_S + 86400}, {"16:04", NOW_S + 40}, {"00:00", NOW_S + 7 * 3600 + 3400},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t time_s = -1;

		assert_int_equal(when_parse(rows[i].text, NOW_S, true, &time_s), E_OK);
		if (time_s != rows[i].time_s)
			fail_msg("%s: %lld", rows[i].text, (long long)time_s);
	}
}

static void test_there_and_back(void **unused)
{
	char text[WHEN_TEXT_LEN];

	(void)unused;
	for (int64_t time_s = NOW_S; time_s < NOW_S + (int64_t)366 * 86400; time_s += 3599) {
		int64_t back_s = 0;

		assert_int_equal(when_parse(when_format(time_s, text), 0, false, &back_s), E_OK);
		assert_int_equal(back_s, time_s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table), cmocka_unit_test(test_local), cmocka_unit_test(test_there_and_back),
	};

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
