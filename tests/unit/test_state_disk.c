// Disks that are full, fail or are slow: a change that cannot be written has no effect, and only the writer waits.
#include <errno.h>
#include <event2/event.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "disk.h"
#include "statedir.h"
#include "withheld.h"

// Nothing changes, only done() is called, and later it works again.
static void test_disk_full(void **unused)
{
	struct state *state = statedir_open();
	struct state_trouble trouble;
	uint64_t revision;
	int64_t next_s, since_s;

	(void)unused;
	assert_int_equal(statedir_put_drain(state, "bos", NULL, 50), E_OK);
	assert_int_equal(statedir_put_force(state, "a", "bos", FORCE_UP), E_OK);
	statedir_settle(state);
	revision = state_revision(state);
	statedir_calls_clear();
	atomic_store(&disk_write_errno, ENOSPC);
	assert_int_equal(statedir_put_drain(state, "nyc", NULL, 0), E_IO);
	assert_true(state_trouble(state, &trouble));
	since_s = trouble.since_s;
	usleep(1100000); // another second of the wall clock
	assert_int_equal(statedir_put_drain(state, "bos", NULL, 0), E_IO);
	assert_true(state_trouble(state, &trouble));
	assert_int_equal(trouble.since_s, since_s);
	assert_int_equal(statedir_remove_drain(state, "bos", NULL, true), E_IO);
	assert_int_equal(statedir_remove_drain(state, "nyc", NULL, true), E_NOTFOUND); // nothing needs to be written
	assert_true(state_trouble(state, &trouble));                     // nor is it known that anything could be
	assert_int_equal(statedir_put_force(state, "a", "bos", FORCE_DOWN), E_IO);
	assert_string_equal(statedir_calls, "done:-3:0;done:-3:0;done:-3:0;done:-4:0;done:-3:0;");
	assert_int_equal(state_revision(state), revision);
	assert_int_equal(state_override_count(state), 2);
	assert_int_equal(state_drained(state, NULL, "bos", 1)->until_s, 50);
	assert_int_equal(state_forced(state, "a", "bos"), FORCE_UP);
	// What ran out does not hold, even where that cannot be written; it is written when it can be.
	assert_int_equal(state_expire(state, 60, &next_s), 1);
	assert_null(state_drained(state, NULL, "bos", 60));
	atomic_store(&disk_write_errno, 0);
	assert_int_equal(statedir_put_drain(state, "nyc", NULL, 0), E_OK);
	state = statedir_reopen(state);
	(void)state_expire(state, 60, &next_s);
	assert_int_equal(state_override_count(state), 2);
	assert_non_null(state_drained(state, NULL, "nyc", 1));
	assert_int_equal(state_forced(state, "a", "bos"), FORCE_UP);
	assert_int_equal(statedir_count("state.db.damaged") + statedir_count("state-copy.db.damaged"), 0);
	state_close(state);
}

// The end of a drain that is held in memory only, and gives its clients back over a time, comes while another change is on its
// way: it waits for that, and is asked for again.
static void test_end_is_put_off(void **unused)
{
	struct state *state = statedir_open();
	const int64_t now_s = clock_wall_s(), until_s = now_s + 100;
	struct override drain = *statedir_drain("bos", NULL, until_s);
	int err = STATEDIR_WAITING;
	int64_t next_s = 0;

	(void)unused;
	drain.since_s = now_s;
	drain.over_s = 10;
	drain.whence = SHARE_WHOLE;
	drain.is_volatile = true;
	atomic_store(&disk_write_errno, ENOSPC);
	assert_int_equal(statedir_put(state, &drain), E_OK);
	assert_int_equal(state_expire(state, now_s, &next_s), 0);
	assert_int_equal(next_s, until_s);
	state_put(state, statedir_drain("nyc", NULL, 0), statedir_done, &err);
	assert_int_equal(state_expire(state, until_s, &next_s), 0);
	assert_false(state_override_at(state, 0)->is_returning);
	assert_int_equal(next_s, until_s + 1);
	statedir_wait(&err);
	assert_int_equal(err, E_IO);
	assert_int_equal(state_expire(state, next_s, &next_s), 0);
	assert_true(state_override_at(state, 0)->is_returning);
	atomic_store(&disk_write_errno, 0);
	state_close(state);
}

