// Damaged files in the state folder: they are set aside and told of, and what is whole in them is kept. Each test works
// in a folder of its own.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "state/state.h"
#include "statedir.h"

static int drain(struct state *state, const char *site, const char *app, int64_t until_s)
{
	return state_drain(state, &(struct drain){.site = (char *)site, .app = (char *)app, .who = (char *)"uid 0",
	                                          .since_s = 1000, .until_s = until_s});
}

static void test_damaged(void **unused)
{
	static const char *const texts[] = {
		"", "{", "nonsense", "[]", "null", "{\"drains\": [], \"forces\": []}", "\xff\xfe\x01",
		"{\"version\": 2, \"drains\": [], \"forces\": []}", "{\"version\": \"1\", \"drains\": [], \"forces\": []}",
		"{\"version\": 1}", "{\"version\": 1, \"drains\": {}, \"forces\": []}", "{\"version\": 1, \"drains\": []}",
		"{\"version\": 1, \"drains\": [7], \"forces\": []}",
		"{\"version\": 1, \"drains\": [{\"who\": \"w\", \"since\": 1, \"until\": 0}], \"forces\": []}",
		"{\"version\": 1, \"drains\": [{\"site\": \"\", \"who\": \"w\", \"since\": 1, \"until\": 0}], \"forces\": []}",
		"{\"version\": 1, \"drains\": [{\"site\": \"s\", \"who\": \"w\", \"since\": 1.5, \"until\": 0}], \"forces\": []}",
		"{\"version\": 1, \"drains\": [], \"forces\": [{\"app\": \"a\", \"site\": \"s\", \"to\": \"auto\", \"who\": \"w\","
		"\"since\": 1}]}",
		"{\"version\": 1, \"drains\": [], \"forces\": []} more",
	};
	char health[160];

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		statedir_write("orders.json", texts[i]);
		snprintf(health, sizeof(health), "{\"version\": 1, \"saved\": %lld, \"health\": {\"a\": {\"s\": {\"up\": true, \"probed\": 7}}}}",
		         (long long)clock_wall_s());
		statedir_write("health.json", health);

		struct state *state = statedir_open();

		assert_int_equal(state_drain_count(state), 0);
		assert_int_equal(state_force_count(state), 0);
		assert_int_equal(state_health(state, "a", "s", 7), 1); // the other file is not touched
		assert_int_equal(statedir_count("orders.json.damaged-"), i + 1); // each one is kept
		assert_int_equal(drain(state, "bos", NULL, 0), E_OK);
		state = statedir_reopen(state);
		assert_int_equal(state_drain_count(state), 1);
		state_close(state);
	}
}

static void test_damaged_health(void **unused)
{
	static const char *const texts[] = {
		"{\"version\": 1}", "{\"version\": 1, \"health\": []}", "{\"version\": 1, \"health\": {\"a\": true}}",
		"{\"version\": 1, \"health\": {\"a\": {\"s\": 1}}}",
		"{\"version\": 1, \"health\": {\"a\": {\"s\": {\"up\": true, \"probed\": 7}}, \"a\": {\"t\": {\"up\": true, \"probed\": 7}}}}",
		"{\"version\": 1, \"health\": {\"a\": {\"s\": {\"up\": true, \"probed\": 2147483648}}}}",
		"{\"version\": 1, \"health\": {\"a\": {\"s\": {\"up\": true, \"probed\": -1}}}}",
		"{\"version\": 1, \"health\": {\"a\": {\"s\": {\"up\": true, \"probed\": 7, \"x\": 1}}}}",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		statedir_write("health.json", texts[i]);

		struct state *state = statedir_open();

		assert_int_equal(state_health(state, "a", "s", 7), -1);
		assert_int_equal(statedir_count("health.json.damaged-"), i + 1);
		state_close(state);
	}
}

#define DRAIN(site) "{\"site\": \"" site "\", \"who\": \"w\", \"since\": 1, \"until\": 0}"
#define FORCE(site, to) \
	"{\"app\": \"a\", \"site\": \"" site "\", \"to\": \"" to "\", \"who\": \"w\", \"since\": 1}"
#define ORDERS(drains, forces) "{\"version\": 1, \"drains\": " drains ", \"forces\": " forces "}"

