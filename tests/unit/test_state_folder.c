// The state folder and what may be in it: other daemons, links and pipes, files of older and newer versions. Each
// test works in a folder of its own.
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
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "disk.h"
#include "state/migrations.h"
#include "statedir.h"
#include "tempdir.h"

static int open_at(const char *dir, struct state **ret_state)
{
	return state_open(statedir_base, dir, &statedir_ops, ret_state);
}

static int drain(struct state *state, const char *site)
{
	return statedir_put_drain(state, site, NULL, 0);
}

static void shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

// A command in the state folder.
static void shell(const char *fmt, ...)
{
	char command[512];
	int len = snprintf(command, sizeof(command), "cd %s && ", statedir);
	va_list args;

	va_start(args, fmt);
	vsnprintf(command + len, sizeof(command) - (size_t)len, fmt, args);
	va_end(args);
	assert_int_equal(system(command), 0);
}

static void test_folder_is_made(void **unused)
{
	struct state *state = NULL;
	struct stat st;
	char deep[160], parent[128];
	mode_t mask = umask(0);

	(void)unused;
	snprintf(parent, sizeof(parent), "%s/p", statedir_top);
	snprintf(deep, sizeof(deep), "%s//q/./r/", parent);
	assert_int_equal(open_at(deep, &state), E_OK);
	umask(mask);
	assert_int_equal(drain(state, "bos"), E_OK);
	assert_int_equal(stat(deep, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(stat(parent, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	snprintf(deep + strlen(deep), 32, "state.db-wal");
	assert_int_equal(stat(deep, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	state_close(state);
}

static void test_folder_cannot_be(void **unused)
{
	struct state *state = NULL;
	char path[600];

	(void)unused;
	assert_int_equal(open_at("", &state), E_IO);
	assert_int_equal(open_at("/proc/nothing/here", &state), E_IO);
	snprintf(path, sizeof(path), "%s/%0300d", statedir_top, 7);
	assert_int_equal(open_at(path, &state), E_IO);
	snprintf(path, sizeof(path), "%s/file", statedir_top);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(open_at(path, &state), E_IO);
	snprintf(path, sizeof(path), "%s/file/below", statedir_top);
	assert_int_equal(open_at(path, &state), E_IO);
	assert_null(state);
}

static struct state_exported exported;

static void test_one_daemon_at_a_time(void **unused)
{
	struct state *state = statedir_open(), *other = NULL;

	(void)unused;
	assert_int_equal(open_at(statedir, &other), E_EXISTS);
	assert_int_equal(state_export(statedir, &exported), E_EXISTS);
	assert_null(other);
	state_close(state);
	state_close(statedir_open());
}

// The folders above need only be passed through.
static void test_parents_are_not_read(void **unused)
{
	struct state *state = NULL;
	char deep[TEMPDIR_LEN + 8], parent[TEMPDIR_LEN], command[TEMPDIR_LEN + 16];

	(void)unused;
	if (geteuid() == 0 && (setegid(65534) < 0 || seteuid(65534) < 0))
		skip();
	assert_int_equal(tempdir_make(parent), 0);
	snprintf(deep, sizeof(deep), "%s/d", parent);
	assert_int_equal(chmod(parent, 0300), 0);
	assert_int_equal(open_at(deep, &state), E_OK); // made
	state_close(state);
	assert_int_equal(open_at(deep, &state), E_OK);
	state_close(state);
	assert_int_equal(chmod(parent, 0700), 0);
	snprintf(command, sizeof(command), "rm -rf '%s'", parent);
	assert_int_equal(system(command), 0);
	if (getuid() == 0)
		assert_true(seteuid(0) == 0 && setegid(0) == 0);
}

// A folder that cannot be written is refused; one that can no longer be, when it is open, refuses changes.
static void test_read_only(void **unused)
{
	struct state *state = NULL;

	(void)unused;
	state_close(statedir_open());
	atomic_store(&disk_write_errno, EROFS);
	assert_int_equal(open_at(statedir, &state), E_OK); // there is nothing to write
	assert_int_equal(drain(state, "bos"), E_IO);
	assert_int_equal(state_override_count(state), 0);
	atomic_store(&disk_write_errno, 0);
	assert_int_equal(drain(state, "bos"), E_OK);
	state_close(state);
	if (geteuid() == 0 && (setegid(65534) < 0 || seteuid(65534) < 0))
		skip();
	assert_int_equal(open_at(statedir, &state), E_IO);
	if (getuid() == 0)
		assert_true(seteuid(0) == 0 && setegid(0) == 0);
}

// Whatever is in the place of our files, nothing outside the folder is read or written, and nothing blocks.
static void test_links_pipes_and_folders(void **unused)
{
	static const char *const files[] = {"state.db", "state-copy.db", "health.db", "state.db-wal", "state.db-journal",
	                                    "state-copy.db-wal", "health.db-wal"};
	static const char *const makers[] = {"ln -s ../victim", "mkfifo", "mkdir"};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		for (size_t k = 0; k < ARRAY_LEN(makers); k++) {
			struct state *state = statedir_open();

			assert_int_equal(drain(state, "bos"), E_OK);
			state_close(state);
			shell("rm -rf * && printf 'nobody touches this' >../victim");
			state = statedir_open();
			assert_int_equal(drain(state, "bos"), E_OK);
			state_close(state);
			shell("rm -f %s && %s %s", files[i], makers[k], files[i]);
			state = statedir_open();
			assert_non_null(state_drained(state, NULL, "bos", 1)); // the other file has it
			assert_int_equal(drain(state, "nyc"), E_OK);
			state = statedir_reopen(state);
			assert_int_equal(state_override_count(state), 2);
			state_close(state);
			shell("ls -d *.damaged-* >/dev/null && [ \"$(cat ../victim)\" = 'nobody touches this' ]");
		}
	}
}

// Versions ------------------------------------------------------------------------------------------------------------

// The two header fields with the version, in the file `name`.
static void set_version(const char *name, unsigned version)
{
	char path[160];
	unsigned char field[4] = {0, 0, (unsigned char)(version >> 8), (unsigned char)version};

	snprintf(path, sizeof(path), "%s/%s", statedir, name);

	int fd = open(path, O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, field, sizeof(field), 60), 4);
	field[0] = 'E';
	field[1] = 'S';
	assert_int_equal(pwrite(fd, field, sizeof(field), 68), 4);
	close(fd);
}

// Refused with no octet of any file changed, not even of those that are of our version.
static void test_newer_version(void **unused)
{
	static const char *const files[] = {"state.db", "state-copy.db", "health.db"};
	const int versions[] = {migrations_state.version, migrations_state.version, migrations_health.version};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct state *state = statedir_open();

		assert_int_equal(drain(state, "bos"), E_OK);
		state_set_health(state, "a", "s", 7, true, 0);
		state_close(state);
		set_version(files[i], (uint32_t)versions[i] + 1);
		shell("find . -type f -exec stat -c '%%n %%s %%Y %%Z' {} + | sort >../before; sha256sum * >>../before");
		assert_int_equal(open_at(statedir, &state), E_STATE);
		assert_int_equal(state_export(statedir, &exported), E_STATE);
		shell("find . -type f -exec stat -c '%%n %%s %%Y %%Z' {} + | sort >../after; sha256sum * >>../after");
		shell("cmp ../before ../after");
		set_version(files[i], (uint32_t)versions[i]);
		state = statedir_open();
		assert_int_equal(state_override_count(state), 1);
		state_close(state);
	}
}

// Older versions ------------------------------------------------------------------------------------------------------

static void write_legacy(void)
{
	char health[200];

	statedir_write("orders.json", "{\"version\": 1, \"drains\": [{\"site\": \"bos\", \"who\": \"w\", \"reason\": \"r\","
	               "\"since\": 1, \"until\": 0}, {\"site\": \"nyc\", \"app\": \"a\", \"who\": \"w\", \"since\": 2,"
	               "\"until\": 9}], \"forces\": [{\"app\": \"a\", \"site\": \"s\", \"to\": \"down\", \"who\": \"w\","
	               "\"since\": 3}]}");
	snprintf(health, sizeof(health), "{\"version\": 1, \"saved\": %lld, \"health\": {\"a\": {\"s\": {\"up\": true,"
	         "\"probed\": 7}, \"t\": {\"up\": false, \"probed\": 8}}}}", (long long)clock_wall_s());
	statedir_write("health.json", health);
}

static void check_legacy(const struct state *state)
{
	assert_int_equal(state_override_count(state), 3);
	assert_string_equal(state_override_at(state, 0)->site, "bos");
	assert_string_equal(state_override_at(state, 0)->reason, "r");
	assert_string_equal(state_override_at(state, 1)->app, "a");
	assert_int_equal(state_override_at(state, 1)->until_s, 9);
	assert_int_equal(state_forced(state, "a", "s"), FORCE_DOWN);
	assert_int_equal(statedir_health(state, "a", "s", 7), 1);
	assert_int_equal(statedir_health(state, "a", "t", 8), 0);
	assert_int_equal(statedir_health(state, "a", "t", 7), -1);
}

static void test_legacy_is_taken_over(void **unused)
{
	(void)unused;
	write_legacy();

	struct state *state = statedir_open();

	check_legacy(state);
	assert_int_equal(statedir_count("orders.json"), 1);
	assert_int_equal(statedir_count("orders.json.imported"), 1);
	assert_int_equal(statedir_count("health.json.imported"), 1);
	state = statedir_reopen(state);
	check_legacy(state);
	// Stopped before the renaming: it is imported again.
	state_close(state);
	write_legacy();
	state = statedir_open();
	check_legacy(state);
	// An older version was run in between: its file counts.
	state_close(state);
	statedir_write("orders.json", "{\"version\": 1, \"drains\": [{\"site\": \"lax\", \"who\": \"w\", \"since\": 1, \"until\": 0}],"
	               "\"forces\": []}");
	state = statedir_open();
	assert_int_equal(state_override_count(state), 1);
	assert_non_null(state_drained(state, NULL, "lax", 1));
	state_close(state);
}

// No folder is made for it, and what root exports can be read by the folder's owner.
static void test_export_as_root(void **unused)
{
	char parent[TEMPDIR_LEN];

	(void)unused;
	assert_int_equal(tempdir_make(parent), 0); // the tree may be in a folder that only its owner can enter
	assert_true(snprintf(statedir, sizeof(statedir), "%s/d", parent) < (int)sizeof(statedir));
	assert_int_equal(state_export(statedir, &exported), E_IO);
	assert_int_equal(access(statedir, F_OK), -1);
	if (geteuid() != 0) {
		assert_int_equal(rmdir(parent), 0);
		skip();
	}
	state_close(statedir_open());
	assert_int_equal(chown(statedir, 65534, 65533), 0);
	assert_int_equal(state_export(statedir, &exported), E_OK);
	shell("[ \"$(stat -c '%%u:%%g:%%a' orders.json health.json | sort -u)\" = 65534:65533:640 ]");

	struct state *state = NULL; // a file that may not be read is not taken for one that is missing

	shell("chown 65534 * && chown 0 state.db && chmod 600 state.db && chmod 755 ..");
	assert_true(setegid(65534) == 0 && seteuid(65534) == 0);
	assert_int_equal(open_at(statedir, &state), E_IO);
	assert_true(seteuid(0) == 0 && setegid(0) == 0);
	shell("chown 65534 state.db && chown 0 orders.json && chmod 600 orders.json");
	assert_true(setegid(65534) == 0 && seteuid(65534) == 0);
	assert_int_equal(open_at(statedir, &state), E_IO);
	assert_true(seteuid(0) == 0 && setegid(0) == 0);
	shell("chown 65534 orders.json");
	assert_true(setegid(65534) == 0 && seteuid(65534) == 0);
	assert_int_equal(open_at(statedir, &state), E_OK);
	state_close(state);
	assert_true(seteuid(0) == 0 && setegid(0) == 0);
	shell("rm -rf '%s'", parent);
}

static void test_export(void **unused)
{
	json_t *before, *after;
	char path[160];

	(void)unused;
	write_legacy();
	snprintf(path, sizeof(path), "%s/orders.json", statedir);
	before = json_load_file(path, 0, NULL);
	state_close(statedir_open());
	assert_int_equal(state_export(statedir, &exported), E_OK);
	assert_int_equal(exported.drains, 2);
	assert_int_equal(exported.forces, 1);
	assert_int_equal(exported.targets, 2);
	// Another export has nothing to take over from the first.
	shell("rm *.imported && cksum orders.json health.json >../first");
	assert_int_equal(state_export(statedir, &exported), E_OK);
	shell("cksum orders.json health.json | cmp - ../first");
	after = json_load_file(path, 0, NULL);
	assert_non_null(after);
	// A force has an "until" now, which older versions do not look at.
	json_object_del(json_array_get(json_object_get(after, "forces"), 0), "until");
	assert_true(json_equal(before, after));
	json_decref(before);
	json_decref(after);
	shell("rm -f *.db *.db-wal *.imported");

	struct state *state = statedir_open(); // from the files alone

	check_legacy(state);
	state_close(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_folder_is_made, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_folder_cannot_be, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_one_daemon_at_a_time, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_parents_are_not_read, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_read_only, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_links_pipes_and_folders, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_newer_version, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_legacy_is_taken_over, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_export_as_root, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_export, statedir_setup, statedir_teardown),
	};

	log_set_level((enum log_level)0); // damage is loud, and here it is on purpose
	return cmocka_run_group_tests(tests, NULL, NULL);
}