static void check_no_damage(const struct state *state)
{
	struct state_damage damage = {0};

	assert_int_equal(state_damage(state, &damage), E_OK);
	assert_false(damage.is_counted);
	assert_null(damage.path);
}

// The disk is full, the daemon is killed and started on the full disk: whatever of a change was written before there was
// no room, it starts, has what was acknowledged and nothing else, and claims no loss.
static void test_full_then_killed(void **unused)
{
	(void)unused;
	for (long room = 0; room < 4 * 4120 * 3; room += 1031) {
		struct state *state = statedir_open(), *again = NULL;
		size_t given = state_override_count(state);
		struct state_trouble trouble;
		char site[32];
		int err;

		assert_false(state_trouble(state, &trouble));
		atomic_store(&disk_room, room);
		do {
			snprintf(site, sizeof(site), "s%ld-%zu", room, given);
			err = statedir_put_drain(state, site, NULL, 0);
			given += err == E_OK;
		} while (err == E_OK);
		assert_int_equal(err, E_IO);
		assert_non_null(strstr(statedir_why, "/d/state.db cannot be written: No space left on device"));
		assert_int_equal(statedir_put_drain(state, site, NULL, 0), E_IO);
		assert_true(state_trouble(state, &trouble));
		assert_non_null(strstr(trouble.why, "/d/state.db cannot be written: No space left on device"));
		assert_in_range(trouble.since_s, clock_wall_s() - 60, clock_wall_s());
		statedir_settle(state);
		assert_int_equal(state_open(statedir_base, statedir_copy("k"), &statedir_ops, &again), E_OK);
		assert_int_equal(state_override_count(again), given);
		assert_null(state_drained(again, NULL, site, 1));
		check_no_damage(again);
		state_close(again);
		atomic_store(&disk_room, -1);
		assert_int_equal(statedir_put_drain(state, site, NULL, 0), E_OK);
		assert_false(state_trouble(state, &trouble));
		state_close(state);
	}
}

// Nothing at all can be written, not even a new file: what is there is served, changes are refused, and it is tried
// again.
static void test_nothing_can_be_written(void **unused)
{
	static const int errors[] = {ENOSPC, EROFS};

	(void)unused;
	for (size_t i = 0; i < 6; i++) {
		struct state *state = statedir_open();
		struct state_trouble trouble = {0};
		char command[256];

		assert_int_equal(statedir_put_drain(state, "bos", NULL, 0), E_OK);
		assert_int_equal(statedir_put_force(state, "a", "bos", FORCE_UP), E_OK);
		state_set_health(state, "a", "bos", 7, true, 0);
		state_close(state);
		snprintf(command, sizeof(command), "cd %s && %s", statedir, i < 2 ? "rm -f *-wal" : i < 4 ? ": >state.db" :
		         "rm state.db* state-copy.db-wal && : >state-copy.db-wal && : >health.db");
		assert_int_equal(system(command), 0);
		atomic_store(&disk_write_errno, errors[i % 2]);
		state = statedir_open();
		assert_int_equal(state_override_count(state), 2);
		assert_non_null(state_drained(state, NULL, "bos", 1));
		assert_int_equal(state_forced(state, "a", "bos"), FORCE_UP);
		assert_int_equal(statedir_health(state, "a", "bos", 7), i < 4 ? 1 : -1);
		assert_int_equal(statedir_put_drain(state, "nyc", NULL, 0), E_IO);
		assert_non_null(strstr(statedir_why, strerror(errors[i % 2])));
		assert_int_equal(statedir_remove_drain(state, "bos", NULL, false), E_IO);
		assert_int_equal(statedir_remove_drain(state, "nyc", NULL, false), E_NOTFOUND);
		assert_int_equal(state_override_count(state), 2);
		assert_true(state_trouble(state, &trouble));
		assert_int_equal(statedir_count("state.db.damaged-") + statedir_count("health.db.damaged-"), 0);
		state_set_health(state, "b", "bos", 7, true, 0);
		state = statedir_reopen(state);
		assert_int_equal(state_override_count(state), 2);
		atomic_store(&disk_write_errno, 0);
		assert_int_equal(statedir_put_drain(state, "nyc", NULL, 0), E_OK);
		assert_false(state_trouble(state, &trouble));
		statedir_settle(state);
		state = statedir_reopen(state);
		assert_int_equal(state_override_count(state), 3);
		assert_int_equal(statedir_count("state.db.damaged-"), i >= 2 && i < 4);
		state_close(state);
		snprintf(command, sizeof(command), "rm -rf %s", statedir);
		assert_int_equal(system(command), 0);
	}
}

