// What a report keeps, and how its lines start.
#include "base/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report_text.h"

static void test_places(void **state)
{
	struct report *report = report_new();

	(void)state;
	assert_true(report_ok(report));
	report_error(report, "f", 3, 5, "a %d", 1);
	report_warning(report, "f", 3, 0, "b");
	report_add(report, REPORT_NOTE, "f", 0, 5, "c");
	report_error(report, NULL, 3, 5, "d");
	report_error(report, "g\n", 1, 0, "\033[31m\x7f\t\xc3\xa9");

	char *reported = report_text(report);

	assert_string_equal(reported, "f:3:5: a 1\nwarning: f:3: b\nnote: f: c\nd\ng?:1: ?[31m??\xc3\xa9\n");
	assert_false(report_ok(report));
	assert_int_equal(report_count(report, REPORT_ERROR), 3);
	free(reported);
	report_free(report);
}

static void count_line(void *ctx, enum report_level level, const char *text)
{
	size_t *counts = ctx;

	if (strstr(text, "not shown"))
		assert_string_equal(text, "1500 more lines not shown");
	counts[level]++;
}

// Very many warnings leave room for the errors behind them.
static void test_caps(void **state)
{
	struct report *report = report_new();
	size_t counts[3] = {0};

	(void)state;
	for (size_t i = 0; i < 1500; i++)
		report_warning(report, "f", i, 0, "odd");
	for (size_t i = 0; i < 1000; i++)
		report_error(report, "f", i, 0, "wrong");
	report_each(report, count_line, counts);
	assert_int_equal(counts[REPORT_WARNING], REPORT_WARNINGS_MAX);
	assert_int_equal(counts[REPORT_ERROR], REPORT_MAX - REPORT_WARNINGS_MAX + 1); // and the line that counts the rest
	assert_int_equal(report_count(report, REPORT_WARNING), 1500);
	report_free(report);
}

static void last_level(void *ctx, enum report_level level, const char *text)
{
	(void)text;
	*(enum report_level *)ctx = level;
}

// The line that counts the rest is an error only when there are errors among it.
static void test_rest(void **state)
{
	struct report *report = report_new();
	enum report_level last;

	(void)state;
	report_error(report, "f", 1, 0, "wrong");
	for (size_t i = 0; i < 1500; i++)
		report_warning(report, "f", i, 0, "odd");
	report_each(report, last_level, &last);
	assert_int_equal(last, REPORT_WARNING);
	report_free(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
