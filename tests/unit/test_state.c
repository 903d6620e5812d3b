// The state folder: what is written is there after a restart, and what cannot be written changes nothing. Each test
// works in a folder of its own. Of damage: test_damage. Of kills: test_state_kill.
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "state/state.h"
#include "statedir.h"
#include "tempdir.h"
#include "view/view.h"

static int failing_syncs; // how many times a folder's fsync is to fail

// In place of the C library's.
int fsync(int fd)
{
	struct stat st;

	if (failing_syncs > 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		failing_syncs--;
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

static int drain(struct state *state, const char *site, const char *app, int64_t until_s)
{
	return state_drain(state, &(struct drain){(char *)site, (char *)app, (char *)"disk \"full\" ü\n", (char *)"uid 0", 1000,
	                                          until_s});
}

static int force(struct state *state, const char *app, const char *site, enum force_to to)
{
	return state_force(state, &(struct force){(char *)app, (char *)site, (char *)"uid 0", 1000, to});
}

// Orders --------------------------------------------------------------------------------------------------------------

static void test_orders_survive(void **unused)
{
	struct state *state = statedir_open();

	(void)unused;
	assert_int_equal(drain(state, "bos", NULL, 0), E_OK);
	assert_int_equal(drain(state, "nyc", "app.example", 5000), E_OK);
	assert_int_equal(force(state, "app.example", "bos", FORCE_DOWN), E_OK);
	assert_int_equal(force(state, "app.example", "nyc", FORCE_UP), E_OK);
	state = statedir_reopen(state);
	assert_int_equal(state_drain_count(state), 2);

	const struct drain *first = state_drain_at(state, 0), *second = state_drain_at(state, 1);

	assert_string_equal(first->site, "bos");
	assert_null(first->app);
	assert_string_equal(first->reason, "disk \"full\" ü\n");
	assert_string_equal(first->who, "uid 0");
	assert_int_equal(first->since_s, 1000);
	assert_int_equal(first->until_s, 0);
	assert_string_equal(second->app, "app.example");
	assert_int_equal(second->until_s, 5000);
	assert_int_equal(state_force_count(state), 2);
	assert_int_equal(state_force_at(state, 0)->to, FORCE_DOWN);
	assert_int_equal(state_forced(state, "app.example", "bos"), FORCE_DOWN);
	assert_int_equal(state_forced(state, "app.example", "nyc"), FORCE_UP);
	assert_int_equal(state_forced(state, "other.example", "nyc"), FORCE_AUTO);
	state_close(state);
}

static void test_replace_and_remove(void **unused)
{
	struct state *state = statedir_open();

	(void)unused;
	assert_int_equal(drain(state, "bos", NULL, 0), E_OK);
	assert_int_equal(drain(state, "bos", "a", 0), E_OK);
	assert_int_equal(drain(state, "bos", "b", 0), E_OK);
	assert_int_equal(drain(state, "bos", "a", 77), E_OK);
	assert_int_equal(state_drain_count(state), 3);
	assert_int_equal(state_drain_at(state, 1)->until_s, 77);
	assert_int_equal(state_undrain(state, "bos", "c"), E_NOTFOUND);
	assert_int_equal(state_undrain(state, "nyc", NULL), E_NOTFOUND);
	assert_int_equal(state_undrain(state, "bos", "a"), E_OK);
	assert_int_equal(state_drain_count(state), 2);
	assert_int_equal(drain(state, "nyc", NULL, 0), E_OK);
	assert_int_equal(state_undrain(state, "bos", NULL), E_OK);
	state = statedir_reopen(state);
	assert_int_equal(state_drain_count(state), 1);
	assert_string_equal(state_drain_at(state, 0)->site, "nyc");

	assert_int_equal(force(state, "a", "bos", FORCE_AUTO), E_NOTFOUND);
	assert_int_equal(force(state, "a", "bos", FORCE_UP), E_OK);
	assert_int_equal(force(state, "b", "bos", FORCE_UP), E_OK);
	assert_int_equal(force(state, "a", "bos", FORCE_DOWN), E_OK);
	assert_int_equal(state_force_count(state), 2);
	assert_int_equal(force(state, "a", "bos", FORCE_AUTO), E_OK);
	state = statedir_reopen(state);
	assert_int_equal(state_force_count(state), 1);
	assert_int_equal(state_forced(state, "a", "bos"), FORCE_AUTO);
	assert_int_equal(state_forced(state, "b", "bos"), FORCE_UP);
	state_close(state);
}

// Site's and target's own drain; the one that lasts longer is shown.
static void test_drained(void **unused)
{
	static const struct {
		int64_t site, own; // until; -1: no such drain
		int64_t now_s;
		int64_t expected;  // until of the one that holds; -1: none
	} rows[] = {
		{-1, -1, 10, -1}, {0, -1, 10, 0},   {-1, 0, 10, 0},   {20, -1, 10, 20}, {20, -1, 20, -1}, {20, -1, 19, 20},
		{-1, 20, 21, -1}, {20, 30, 10, 30}, {30, 20, 10, 30}, {0, 30, 10, 0},   {30, 0, 10, 0},   {5, 30, 10, 30},
		{30, 5, 10, 30},  {5, 0, 10, 0},    {5, 6, 10, -1},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct state *state = statedir_open();

		if (rows[i].site >= 0)
			assert_int_equal(drain(state, "bos", NULL, rows[i].site), E_OK);
		if (rows[i].own >= 0)
			assert_int_equal(drain(state, "bos", "a", rows[i].own), E_OK);

		const struct drain *drain_a = state_drained(state, "a", "bos", rows[i].now_s);
		const struct drain *drain_b = state_drained(state, "b", "bos", rows[i].now_s);
		const struct drain *drain_site = state_drained(state, NULL, "bos", rows[i].now_s);
		bool site_holds = rows[i].site == 0 || rows[i].site > rows[i].now_s;

		assert_int_equal(drain_a ? drain_a->until_s : -1, rows[i].expected);
		assert_int_equal(drain_b != NULL, site_holds);
		assert_int_equal(drain_site != NULL, site_holds);
		assert_null(state_drained(state, "a", "nyc", rows[i].now_s));
		if (rows[i].site >= 0 || rows[i].own >= 0)
			assert_int_equal(state_undrain(state, "bos", NULL), E_OK);
		state_close(state);
	}
}

static void test_expire(void **unused)
{
	struct state *state = statedir_open();
	int64_t next_s = -1;

	(void)unused;
	assert_int_equal(state_expire(state, 10, &next_s), 0);
	assert_int_equal(next_s, 0);
	assert_int_equal(drain(state, "a", NULL, 20), E_OK);
	assert_int_equal(drain(state, "b", NULL, 0), E_OK);
	assert_int_equal(drain(state, "c", NULL, 40), E_OK);
	assert_int_equal(drain(state, "d", NULL, 30), E_OK);
	assert_int_equal(state_expire(state, 19, &next_s), 0);
	assert_int_equal(next_s, 20);
	assert_int_equal(state_expire(state, 30, &next_s), 2);
	assert_int_equal(next_s, 40);
	state = statedir_reopen(state);
	assert_int_equal(state_drain_count(state), 2);
	assert_string_equal(state_drain_at(state, 0)->site, "b");
	assert_non_null(state_drained(state, NULL, "c", 30));
	// An order given while others ran out unseen keeps its own place.
	assert_int_equal(drain(state, "c", NULL, 60), E_OK);
	assert_int_equal(state_expire(state, 50, &next_s), 0);
	assert_int_equal(state_drain_count(state), 2);
	state_close(state);
}

static void test_limits(void **unused)
{
	struct state *state = statedir_open();
	char text[STATE_TEXT_MAX + 2];

	(void)unused;
	memset(text, 'x', sizeof(text));
	text[STATE_TEXT_MAX + 1] = '\0';
	assert_int_equal(drain(state, text, NULL, 0), E_LIMIT);
	assert_int_equal(drain(state, "bos", text, 0), E_LIMIT);
	assert_int_equal(force(state, text, "bos", FORCE_UP), E_LIMIT);
	assert_int_equal(drain(state, "", NULL, 0), E_INVAL);
	assert_int_equal(drain(state, "bos", "", 0), E_INVAL);
	assert_int_equal(drain(state, "b\xffs", NULL, 0), E_INVAL);
	assert_int_equal(force(state, "a", "b\xc3", FORCE_UP), E_INVAL);
	assert_int_equal(state_drain_count(state), 0);
	assert_int_equal(state_force_count(state), 0);
	text[STATE_TEXT_MAX] = '\0';
	assert_int_equal(drain(state, text, text, 0), E_OK);
	state = statedir_reopen(state);
	assert_int_equal(state_drain_count(state), 1);
	state_close(state);
}

static void test_full(void **unused)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)unused;
	fputs("{\"version\": 1, \"forces\": [], \"drains\": [", out);
	for (int i = 0; i < STATE_ORDERS_MAX; i++)
		fprintf(out, "%s{\"site\":\"s%d\",\"who\":\"w\",\"since\":1,\"until\":0}", i ? "," : "", i);
	fputs("]}", out);
	fclose(out);
	statedir_write("orders.json", text);
	free(text);

	struct state *state = statedir_open();

	assert_int_equal(state_drain_count(state), STATE_ORDERS_MAX);
	assert_int_equal(drain(state, "one-more", NULL, 0), E_LIMIT);
	assert_int_equal(drain(state, "s7", NULL, 0), E_OK); // one that is there can be given anew
	assert_int_equal(state_undrain(state, "s65535", NULL), E_OK);
	assert_int_equal(drain(state, "one-more", NULL, 0), E_OK);
	assert_null(state_drained(state, NULL, "s65535", 1));
	assert_non_null(state_drained(state, "any", "one-more", 1));
	state_close(state);
}