// Nor at the first start, nor where neither file can be read.
static void test_nothing_can_be_made(void **unused)
{
	struct state *state;
	struct state_damage damage = {0};

	(void)unused;
	for (int is_damaged = 0; is_damaged < 2; is_damaged++) {
		statedir_write("x", "");
		if (is_damaged) {
			statedir_write("state.db", "garbage");
			statedir_write("state-copy.db", "garbage");
		}
		atomic_store(&disk_write_errno, ENOSPC);
		state = statedir_open();
		assert_int_equal(state_override_count(state), 0);
		assert_int_equal(statedir_put_drain(state, "bos", NULL, 0), E_IO);
		assert_int_equal(state_damage(state, &damage), E_OK);
		assert_true(damage.is_counted == is_damaged && damage.is_lost_unknown == is_damaged && damage.lost == 0);
		assert_int_equal(statedir_count("state.db.damaged-"), 0);
		atomic_store(&disk_write_errno, 0);
		assert_int_equal(statedir_put_drain(state, "bos", NULL, 0), E_OK);
		assert_int_equal(statedir_count("state.db.damaged-"), is_damaged);
		state = statedir_reopen(state);
		assert_int_equal(state_override_count(state), 1);
		state_close(state);
		assert_int_equal(statedir_teardown(NULL), 0);
		assert_int_equal(statedir_setup(NULL), 0);
	}
}

// Somebody removes or replaces files under the running daemon: what is acknowledged afterwards is in files that the next
// start finds, and so is what held before.
static void test_files_are_taken_away(void **unused)
{
	static const char *const ways[] = {
		"rm -f *", "rm state.db", "rm state-copy.db", "rm state.db-wal", "rm state-copy.db-wal", "mv state.db ../moved",
		"cp state.db x && mv x state.db", "rm -f * && cp ../old/* .", "rm state.db && mkdir state.db",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct state *state = statedir_open(), *again = NULL;
		char command[256];

		assert_int_equal(statedir_put_drain(state, "bos", NULL, 0), E_OK);
		state_close(state);
		snprintf(command, sizeof(command), "cd %s && rm -rf ../old && cp -r . ../old", statedir);
		assert_int_equal(system(command), 0);
		state = statedir_open();
		assert_int_equal(statedir_put_drain(state, "nyc", NULL, 0), E_OK);
		statedir_settle(state);
		snprintf(command, sizeof(command), "cd %s && %s", statedir, ways[i]);
		assert_int_equal(system(command), 0);
		assert_int_equal(statedir_put_drain(state, "lax", NULL, 0), E_OK);
		assert_int_equal(state_open(statedir_base, statedir_copy("k"), &statedir_ops, &again), E_OK);
		assert_int_equal(state_override_count(again), 3);
		state_close(again);
		assert_int_equal(system(command), 0); // and before an end in good order
		state = statedir_reopen(state);
		assert_int_equal(state_override_count(state), 3);
		state_close(state);
		snprintf(command, sizeof(command), "rm -rf %s", statedir);
		assert_int_equal(system(command), 0);
	}
}

