// Lines about single checks are bounded, and what is left out is counted.
#include "health/health_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "health/watch.h"

static struct check check = {.conf = {.fall = 3}};
static struct watch *watch;
static struct endpoint *endpoint;

static int set_up(void **state)
{
	const struct addr addr = {ADDR_V4, {192, 0, 2, 1}};

	(void)state;
	check.users = 1; // ours, so that it stays
	watch = watch_new("app.example", "bos", &check, 0);
	assert_non_null(watch);
	endpoint = watch->endpoints = watch_endpoint_new(watch, &addr);
	assert_non_null(endpoint);
	endpoint->shown.up = true;
	endpoint->shown.streak = 1;
	strcpy(endpoint->shown.text, "HTTP status 503");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	watch_free(watch);
	return 0;
}

static char said[1 << 16];

// What is written to standard error while `write_lines` runs, in `said`; the number of lines.
static unsigned lines_of(void (*write_lines)(struct health_log *log), struct health_log *log)
{
	FILE *file = tmpfile();
	int kept = dup(STDERR_FILENO);
	unsigned lines = 0;
	size_t len;

	assert_non_null(file);
	assert_true(kept >= 0 && dup2(fileno(file), STDERR_FILENO) >= 0);
	write_lines(log);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	close(kept);
	rewind(file);
	len = fread(said, 1, sizeof(said) - 1, file);
	said[len] = '\0';
	fclose(file);
	for (const char *at = said; (at = strchr(at, '\n')); at++)
		lines++;
	return lines;
}

static void one_of_each(struct health_log *log)
{
	health_log_failing(log, endpoint);
	health_log_recovered(log, endpoint, 1);
	health_log_recovered(log, endpoint, 2);
}

static void thousand(struct health_log *log)
{
	for (int i = 0; i < 500; i++) {
		health_log_failing(log, endpoint);
		health_log_recovered(log, endpoint, 1);
	}
}

static void words(void **state)
{
	struct health_log log = {0};

	(void)state;
	assert_int_equal(lines_of(one_of_each, &log), 3);
	assert_non_null(strstr(said, "health: the check of app.example at bos fails, 1 of 3 times until it counts as down: HTTP "
	                             "status 503\n"));
	assert_non_null(strstr(said, "health: the check of app.example at bos succeeds again after 1 failure\n"));
	assert_non_null(strstr(said, "succeeds again after 2 failures\n"));
}

// With several addresses, which one it is.
static void words_of_several(void **state)
{
	const struct addr other = {ADDR_V6, {0x20, 1, 0xd, 0xb8, [15] = 2}};
	struct health_log log = {0};

	(void)state;
	endpoint->next = watch_endpoint_new(watch, &other);
	assert_non_null(endpoint->next);
	assert_int_equal(lines_of(one_of_each, &log), 3);
	assert_non_null(strstr(said, "health: the check of app.example at bos (192.0.2.1) fails, 1 of 3 times"));
	endpoint = endpoint->next;
	lines_of(one_of_each, &log);
	assert_non_null(strstr(said, "the check of app.example at bos (2001:db8::2) succeeds again after 1 failure\n"));
}

static void bounded(void **state)
{
	struct health_log log = {0};

	(void)state;
	assert_int_equal(lines_of(thousand, &log), 100);
	assert_int_equal(lines_of(thousand, &log), 0);
	log.minute_ms = clock_mono_ms() - 60001;
	assert_int_equal(lines_of(one_of_each, &log), 4);
	assert_non_null(strstr(said, "health: 1900 more checks began or stopped failing"));
	log.minute_ms = clock_mono_ms() - 60001;
	assert_int_equal(lines_of(one_of_each, &log), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(words, set_up, tear_down),
		cmocka_unit_test_setup_teardown(words_of_several, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bounded, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