// Files ---------------------------------------------------------------------------------------------------------------

static void test_folder_is_made(void **unused)
{
	struct state *state = NULL;
	struct stat st;
	char deep[160], parent[128];
	mode_t mask = umask(0);

	(void)unused;
	snprintf(parent, sizeof(parent), "%s/p", statedir_top);
	snprintf(deep, sizeof(deep), "%s//q/./r/", parent);
	assert_int_equal(state_open(deep, &state), E_OK);
	umask(mask);
	state_close(state);
	assert_int_equal(stat(deep, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(stat(parent, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
}

static void test_folder_cannot_be(void **unused)
{
	struct state *state = NULL;
	char path[600];

	(void)unused;
	assert_int_equal(state_open("", &state), E_IO);
	assert_int_equal(state_open("/proc/nothing/here", &state), E_IO);
	snprintf(path, sizeof(path), "%s/%0300d", statedir_top, 7);
	assert_int_equal(state_open(path, &state), E_IO);
	snprintf(path, sizeof(path), "%s/file", statedir_top);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(state_open(path, &state), E_IO);
	snprintf(path, sizeof(path), "%s/file/below", statedir_top);
	assert_int_equal(state_open(path, &state), E_IO);
	assert_null(state);
}

static void test_one_daemon_at_a_time(void **unused)
{
	struct state *state = statedir_open(), *other = NULL;

	(void)unused;
	assert_int_equal(state_open(statedir, &other), E_EXISTS);
	assert_null(other);
	state_close(state);
	state_close(statedir_open());
}

// Whatever stands where our files should be, nothing outside the folder is read or written.
static void test_links_and_pipes(void **unused)
{
	char path[160], victim[160], text[64] = "";

	(void)unused;
	mkdir(statedir, 0750);
	snprintf(victim, sizeof(victim), "%s/victim", statedir_top);

	FILE *file = fopen(victim, "w");

	fputs("{\"version\": 1, \"drains\": [], \"forces\": []}", file);
	fclose(file);
	snprintf(path, sizeof(path), "%s/orders.json", statedir);
	assert_int_equal(symlink("../victim", path), 0);
	snprintf(path, sizeof(path), "%s/health.json", statedir);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/orders.json.new", statedir);
	assert_int_equal(symlink("../victim", path), 0);

	struct state *state = statedir_open();

	assert_int_equal(statedir_count("orders.json.damaged-"), 1);
	assert_int_equal(statedir_count("health.json.damaged-"), 1);
	assert_int_equal(drain(state, "bos", NULL, 0), E_OK);
	file = fopen(victim, "r");
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	assert_string_equal(text, "{\"version\": 1, \"drains\": [], \"forces\": []}");
	state = statedir_reopen(state);
	assert_int_equal(state_drain_count(state), 1);
	state_close(state);
}

static void test_write_fails(void **unused)
{
	struct state *state = statedir_open();
	char path[160];
	int64_t next_s;

	(void)unused;
	assert_int_equal(drain(state, "bos", NULL, 50), E_OK);
	assert_int_equal(force(state, "a", "bos", FORCE_UP), E_OK);
	snprintf(path, sizeof(path), "%s/orders.json.new", statedir);
	assert_int_equal(mkdir(path, 0700), 0); // in the temporary file's way
	assert_int_equal(drain(state, "nyc", NULL, 0), E_IO);
	assert_int_equal(drain(state, "bos", NULL, 0), E_IO);
	assert_int_equal(state_undrain(state, "bos", NULL), E_IO);
	assert_int_equal(force(state, "a", "bos", FORCE_DOWN), E_IO);
	assert_int_equal(force(state, "a", "bos", FORCE_AUTO), E_IO);
	assert_int_equal(force(state, "b", "bos", FORCE_DOWN), E_IO);
	assert_int_equal(state_drain_count(state), 1);
	assert_int_equal(state_drained(state, NULL, "bos", 1)->until_s, 50);
	assert_null(state_drained(state, NULL, "nyc", 1));
	assert_int_equal(state_forced(state, "a", "bos"), FORCE_UP);
	assert_int_equal(state_force_count(state), 1);
	// What ran out does not hold, even where that cannot be written; it is written when it can be.
	assert_int_equal(state_expire(state, 60, &next_s), 1);
	assert_int_equal(next_s, 0);
	assert_null(state_drained(state, NULL, "bos", 60));
	assert_int_equal(rmdir(path), 0);
	state = statedir_reopen(state);
	assert_int_equal(state_drain_count(state), 0);
	assert_int_equal(state_forced(state, "a", "bos"), FORCE_UP);
	state_close(state);
}

// What was refused does not come back with a restart, although the file had been renamed by then.
static void test_folder_sync_fails(void **unused)
{
	(void)unused;
	for (int failing = 1; failing <= 2; failing++) { // the second time what held cannot be put back at once either
		struct state *state = statedir_open();

		assert_int_equal(drain(state, "bos", NULL, 0), E_OK);
		failing_syncs = failing;
		assert_int_equal(drain(state, "nyc", NULL, 0), E_IO);
		assert_int_equal(failing_syncs, 0);
		assert_null(state_drained(state, NULL, "nyc", 1));
		state = statedir_reopen(state);
		assert_non_null(state_drained(state, NULL, "bos", 1));
		assert_null(state_drained(state, NULL, "nyc", 1));
		state_close(state);
	}
}

// The folders above need only be passed through.
static void test_parents_are_not_read(void **unused)
{
	struct state *state = NULL;
	char deep[TEMPDIR_LEN + 8], parent[TEMPDIR_LEN];

	(void)unused;
	if (geteuid() == 0 && (setegid(65534) < 0 || seteuid(65534) < 0))
		skip();
	assert_int_equal(tempdir_make(parent), 0);
	snprintf(deep, sizeof(deep), "%s/d", parent);
	assert_int_equal(chmod(parent, 0300), 0);
	assert_int_equal(state_open(deep, &state), E_OK); // made
	state_close(state);
	assert_int_equal(state_open(deep, &state), E_OK);
	state_close(state);
	assert_int_equal(chmod(parent, 0700), 0);
	assert_int_equal(rmdir(deep), 0);
	assert_int_equal(rmdir(parent), 0);
	if (getuid() == 0)
		assert_true(seteuid(0) == 0 && setegid(0) == 0);
}

// Health --------------------------------------------------------------------------------------------------------------

// A view with two targets: app7 at site2 and at "site"; and one nothing is known of.
static const struct view *small_view(void)
{
	static const struct site sites[] = {{.name = "site2"}, {.name = "site"}, {.name = "new"}};
	static const struct app app = {.name = "app7"};
	static const struct target targets[] = {{.app = &app, .site = 0}, {.app = &app, .site = 1}, {.app = &app, .site = 2}};
	static const struct view view = {.sites = sites, .site_count = 3, .apps = &app, .app_count = 1, .targets = targets,
	                                 .target_count = 3};

	return &view;
}

static void test_health(void **unused)
{
	struct state *state = statedir_open();
	char app[32], site[32];

	(void)unused;
	assert_int_equal(state_health(state, "app0", "site0", 7), -1);
	for (int i = 0; i < 50000; i++) {
		snprintf(app, sizeof(app), "app%d", i / 10);
		snprintf(site, sizeof(site), "site%d", i % 10);
		state_set_health(state, app, site, 7, i % 3 == 0);
	}
	assert_int_equal(state_sync_health(state), E_OK);
	state_set_health(state, "app0", "site1", 7, true); // not written by itself, but by closing
	state = statedir_reopen(state);
	for (int i = 2; i < 50000; i++) {
		snprintf(app, sizeof(app), "app%d", i / 10);
		snprintf(site, sizeof(site), "site%d", i % 10);
		assert_int_equal(state_health(state, app, site, 7), i % 3 == 0);
	}
	assert_int_equal(state_health(state, "app0", "site1", 7), 1);
	state_retain_health(state, small_view());
	assert_int_equal(state_health(state, "app7", "site2", 7), 1);
	assert_int_equal(state_health(state, "app8", "site1", 7), -1);
	state = statedir_reopen(state);
	assert_int_equal(state_health(state, "app7", "site2", 7), 1);
	assert_int_equal(state_health(state, "app8", "site1", 7), -1);
	state_close(state);
}

static void test_health_is_written_when_it_changed(void **unused)
{
	struct state *state = statedir_open();
	char path[160];

	(void)unused;
	snprintf(path, sizeof(path), "%s/health.json", statedir);
	state_set_health(state, "a", "s", 7, true);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(state_sync_health(state), E_OK);
	assert_int_equal(unlink(path), 0);
	state_set_health(state, "a", "s", 7, true);
	assert_int_equal(state_sync_health(state), E_OK);
	assert_int_equal(access(path, F_OK), -1);
	state_set_health(state, "a", "s", 7, false);
	assert_int_equal(state_sync_health(state), E_OK);
	assert_int_equal(access(path, F_OK), 0);
	state_close(state);
}

// Aside, while the memory changes.
static void test_health_is_written_aside(void **unused)
{
	struct state *state = statedir_open();
	char app[32];
	int err, begun = 0, busy = 0;

	(void)unused;
	for (int i = 0; i < 20000; i++) {
		snprintf(app, sizeof(app), "app%d", i);
		state_set_health(state, app, "site", 7, i % 3 == 0);
		err = i % 100 ? E_OK : state_save_health(state);
		begun += err == E_OK;
		busy += err == E_STATE;
		assert_true(err == E_OK || err == E_STATE);
	}
	assert_true(begun > 0 && busy > 0);
	state_retain_health(state, small_view()); // waits for the write, which borrows the names
	while ((err = state_save_health(state)) == E_STATE)
		usleep(1000);
	assert_int_equal(err, E_OK);
	state = statedir_reopen(state);
	assert_int_equal(state_health(state, "app7", "site", 7), 0);
	assert_int_equal(state_health(state, "app9", "site", 7), -1);

	// What fails is tried again.
	char path[160];

	snprintf(path, sizeof(path), "%s/health.json.new", statedir);
	assert_int_equal(mkdir(path, 0700), 0);
	state_set_health(state, "app7", "site", 7, true);
	assert_int_equal(state_save_health(state), E_OK); // begun
	assert_int_equal(state_sync_health(state), E_IO);
	assert_int_equal(rmdir(path), 0);
	state = statedir_reopen(state);
	assert_int_equal(state_health(state, "app7", "site", 7), 1);
	state_close(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_orders_survive, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_replace_and_remove, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_drained, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_expire, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_limits, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_full, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_folder_is_made, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_folder_cannot_be, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_one_daemon_at_a_time, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_links_and_pipes, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_write_fails, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_folder_sync_fails, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_parents_are_not_read, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_health, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_health_is_written_when_it_changed, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_health_is_written_aside, statedir_setup, statedir_teardown),
	};

	log_set_level((enum log_level)0); // damage is loud, and here it is on purpose
	return cmocka_run_group_tests(tests, NULL, NULL);
}