// The whole folder: there is nowhere to write to, and changes are refused until it is back.
static void test_folder_is_taken_away(void **unused)
{
	struct state *state = statedir_open();
	struct state_trouble trouble;
	char moved[96];

	(void)unused;
	snprintf(moved, sizeof(moved), "%s/moved", statedir_top);
	assert_int_equal(statedir_put_drain(state, "bos", NULL, 0), E_OK);
	assert_int_equal(rename(statedir, moved), 0);
	assert_int_equal(statedir_remove_drain(state, "nyc", NULL, true), E_NOTFOUND); // noticed by what needs no writing, too
	assert_true(state_trouble(state, &trouble));
	assert_int_equal(statedir_put_drain(state, "nyc", NULL, 0), E_IO);
	assert_non_null(strstr(statedir_why, "was removed or replaced"));
	assert_int_equal(rename(moved, statedir), 0);
	assert_int_equal(statedir_put_drain(state, "nyc", NULL, 0), E_OK);
	assert_false(state_trouble(state, &trouble));
	state = statedir_reopen(state);
	assert_int_equal(state_override_count(state), 2);
	state_close(state);
}

// What was refused does not come back with a restart, although it had been written by then.
static void test_sync_fails(void **unused)
{
	(void)unused;
	strcpy(disk_only, "state.db");
	for (int failing = 1; failing <= 3; failing++) { // the second time what held cannot be synced at once either
		struct state *state = statedir_open();

		assert_int_equal(statedir_put_drain(state, "bos", NULL, 0), E_OK);
		statedir_settle(state);
		atomic_store(&disk_failing_syncs, failing);
		assert_int_equal(statedir_put_drain(state, "nyc", NULL, 0), E_IO);
		assert_null(state_drained(state, NULL, "nyc", 1));

		const char *copy = statedir_copy("k");

		atomic_store(&disk_failing_syncs, 0);
		state_close(state);
		assert_int_equal(state_open(statedir_base, copy, &statedir_ops, &state), E_OK);
		assert_non_null(state_drained(state, NULL, "bos", 1));
		assert_null(state_drained(state, NULL, "nyc", 1));
		state_close(state);
		state = statedir_open();
		assert_non_null(state_drained(state, NULL, "bos", 1));
		assert_null(state_drained(state, NULL, "nyc", 1));
		state_close(state);
	}
	disk_only[0] = '\0';
}

// The copy cannot be written: everything continues, and it is synchronised as soon as it can be.
static void test_copy_fails(void **unused)
{
	struct state *state = statedir_open();
	char path[160];

	(void)unused;
	assert_int_equal(statedir_put_drain(state, "bos", NULL, 0), E_OK);
	statedir_settle(state);
	strcpy(disk_only, "state-copy");
	atomic_store(&disk_write_errno, ENOSPC);
	assert_int_equal(statedir_put_drain(state, "nyc", NULL, 0), E_OK);
	assert_int_equal(statedir_put_drain(state, "lax", NULL, 0), E_OK);
	statedir_settle(state);
	atomic_store(&disk_write_errno, 0);
	disk_only[0] = '\0';
	state_close(state);
	snprintf(path, sizeof(path), "%s/state.db", statedir);
	assert_int_equal(unlink(path), 0); // the copy has all
	state = statedir_open();
	assert_int_equal(state_override_count(state), 3);
	state_close(state);
}

// A slow sync delays only the writer.
static void test_slow_disk(void **unused)
{
	struct state *state = statedir_open();
	int err = STATEDIR_WAITING;
	int64_t longest_ns = 0, next_s, began_ms = clock_mono_ms();

	(void)unused;
	assert_int_equal(statedir_put_drain(state, "bos", NULL, 10), E_OK);
	statedir_settle(state);
	atomic_store(&disk_sync_ms, 500);
	state_put(state, statedir_drain("nyc", NULL, 0), statedir_done, &err);
	state_put(state, statedir_drain("lax", NULL, 0), NULL, NULL);
	for (int i = 0; err == STATEDIR_WAITING; i++) {
		char app[32];
		int64_t withheld = withheld_ns(), at_ns = clock_mono_ns(), took_ns;

		snprintf(app, sizeof(app), "app%d", i % 1000);
		state_set_health(state, app, "bos", 7, i % 3 == 0, 0);
		(void)state_drained(state, app, "bos", 1);
		(void)state_expire(state, 5, &next_s);
		assert_int_equal(event_base_loop(statedir_base, EVLOOP_NONBLOCK), i < 0);
		took_ns = clock_mono_ns() - at_ns - (withheld_ns() - withheld);
		if (took_ns > longest_ns)
			longest_ns = took_ns;
		usleep(500);
	}
	assert_int_equal(err, E_OK);
	assert_true(clock_mono_ms() - began_ms >= 500);
	print_message("the longest turn of the loop while syncs took 500 ms: %.3f ms\n", (double)longest_ns / 1e6);
	assert_true(longest_ns < 50 * 1000000LL); // a sanitizer; measured: see the message
	atomic_store(&disk_sync_ms, 0);
	state_close(state);
}