// One bad entry does not free every site.
static void test_whole_entries_are_kept(void **unused)
{
	static const struct {
		const char *text;
		size_t drains, forces, lost;
	} rows[] = {
		{ORDERS("[" DRAIN("s") ", 7, " DRAIN("t") "]", "[" FORCE("s", "up") "]"), 2, 1, 1},
		{ORDERS("[" DRAIN("s") "]", "[" FORCE("s", "sideways") ", " FORCE("t", "down") "]"), 1, 1, 1},
		{ORDERS("[" DRAIN("s") ", " DRAIN("") ", " DRAIN("s") "]", "[]"), 1, 0, 2}, // of two for one thing the first counts
		{ORDERS("[" DRAIN("s") "]", "[" FORCE("s", "up") ", " FORCE("s", "down") "]"), 1, 1, 1},
		{ORDERS("{}", "[" FORCE("s", "up") "]"), 0, 1, 1},
		{"{\"version\": 1, \"drains\": [" DRAIN("s") "]}", 1, 0, 1},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct state_aside aside = {0};

		statedir_write("orders.json", rows[i].text);

		struct state *state = statedir_open();

		assert_int_equal(state_drain_count(state), rows[i].drains);
		assert_int_equal(state_force_count(state), rows[i].forces);
		assert_int_equal(state_drained(state, NULL, "s", 1) != NULL, rows[i].drains > 0);
		assert_int_equal(statedir_count("orders.json.damaged-"), i + 1);
		assert_int_equal(state_aside(state, &aside), E_OK);
		assert_true(aside.is_counted);
		assert_int_equal(aside.kept, rows[i].drains + rows[i].forces);
		assert_int_equal(aside.lost, rows[i].lost);
		free(aside.path);

		assert_int_equal(statedir_count("orders.json"), i + 2); // what is kept is saved at once
		state = statedir_reopen(state);
		assert_int_equal(state_drain_count(state), rows[i].drains);
		assert_int_equal(state_force_count(state), rows[i].forces);
		state_close(state);
	}
}

static void test_more_than_there_can_be(void **unused)
{
	struct state_aside aside = {0};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)unused;
	fputs("{\"version\": 1, \"forces\": [], \"drains\": [", out);
	for (int i = 0; i < STATE_ORDERS_MAX + 7; i++)
		fprintf(out, "%s{\"site\":\"s%d\",\"who\":\"w\",\"since\":1,\"until\":0}", i ? "," : "", i);
	fputs("]}", out);
	fclose(out);
	statedir_write("orders.json", text);
	free(text);

	struct state *state = statedir_open();

	assert_int_equal(state_drain_count(state), STATE_ORDERS_MAX);
	assert_int_equal(state_aside(state, &aside), E_OK);
	assert_int_equal(aside.lost, 7);
	free(aside.path);
	state_close(state);
}

static void check_aside(const struct state *state, const char *file, int64_t time_s, size_t files)
{
	struct state_aside aside = {.time_s = -1};
	char path[160];

	assert_int_equal(state_aside(state, &aside), E_OK);
	assert_int_equal(aside.files, files);
	assert_false(aside.is_counted); // not of this start, or not read at all
	if (!file) {
		assert_null(aside.path);
		return;
	}
	snprintf(path, sizeof(path), "%s/%s", statedir, file);
	assert_string_equal(aside.path, path);
	assert_int_equal(aside.time_s, time_s);
	free(aside.path);
}

// What was lost is told until the file is taken away: neither other orders nor a restart are somebody's knowing of it.
static void test_told_until_taken_away(void **unused)
{
	char path[160];
	struct state *state = statedir_open();

	(void)unused;
	check_aside(state, NULL, 0, 0);
	state_close(state);
	statedir_write("orders.json.damaged-500", "");
	statedir_write("orders.json.damaged-1000", "");
	statedir_write("orders.json.damaged-1000-2", "");
	statedir_write("orders.json.damaged-1000-1", "");
	statedir_write("orders.json.damaged-", "");
	statedir_write("orders.json.damaged-7000.mended", "");
	statedir_write("health.json.damaged-7000", "");
	state = statedir_open();
	check_aside(state, "orders.json.damaged-1000-2", 1000, 4);
	assert_int_equal(drain(state, "bos", NULL, 0), E_OK);
	state = statedir_reopen(state);
	check_aside(state, "orders.json.damaged-1000-2", 1000, 4);
	snprintf(path, sizeof(path), "%s/orders.json.damaged-1000-2", statedir);
	assert_int_equal(unlink(path), 0);
	check_aside(state, "orders.json.damaged-1000-1", 1000, 3);
	state_close(state);

	statedir_write("orders.json", "{");
	state = statedir_open();

	struct state_aside aside = {0};

	assert_int_equal(state_aside(state, &aside), E_OK);
	assert_int_equal(aside.files, 4);
	assert_in_range(aside.time_s, clock_wall_s() - 5, clock_wall_s());
	assert_false(aside.is_counted);
	free(aside.path);
	state_close(state);
}

// What is kept goes on where it cannot be saved, and is saved when it can be.
static void test_kept_and_not_saved(void **unused)
{
	char path[160];

	(void)unused;
	statedir_write("orders.json", ORDERS("[" DRAIN("s") ", 7]", "[]"));
	snprintf(path, sizeof(path), "%s/orders.json.new", statedir);
	assert_int_equal(mkdir(path, 0700), 0); // in the temporary file's way

	struct state *state = statedir_open();

	assert_non_null(state_drained(state, NULL, "s", 1));
	assert_int_equal(rmdir(path), 0);
	state = statedir_reopen(state);
	assert_non_null(state_drained(state, NULL, "s", 1));
	state_close(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_damaged, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_damaged_health, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_whole_entries_are_kept, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_more_than_there_can_be, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_told_until_taken_away, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_kept_and_not_saved, statedir_setup, statedir_teardown),
	};

	log_set_level((enum log_level)0); // damage is loud, and here it is on purpose
	return cmocka_run_group_tests(tests, NULL, NULL);
}
