// Damaged files in the state folder: they are set aside and reported, and what is intact in them or in their copy is
// kept. Each test works in a folder of its own. At random: test_state_corrupt.
#include <errno.h>
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
#include <sqlite3.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "disk.h"
#include "state/sum.h"
#include "statedir.h"

static void wipe(void)
{
	char command[160];

	snprintf(command, sizeof(command), "rm -rf %s", statedir);
	assert_int_equal(system(command), 0);
}

// Of this start: what was kept and lost. `lost` SIZE_MAX: that is not known.
static void check_counted(const struct state *state, size_t kept, size_t lost)
{
	struct state_damage damage = {0};

	assert_int_equal(state_damage(state, &damage), E_OK);
	assert_true(damage.is_counted);
	assert_int_equal(damage.kept, kept);
	if (lost == SIZE_MAX)
		assert_int_equal(damage.lost, 0);
	else
		assert_int_equal(damage.lost, lost);
	assert_int_equal(damage.is_lost_unknown, lost == SIZE_MAX);
	free(damage.path);
}

// None was kept; whether any was lost may be known or not.
static void check_lost_some(const struct state *state)
{
	struct state_damage damage = {0};

	assert_int_equal(state_damage(state, &damage), E_OK);
	assert_true(damage.is_counted && damage.kept == 0);
	assert_true(damage.lost > 0 || damage.is_lost_unknown);
	free(damage.path);
}

static void check_none(const struct state *state)
{
	struct state_damage damage = {0};

	assert_int_equal(state_damage(state, &damage), E_OK);
	assert_null(damage.path);
	assert_int_equal(damage.files, 0);
	assert_false(damage.is_counted);
}

// Files of older versions ---------------------------------------------------------------------------------------------

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
		wipe();
		statedir_write("orders.json", texts[i]);
		snprintf(health, sizeof(health), "{\"version\": 1, \"saved\": %lld, \"health\": {\"a\": {\"s\": {\"up\": true, \"probed\": 7}}}}",
		         (long long)clock_wall_s());
		statedir_write("health.json", health);

		struct state *state = statedir_open();

		assert_int_equal(state_override_count(state), 0);
		assert_int_equal(statedir_health(state, "a", "s", 7), 1); // the other file is not touched
		assert_int_equal(statedir_count("orders.json.damaged-"), 1);
		check_lost_some(state);
		assert_int_equal(statedir_put_drain(state, "bos", NULL, 0), E_OK);
		state = statedir_reopen(state);
		assert_int_equal(state_override_count(state), 1);
		state_close(state);
		// What the store has is not touched by a file that cannot be read.
		statedir_write("orders.json", "{");
		state = statedir_open();
		assert_int_equal(state_override_count(state), 1);
		assert_int_equal(statedir_count("orders.json.damaged-"), 2);
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

		assert_int_equal(statedir_health(state, "a", "s", 7), -1);
		assert_int_equal(statedir_count("health.json.damaged-"), i + 1);
		check_none(state); // no override is lost
		state_close(state);
	}
}

#define DRAIN(site) "{\"site\": \"" site "\", \"who\": \"w\", \"since\": 1, \"until\": 0}"
#define FORCE(site, to) \
	"{\"app\": \"a\", \"site\": \"" site "\", \"to\": \"" to "\", \"who\": \"w\", \"since\": 1}"
#define ORDERS(drains, forces) "{\"version\": 1, \"drains\": " drains ", \"forces\": " forces "}"