// An override waits for its own sync and at most that of the copy before it, not for checkpoints between the two.
static void test_syncs_per_change(void **unused)
{
	struct state *state = statedir_open();
	long before;

	(void)unused;
	assert_int_equal(statedir_put_drain(state, "bos", NULL, 0), E_OK);
	statedir_settle(state);
	before = atomic_load(&disk_syncs);
	usleep(1200000);
	assert_int_equal(atomic_load(&disk_syncs), before);
	assert_int_equal(statedir_put_drain(state, "nyc", NULL, 0), E_OK);
	statedir_settle(state);
	assert_int_equal(atomic_load(&disk_syncs), before + 2);
	state_close(state);
}

// Overrides that are in state.db itself, as it is now; its log of writes is left aside.
static int count_carried(void)
{
	char path[160], command[3 * sizeof(path)];
	sqlite3 *db;
	sqlite3_stmt *count;

	snprintf(path, sizeof(path), "%s/alone.db", statedir_top);
	snprintf(command, sizeof(command), "cp %s/state.db %s", statedir, path);
	assert_int_equal(system(command), 0);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM override", -1, &count, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(count), SQLITE_ROW);

	int result = sqlite3_column_int(count, 0);

	sqlite3_finalize(count);
	sqlite3_close(db);
	return result;
}

// When nobody has given an override for a while, the log's are carried into the file; not before.
static void test_log_is_carried_when_idle(void **unused)
{
	struct state *state = statedir_open();

	(void)unused;
	assert_int_equal(statedir_put_drain(state, "bos", NULL, 0), E_OK);
	statedir_settle(state);
	usleep(100000);
	assert_int_equal(count_carried(), 0);
	state_close(state);
	statedir_ops.idle_ms = 50;
	state = statedir_open();
	assert_int_equal(statedir_put_drain(state, "nyc", NULL, 0), E_OK);
	for (int i = 0; count_carried() < 2; i++) {
		assert_in_range(i, 0, 500);
		usleep(10000);
	}
	state_close(state);
}

// Nor does it grow without end where overrides are given all the time.
static void test_log_is_bounded(void **unused)
{
	enum { ROUNDS = 100, LOG_MAX = 9 << 20 };
	struct state *state = statedir_open();
	static const char *const files[] = {"state.db-wal", "state-copy.db-wal"};
	char path[160], site[STATE_TEXT_MAX + 1];
	struct stat st;

	(void)unused;
	atomic_store(&disk_no_syncs, 1);
	memset(site, 's', STATE_TEXT_MAX);
	site[STATE_TEXT_MAX] = '\0'; // the first two letters tell them apart
	for (int round = 0; round < ROUNDS; round++) {
		int err = STATEDIR_WAITING;

		for (int i = 0; i < STATE_QUEUE_MAX; i++) {
			site[0] = (char)('a' + i / 16);
			site[1] = (char)('a' + i % 16);
			state_put(state, statedir_drain(site, NULL, round), statedir_done, i < STATE_QUEUE_MAX - 1 ? NULL : &err);
		}
		statedir_wait(&err);
		statedir_calls_clear();
		assert_int_equal(err, E_OK);
	}
	statedir_settle(state);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", statedir, files[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_in_range(st.st_size, 4 << 20, LOG_MAX);
	}
	state_close(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_disk_full, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_end_is_put_off, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_full_then_killed, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_nothing_can_be_written, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_nothing_can_be_made, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_files_are_taken_away, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_folder_is_taken_away, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_sync_fails, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_copy_fails, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_log_is_carried_when_idle, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_log_is_bounded, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_slow_disk, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_syncs_per_change, statedir_setup, statedir_teardown),
	};

	log_set_level((enum log_level)0); // failures are loud, and here they are on purpose
	return cmocka_run_group_tests(tests, NULL, NULL);
}
