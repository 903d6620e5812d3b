// Numbers with units, and the words somebody meant: tables of text and result.
#include "schema/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/nearest.h"

enum { BAD = -1 };

static void durations(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{"0", 0}, {"0s", 0}, {"10s", 10000}, {"100ms", 100}, {"1h30m", 5400000}, {"1d", 86400000}, {"2m", 120000},
		{"1d2h3m4s5ms", 93784005}, {"1500ms", 1500}, {"90s", 90000}, {"007s", 7000},
		{"", BAD}, {"10", BAD}, {"s", BAD}, {"10x", BAD}, {"1.5s", BAD}, {"-1s", BAD}, {"+1s", BAD}, {" 1s", BAD},
		{"1s ", BAD}, {"1 s", BAD}, {"30m1h", BAD}, {"1s1s", BAD}, {"1hm", BAD}, {"1h30", BAD}, {"10S", BAD},
		{"1w", BAD}, {"00", BAD}, {"9999999999999999s", BAD}, {"999999999999999d", BAD}, {"\xc2\xb5s", BAD},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t ms = 77;
		int err = units_parse_duration_ms(rows[i].text, &ms);

		if (err != (rows[i].ms == BAD ? E_INVAL : E_OK) || ms != (rows[i].ms == BAD ? 77 : (uint64_t)rows[i].ms))
			fail_msg("`%s`: %d, %llu", rows[i].text, err, (unsigned long long)ms);
	}
}

static void durations_and_back(void **state)
{
	static const struct {
		uint64_t ms;
		const char *text;
	} rows[] = {
		{0, "0s"}, {1, "1ms"}, {999, "999ms"}, {1000, "1s"}, {90000, "1m30s"}, {5400000, "1h30m"},
		{86400000, "1d"}, {93784005, "1d2h3m4s5ms"}, {UINT64_MAX, "213503982334d14h25m51s615ms"},
	};
	char buf[UNITS_TEXT_LEN];
	uint64_t ms;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_string_equal(units_format_duration_ms(rows[i].ms, buf), rows[i].text);
		if (rows[i].ms == UINT64_MAX)
			continue; // more than the parser takes
		assert_int_equal(units_parse_duration_ms(buf, &ms), E_OK);
		assert_int_equal(ms, rows[i].ms);
	}
}

struct number_row {
	const char *text;
	double number; // BAD_NUMBER: refused
};

#define BAD_NUMBER 1e300

static void walk(const struct number_row *rows, size_t count, int (*parse)(const char *text, double *ret))
{
	for (size_t i = 0; i < count; i++) {
		double number = BAD_NUMBER;
		int err = parse(rows[i].text, &number);
		double off = number - rows[i].number;

		if (err != (rows[i].number == BAD_NUMBER ? E_INVAL : E_OK) || off > 1e-9 || off < -1e-9)
			fail_msg("`%s`: %d, %g", rows[i].text, err, number);
	}
}

static void latencies(void **state)
{
	static const struct number_row rows[] = {
		{"5ms", 5000}, {"0.02ms", 20}, {"250us", 250}, {"-250us", -250}, {"-1.5ms", -1500}, {"1s", 1000000}, {"0", 0},
		{"-0", 0}, {"0.0", 0}, {"10ms", 10000},
		{"", BAD_NUMBER}, {"5", BAD_NUMBER}, {".5ms", BAD_NUMBER}, {"5.ms", BAD_NUMBER}, {"--5ms", BAD_NUMBER},
		{"+5ms", BAD_NUMBER}, {"5ms1us", BAD_NUMBER}, {"1e3us", BAD_NUMBER}, {"nan", BAD_NUMBER}, {"infs", BAD_NUMBER},
		{"0x10us", BAD_NUMBER}, {"5m", BAD_NUMBER}, {"5 ms", BAD_NUMBER}, {"1234567890123456us", BAD_NUMBER},
		{"1.1234567890123456us", BAD_NUMBER}, {"-", BAD_NUMBER},
	};

	(void)state;
	walk(rows, ARRAY_LEN(rows), units_parse_latency_us);
}

static void distances(void **state)
{
	static const struct number_row rows[] = {
		{"200km", 200}, {"50m", 0.05}, {"0", 0}, {"1.5km", 1.5}, {"-1km", -1},
		{"200", BAD_NUMBER}, {"200 km", BAD_NUMBER}, {"200mi", BAD_NUMBER}, {"km", BAD_NUMBER}, {"2km5m", BAD_NUMBER},
	};

	(void)state;
	walk(rows, ARRAY_LEN(rows), units_parse_distance_km);
}

static void numbers(void **state)
{
	static const struct number_row rows[] = {
		{"40.7", 40.7}, {"-74.006", -74.006}, {"0", 0}, {"90", 90},
		{"", BAD_NUMBER}, {"40,7", BAD_NUMBER}, {"40.7N", BAD_NUMBER}, {"1e2", BAD_NUMBER}, {"- 1", BAD_NUMBER},
	};

	(void)state;
	walk(rows, ARRAY_LEN(rows), units_parse_number);
}

static void integers(void **state)
{
	uint64_t integer = 77;

	(void)state;
	assert_int_equal(units_parse_integer("123456789012345", &integer), E_OK);
	assert_int_equal(integer, 123456789012345);
	integer = 77;
	assert_int_equal(units_parse_integer("1234567890123456", &integer), E_INVAL);
	assert_int_equal(units_parse_integer("", &integer), E_INVAL);
	assert_int_equal(units_parse_integer("-1", &integer), E_INVAL);
	assert_int_equal(units_parse_integer("1.0", &integer), E_INVAL);
	assert_int_equal(units_parse_integer("0x1", &integer), E_INVAL);
	assert_int_equal(integer, 77);
}

static void nearest_words(void **state)
{
	static const char *const words[] = {"listen",    "workers", "tcp-idle", "tcp-clients",
	                                    "us-east-1", "ttl",     "us-west-2"};
	static const struct {
		const char *wanted, *word;
	} rows[] = {
		{"wrokers", "workers"},   {"listen", "listen"},       {"lisetn", "listen"},  {"tcp-idel", "tcp-idle"},
		{"us-est-1", "us-east-1"}, {"us-west-1", "us-west-2"}, {"ttk", "ttl"},        {"tl", "ttl"},
		{"worker_s", "workers"},  {"zzz", NULL},              {"t", NULL},           {"", NULL},
		{"banana", NULL},         {"xxxten", NULL},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nearest nearest = nearest_begin(rows[i].wanted);
		char meant[NEAREST_MEANT_MAX], expected[NEAREST_MEANT_MAX] = "";

		for (size_t j = 0; j < ARRAY_LEN(words); j++)
			nearest_offer(&nearest, words[j]);
		if (rows[i].word ? !nearest.word || strcmp(nearest.word, rows[i].word) != 0 : nearest.word != NULL)
			fail_msg("`%s`: %s", rows[i].wanted, nearest.word ? nearest.word : "none");
		if (rows[i].word)
			snprintf(expected, sizeof(expected), ", did you mean `%s`?", rows[i].word);
		assert_string_equal(nearest_meant(&nearest, '`', meant), expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations), cmocka_unit_test(durations_and_back), cmocka_unit_test(latencies),
		cmocka_unit_test(distances), cmocka_unit_test(numbers),            cmocka_unit_test(integers),
		cmocka_unit_test(nearest_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