// One bad entry does not lift every drain.
static void test_sound_entries_are_kept(void **unused)
{
	static const struct {
		const char *text;
		size_t kept, lost;
	} rows[] = {
		{ORDERS("[" DRAIN("s") ", 7, " DRAIN("t") "]", "[" FORCE("s", "up") "]"), 3, 1},
		{ORDERS("[" DRAIN("s") "]", "[" FORCE("s", "sideways") ", " FORCE("t", "down") "]"), 2, 1},
		{ORDERS("[" DRAIN("s") ", " DRAIN("") ", " DRAIN("s") "]", "[]"), 1, 2}, // of two for one thing the first counts
		{ORDERS("[" DRAIN("s") "]", "[" FORCE("s", "up") ", " FORCE("s", "down") "]"), 2, 1},
		{ORDERS("{}", "[" FORCE("s", "up") "]"), 1, 1},
		{"{\"version\": 1, \"drains\": [" DRAIN("s") "]}", 1, 1},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		wipe();
		statedir_write("orders.json", rows[i].text);

		struct state *state = statedir_open();

		assert_int_equal(state_override_count(state), rows[i].kept);
		assert_int_equal(statedir_count("orders.json.damaged-"), 1);
		assert_int_equal(statedir_count("orders.json"), 1);
		check_counted(state, rows[i].kept, rows[i].lost);
		state = statedir_reopen(state);
		assert_int_equal(state_override_count(state), rows[i].kept);
		state_close(state);
	}
}

static void test_more_than_there_can_be(void **unused)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)unused;
	fputs("{\"version\": 1, \"forces\": [], \"drains\": [", out);
	for (int i = 0; i < STATE_OVERRIDES_MAX + 7; i++)
		fprintf(out, "%s{\"site\":\"s%d\",\"who\":\"w\",\"since\":1,\"until\":0}", i ? "," : "", i);
	fputs("]}", out);
	fclose(out);
	statedir_write("orders.json", text);
	free(text);

	struct state *state = statedir_open();

	check_counted(state, STATE_OVERRIDES_MAX, 7);
	state_close(state);
}

static void check_file(const struct state *state, const char *file, int64_t time_s, size_t files)
{
	struct state_damage damage = {.time_s = -1};
	char path[160];

	assert_int_equal(state_damage(state, &damage), E_OK);
	assert_int_equal(damage.files, files);
	assert_false(damage.is_counted); // not of this start
	snprintf(path, sizeof(path), "%s/%s", statedir, file);
	assert_string_equal(damage.path, path);
	assert_int_equal(damage.time_s, time_s);
	free(damage.path);
}

// Lost overrides are reported until the file is removed: neither other overrides nor a restart acknowledge the loss.
static void test_reported_until_removed(void **unused)
{
	char path[160];
	struct state *state = statedir_open();

	(void)unused;
	check_none(state);
	state_close(state);
	statedir_write("orders.json.damaged-500", "");
	statedir_write("state.db.damaged-1000", "");
	statedir_write("state.db.damaged-1000-wal", "");
	statedir_write("state.db.damaged-1000-2", "");
	statedir_write("state-copy.db.damaged-1000-1", "");
	statedir_write("state.db.damaged-", "");
	statedir_write("orders.json.damaged-7000.mended", "");
	statedir_write("health.db.damaged-7000", "");
	state = statedir_open();
	check_file(state, "state.db.damaged-1000-2", 1000, 4);
	assert_int_equal(statedir_put_drain(state, "bos", NULL, 0), E_OK);
	state = statedir_reopen(state);
	check_file(state, "state.db.damaged-1000-2", 1000, 4);
	snprintf(path, sizeof(path), "%s/state.db.damaged-1000-2", statedir);
	assert_int_equal(unlink(path), 0);
	check_file(state, "state-copy.db.damaged-1000-1", 1000, 3);
	state_close(state);

	statedir_write("orders.json", "{");
	state = statedir_open();

	struct state_damage damage = {0};

	assert_int_equal(state_damage(state, &damage), E_OK);
	assert_int_equal(damage.files, 4);
	assert_in_range(damage.time_s, clock_wall_s() - 5, clock_wall_s());
	assert_true(damage.is_counted);
	free(damage.path);
	state_close(state);
}

// The store -----------------------------------------------------------------------------------------------------------

