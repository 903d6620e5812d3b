// How old the saved health may be that a start believes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "state/state.h"
#include "tempdir.h"

static char dir[TEMPDIR_LEN], path[TEMPDIR_LEN + 16];

static int set_up(void **unused)
{
	(void)unused;
	if (tempdir_make(dir) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/health.json", dir);
	return 0;
}

static int tear_down(void **unused)
{
	char command[TEMPDIR_LEN + 16];

	(void)unused;
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static struct state *open_state(void)
{
	struct state *state = NULL;

	assert_int_equal(state_open(dir, &state), E_OK);
	return state;
}

// The app "a" at the site "s" is up. `age_s` NULL: the file does not say.
static void write_health(const int64_t *age_s)
{
	json_t *root = json_pack("{s:i, s:{s:{s:{s:b, s:i}}}}", "version", 1, "health", "a", "s", "up", 1, "probed", 7);

	if (age_s)
		json_object_set_new(root, "saved", json_integer(clock_wall_s() - *age_s));
	assert_int_equal(json_dump_file(root, path, 0), 0);
	json_decref(root);
}

static int64_t age_s(void)
{
	json_t *root = json_load_file(path, 0, NULL);
	int64_t saved_s = json_integer_value(json_object_get(root, "saved"));

	json_decref(root);
	return clock_wall_s() - saved_s;
}

static void believed(int health)
{
	struct state *state = open_state();

	assert_int_equal(state_health(state, "a", "s", 7), health);
	assert_null(state_close(state));
	assert_int_equal(access(path, F_OK), 0); // it is no damage
}

// What nobody has confirmed for long is not believed, whichever way the clock was set.
static void test_age(void **unused)
{
	static const struct {
		int64_t age_s;
		int health;
	} rows[] = {{0, 1}, {500, 1}, {-500, 1}, {700, -1}, {100000000, -1}, {-700, -1}};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		write_health(&rows[i].age_s);
		believed(rows[i].health);
	}
	write_health(NULL);
	believed(-1);
}

// Confirmed: written anew, though nothing has changed. Else the file stays as it is.
static void test_confirmed(void **unused)
{
	struct state *state;

	(void)unused;
	write_health(&(const int64_t){500});
	believed(1);
	assert_in_range(age_s(), 500, 510);
	state = open_state();
	state_confirm_health(state);
	state_close(state);
	assert_in_range(age_s(), 0, 10);
	believed(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_age, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_confirmed, set_up, tear_down),
	};

	log_set_level((enum log_level)0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
