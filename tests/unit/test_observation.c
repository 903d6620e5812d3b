// Lines with measured round trips: what is read, what is refused and why, and the queue between threads.
#include "learn/observation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "learn/hopper.h"

static void test_lines(void **state)
{
	static const struct {
		const char *line, *client, *site; // client NULL: refused, with `site` in the reason; site NULL: nothing on it
		uint32_t us;
		bool has_host;
	} rows[] = {
		{"192.0.2.7 bos 23.5 web-1", "192.0.2.7", "bos", 23500, true},
		{"192.0.2.7 bos 23.5", "192.0.2.7", "bos", 23500, false},
		{"\t2001:db8::7   us-east-1-wl1-bos-wlz-1\t7 \r", "2001:db8::7", "us-east-1-wl1-bos-wlz-1", 7000, false},
		{"::ffff:192.0.2.7 bos 0.001", "192.0.2.7", "bos", 1, false},
		{"192.0.2.7 bos 60000.000", "192.0.2.7", "bos", 60000000, false},
		{"192.0.2.7 bos 1.23456789", "192.0.2.7", "bos", 1234, false},
		{"192.0.2.7 bos 12.", "192.0.2.7", "bos", 12000, false},
		{"", "", NULL, 0, false},
		{"   ", "", NULL, 0, false},
		{"# 192.0.2.7 bos 23.5", "", NULL, 0, false},
		{"192.0.2.7 bos", NULL, "a word missing", 0, false},
		{"192.0.2.7 bos 1 a b", NULL, "too many words", 0, false},
		{"192.0.2.7/24 bos 1", NULL, "'192.0.2.7/24' is not an address", 0, false},
		{"- bos 1", NULL, "'-' is not an address", 0, false},
		{"192.0.2.7 b/s 1", NULL, "'b/s' is not the name", 0, false},
		{"192.0.2.7 bos -1", NULL, "'-1' is not a round trip", 0, false},
		{"192.0.2.7 bos 0", NULL, "'0' is not a round trip", 0, false},
		{"192.0.2.7 bos 0.0009", NULL, "is not a round trip", 0, false},
		{"192.0.2.7 bos 60000.001", NULL, "is not a round trip", 0, false},
		{"192.0.2.7 bos 999999999999999999999", NULL, "is not a round trip", 0, false},
		{"192.0.2.7 bos 1e3", NULL, "is not a round trip", 0, false},
		{"192.0.2.7 bos nan", NULL, "is not a round trip", 0, false},
		{"192.0.2.7 bos .5", NULL, "is not a round trip", 0, false},
		{"192.0.2.7 bos 5ms", NULL, "is not a round trip", 0, false},
		{"\x1b[2J bos 5", NULL, "'?[2J' is not an address", 0, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct observation observation;
		char why[OBSERVATION_WHY_LEN] = "", text[ADDR_TEXT_LEN];
		int read = observation_parse(rows[i].line, strlen(rows[i].line), &observation, why);

		if (!rows[i].client) {
			assert_int_equal(read, E_INVAL);
			if (!strstr(why, rows[i].site))
				fail_msg("%s: %s", rows[i].line, why);
			continue;
		}
		assert_int_equal(read, rows[i].site != NULL);
		if (read == 0)
			continue;
		assert_string_equal(addr_format(&observation.client, text), rows[i].client);
		assert_string_equal(observation.site, rows[i].site);
		assert_int_equal(observation.us, rows[i].us);
		assert_int_equal(observation.host != 0, rows[i].has_host);
	}
}

static void test_long_lines(void **state)
{
	char line[OBSERVATION_LINE_MAX + 2], why[OBSERVATION_WHY_LEN];
	struct observation observation;

	(void)state;
	memset(line, 'x', sizeof(line));
	assert_int_equal(observation_parse(line, OBSERVATION_LINE_MAX + 1, &observation, why), E_INVAL);
	assert_non_null(strstr(why, "longer than 256"));
	assert_int_equal(observation_parse(line, OBSERVATION_LINE_MAX, &observation, why), E_INVAL);
	memcpy(line, "192.0.2.7 bos 1\0 2", 18);
	assert_int_equal(observation_parse(line, 18, &observation, why), E_INVAL);
	assert_non_null(strstr(why, "zero octet"));
	// A site as long as a name may be, and one octet longer.
	memset(line, ' ', sizeof(line));
	memcpy(line, "192.0.2.7 ", 10);
	memset(line + 10, 's', NAME_MAX_LEN);
	memcpy(line + 11 + NAME_MAX_LEN, "9", 1);
	assert_int_equal(observation_parse(line, 100, &observation, why), 1);
	assert_int_equal(strlen(observation.site), NAME_MAX_LEN);
	line[10 + NAME_MAX_LEN] = 's';
	line[12 + NAME_MAX_LEN] = '9';
	assert_int_equal(observation_parse(line, 100, &observation, why), E_INVAL);
}

// Lines of a text, good and bad, are counted with their numbers; when the queue is full the rest of a text is left.
static void test_queue(void **state)
{
	static const char text[] = "10.0.0.1 bos 1 a\nrubbish\n\n10.0.0.2 bos 2 a\nmore rubbish here it is\n10.0.0.3 bos 3";
	static const char line[] = "10.0.0.4 bos 4\n";
	struct hopper *hopper = hopper_new();
	struct hopper_counts counts;
	struct hopper_result result;
	struct observation observation;
	unsigned taken = 0;

	(void)state;
	assert_non_null(hopper);
	hopper_read(hopper, "the test", text, sizeof(text) - 1, &result);
	assert_int_equal(result.used, sizeof(text) - 1);
	assert_int_equal(result.lines, 4);
	assert_int_equal(result.bad, 2);
	hopper_count(hopper, &counts);
	assert_int_equal(counts.lines, 3);
	assert_int_equal(counts.bad, 2);
	assert_non_null(strstr(counts.error, "the test, line 5: there are too many words"));
	for (unsigned i = 1; i <= 3; i++) {
		assert_true(hopper_take(hopper, &observation));
		assert_int_equal(observation.us, i * 1000);
	}
	assert_false(hopper_take(hopper, &observation));
	for (unsigned i = 0; i < HOPPER_MAX; i++)
		hopper_read(hopper, "the test", line, sizeof(line) - 1, &result);
	assert_int_equal(result.used, sizeof(line) - 1);
	hopper_read(hopper, "the test", line, sizeof(line) - 1, &result);
	assert_int_equal(result.used, 0);
	while (hopper_take(hopper, &observation))
		taken++;
	assert_int_equal(taken, HOPPER_MAX);
	hopper_free(hopper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