static void run_sql(const char *name, const char *sql)
{
	char path[160];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/%s", statedir, name);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

// Three drains, closed. The last change was a removal.
static void make_three(void)
{
	wipe();

	struct state *state = statedir_open();

	assert_int_equal(statedir_put_drain(state, "bos", NULL, 0), E_OK);
	assert_int_equal(statedir_put_drain(state, "nyc", NULL, 0), E_OK);
	assert_int_equal(statedir_put_drain(state, "lax", "a", 0), E_OK);
	assert_int_equal(statedir_put_drain(state, "gone", NULL, 0), E_OK);
	assert_int_equal(statedir_remove_drain(state, "gone", NULL, true), E_OK);
	state_close(state);
}

static const char *const damages[] = {
	"UPDATE override SET until = 5 WHERE site = 'nyc'",
	"UPDATE override SET site = 'nyx' WHERE site = 'nyc'",
	"UPDATE override SET who = x'00' WHERE site = 'nyc'",
	"UPDATE override SET who = 'a' || char(0) || 'b' WHERE site = 'nyc'",
	"UPDATE override SET reason = 7.5 WHERE site = 'nyc'",
	"UPDATE override SET kind = 99 WHERE site = 'nyc'",
	"UPDATE override SET direction = 99 WHERE site = 'nyc'",
	"UPDATE override SET reason = printf('%.*c', 1000, 'x') WHERE site = 'nyc'",
	"DELETE FROM override WHERE site = 'nyc'",
};

// What is damaged in one file is taken from the other, whichever it is.
static void test_one_file(void **unused)
{
	static const char *const files[] = {"state.db", "state-copy.db"};
	static const char *const others[] = {
		"UPDATE meta SET value = value + 1 WHERE name = 'count'", "DELETE FROM meta",
		"DROP TABLE override", "DROP TABLE meta", "CREATE TABLE odd (x)", "CREATE INDEX i ON override (site)",
		"PRAGMA user_version = 0", "PRAGMA user_version = 7", "PRAGMA application_id = 7",
		"CREATE TRIGGER t AFTER INSERT ON override BEGIN DELETE FROM meta; END",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		for (size_t k = 0; k < ARRAY_LEN(damages) + ARRAY_LEN(others); k++) {
			make_three();
			run_sql(files[i], k < ARRAY_LEN(damages) ? damages[k] : others[k - ARRAY_LEN(damages)]);

			struct state *state = statedir_open();

			assert_int_equal(state_override_count(state), 3);
			assert_non_null(state_drained(state, NULL, "nyc", 1));
			check_counted(state, 3, 0);
			assert_int_equal(statedir_put_drain(state, "more", NULL, 0), E_OK);
			state = statedir_reopen(state);
			assert_int_equal(state_override_count(state), 4);
			state_close(state);
		}
	}
}

// Totals that are sound, but of an earlier revision, as from a page that was not written: the next change would be given
// a revision that is there already.
static void test_totals_are_old(void **unused)
{
	char sql[160];

	(void)unused;
	make_three();
	snprintf(sql, sizeof(sql), "UPDATE meta SET value = 1, sum = %lld WHERE name = 'revision'",
	         (long long)sum_number(sum_text(sum_begin("meta"), "revision"), 1));
	run_sql("state.db", sql);
	run_sql("state-copy.db", sql);

	struct state *state = statedir_open();

	assert_int_equal(state_override_count(state), 3);
	check_counted(state, 3, 0);
	assert_int_equal(statedir_put_drain(state, "more", NULL, 0), E_OK);
	assert_true(state_override_at(state, 3)->revision > state_override_at(state, 2)->revision);
	state_close(state);
}

// Both are damaged: what is sound in either is kept, what is not is counted.
static void test_both_files(void **unused)
{
	(void)unused;
	for (size_t k = 0; k < ARRAY_LEN(damages); k++) {
		make_three();
		run_sql("state.db", damages[k]);
		run_sql("state-copy.db", damages[(k + 1) % ARRAY_LEN(damages)]);

		struct state *state = statedir_open();

		assert_int_equal(state_override_count(state), 2);
		check_counted(state, 2, 1);
		assert_null(state_drained(state, NULL, "nyc", 1));
		state = statedir_reopen(state);
		assert_int_equal(state_override_count(state), 2);
		state_close(state);

		// Different rows: nothing is lost.
		make_three();
		run_sql("state.db", damages[k]);
		run_sql("state-copy.db", "UPDATE override SET until = 5 WHERE site = 'bos'");
		state = statedir_open();
		assert_int_equal(state_override_count(state), 3);
		check_counted(state, 3, 0);
		state_close(state);
	}
	make_three();
	run_sql("state.db", "DELETE FROM meta; DELETE FROM override");
	statedir_write("state-copy.db", "");

	struct state *state = statedir_open();

	assert_int_equal(state_override_count(state), 0);
	check_counted(state, 0, SIZE_MAX);
	state_close(state);
}

static void test_missing_and_empty(void **unused)
{
	struct state *state;
	char path[160];

	(void)unused;
	make_three();
	snprintf(path, sizeof(path), "%s/state.db", statedir);
	assert_int_equal(unlink(path), 0);
	state = statedir_open();
	assert_int_equal(state_override_count(state), 3);
	check_counted(state, 3, 0); // of no file
	state = statedir_reopen(state);
	check_none(state);
	state_close(state);

	statedir_write("state.db", "");
	state = statedir_open();
	assert_int_equal(state_override_count(state), 3);
	check_counted(state, 3, 0);
	assert_true(statedir_count("state.db.damaged-") > 0);
	state_close(state);

	make_three();
	snprintf(path, sizeof(path), "%s/state-copy.db", statedir);
	assert_int_equal(unlink(path), 0);
	state = statedir_open();
	assert_int_equal(state_override_count(state), 3);
	check_none(state); // a new one is made
	state_close(state);
	assert_int_equal(statedir_count("state-copy.db"), 1 + statedir_count("state-copy.db-wal"));
	// Both: health.db says that this is no first start.
	make_three();
	snprintf(path, sizeof(path), "rm %s/state*", statedir);
	assert_int_equal(system(path), 0);
	state = statedir_open();
	check_counted(state, 0, SIZE_MAX);
	state = statedir_reopen(state);
	check_none(state);
	state_close(state);
	assert_int_equal(statedir_count("state-copy.db.damaged-"), 0);
}

// An older state.db: the end of its write-ahead log was lost, or an old file was put in place.
static void test_behind(void **unused)
{
	struct state *state;
	char command[512];

	(void)unused;
	make_three();
	snprintf(command, sizeof(command), "cp %s/state.db %s/old.db", statedir, statedir_top);
	assert_int_equal(system(command), 0);
	state = statedir_open();
	assert_int_equal(statedir_put_drain(state, "late", NULL, 0), E_OK);
	state_close(state);
	snprintf(command, sizeof(command), "cp %s/old.db %s/state.db && rm -f %s/state.db-wal", statedir_top, statedir,
	         statedir);
	assert_int_equal(system(command), 0);
	state = statedir_open();
	assert_int_equal(state_override_count(state), 4);
	check_counted(state, 4, 0);
	assert_true(statedir_count("state.db.replaced-") > 0);
	assert_int_equal(statedir_count("state.db.damaged-"), 0);
	state_close(state);
}

static void test_health_store(void **unused)
{
	static const char *const sqls[] = {
		"UPDATE health SET word = word + 1", "UPDATE health SET word = 'x'", "DROP TABLE health",
		"UPDATE meta SET value = value + 1", "UPDATE health SET app = x'00'", "UPDATE health SET since = since + 1",
		"UPDATE health SET since = 'x'",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(sqls); i++) {
		wipe();

		struct state *state = statedir_open();

		assert_int_equal(statedir_put_drain(state, "bos", NULL, 0), E_OK);
		state_set_health(state, "a", "s", 7, true, 1000);
		state_close(state);
		run_sql("health.db", sqls[i]);
		state = statedir_open();
		assert_int_equal(statedir_health(state, "a", "s", 7), -1);
		assert_int_equal(state_override_count(state), 1);
		check_none(state);
		assert_true(statedir_count("health.db.damaged-") > 0);
		state_set_health(state, "a", "s", 7, true, 0);
		state = statedir_reopen(state);
		assert_int_equal(statedir_health(state, "a", "s", 7), 1);
		state_close(state);
	}
}

// No file is set aside before its replacement is on disk.
static void test_cannot_be_rebuilt(void **unused)
{
	struct state *state = NULL;

	(void)unused;
	make_three();
	run_sql("state.db", damages[0]);
	atomic_store(&disk_write_errno, ENOSPC);
	state = statedir_open();
	assert_int_equal(state_override_count(state), 3);
	check_counted(state, 3, 0);
	assert_int_equal(statedir_put_drain(state, "more", NULL, 0), E_IO);
	assert_int_equal(statedir_count("state.db.damaged-"), 0);
	state_close(state);
	atomic_store(&disk_write_errno, 0);
	state = statedir_open();
	assert_int_equal(state_override_count(state), 3);
	state_close(state);
	// The copy alone: the daemon continues without it.
	make_three();
	run_sql("state-copy.db", damages[0]);
	atomic_store(&disk_write_errno, ENOSPC);
	state = statedir_open();
	assert_int_equal(state_override_count(state), 3);
	atomic_store(&disk_write_errno, 0);
	state = statedir_reopen(state);
	assert_int_equal(state_override_count(state), 3);
	assert_true(statedir_count("state-copy.db.damaged-") > 0);
	state_close(state);
}

// The copy was not written for a while, and what only state.db has is damaged: a sound row of it is taken, and what is
// lost is counted, from the totals or, without them, from the damaged row.
static void test_copy_is_behind_damage(void **unused)
{
	static const char *const also[] = {"", "; DELETE FROM meta"};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(also); i++) {
		char command[512];
		struct state *state;

		make_three();
		snprintf(command, sizeof(command), "cp %s/state-copy.db %s/old.db", statedir, statedir_top);
		assert_int_equal(system(command), 0);
		state = statedir_open();
		assert_int_equal(statedir_put_drain(state, "late", NULL, 0), E_OK);
		assert_int_equal(statedir_put_drain(state, "later", NULL, 0), E_OK);
		state_close(state);
		snprintf(command, sizeof(command), "cp %s/old.db %s/state-copy.db && rm -f %s/state-copy.db-wal", statedir_top,
		         statedir, statedir);
		assert_int_equal(system(command), 0);
		snprintf(command, sizeof(command), "UPDATE override SET until = 5 WHERE site = 'late'%s", also[i]);
		run_sql("state.db", command);
		state = statedir_open();
		assert_int_equal(state_override_count(state), 4);
		assert_non_null(state_drained(state, NULL, "later", 1));
		check_counted(state, 4, 1);
		state_close(state);
	}
}

// In the middle of one log of writes an octet is not what was written. SQLite takes what is before it for all there is;
// but transactions follow, so what is behind it had been committed.
static void test_inside_a_log(void **unused)
{
	static const char *const files[] = {"state.db", "state-copy.db"};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char command[512], site[16], aside[64];
		struct state *state;

		wipe();
		state = statedir_open();
		for (int k = 0; k < 8; k++) {
			snprintf(site, sizeof(site), "s%d", k);
			assert_int_equal(statedir_put_drain(state, site, NULL, 0), E_OK);
		}
		statedir_settle(state);
		snprintf(command, sizeof(command), "printf X | dd of=%s/%s-wal bs=1 seek=%d conv=notrunc status=none",
		         statedir_copy("killed"), files[i], 32 + 4120 + 24 + 2000);
		assert_int_equal(system(command), 0);
		state_close(state);
		wipe();
		snprintf(command, sizeof(command), "%s/killed", statedir_top);
		assert_int_equal(rename(command, statedir), 0);
		state = statedir_open();
		assert_int_equal(state_override_count(state), 8);
		check_counted(state, 8, 0);
		state_close(state);
		snprintf(aside, sizeof(aside), "%s.damaged-", files[i]);
		assert_true(statedir_count(aside) > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_damaged, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_damaged_health, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_sound_entries_are_kept, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_more_than_there_can_be, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_reported_until_removed, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_one_file, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_totals_are_old, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_both_files, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_missing_and_empty, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_copy_is_behind_damage, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_inside_a_log, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_behind, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_health_store, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_cannot_be_rebuilt, statedir_setup, statedir_teardown),
	};

	log_set_level((enum log_level)0); // damage is loud, and here it is on purpose
	return cmocka_run_group_tests(tests, NULL, NULL);
}
