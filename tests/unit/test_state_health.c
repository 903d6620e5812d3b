// Health that survives: what a start believes, and what it costs to keep the health of many targets.
#include <errno.h>
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "disk.h"
#include "state/sum.h"
#include "statedir.h"

static void name(int i, char app[static 32], char site[static 32])
{
	snprintf(app, 32, "app%d", i / 10);
	snprintf(site, 32, "site%d", i % 10);
}

static void set(struct state *state, int i, bool up)
{
	char app[32], site[32];

	name(i, app, site);
	state_set_health(state, app, site, 7, up, 0);
}

static int get(const struct state *state, int i)
{
	char app[32], site[32];

	name(i, app, site);
	return statedir_health(state, app, site, 7);
}

// Turns the loop for so long.
static void loop_ms(int ms)
{
	for (int64_t end_ms = clock_mono_ms() + ms; clock_mono_ms() < end_ms;) {
		event_base_loop(statedir_base, EVLOOP_NONBLOCK);
		usleep(1000);
	}
}

static bool keep_app7(void *ctx, const char *app, const char *site)
{
	(void)ctx;
	(void)site;
	return strcmp(app, "app7") == 0;
}

static void test_health(void **unused)
{
	struct state *state = statedir_open();
	int64_t since_s = 0;

	(void)unused;
	assert_int_equal(get(state, 0), -1);
	for (int i = 0; i < 50000; i++)
		set(state, i, i % 3 == 0);
	loop_ms(1500);
	set(state, 1, true); // written by closing only
	state = statedir_reopen(state);
	for (int i = 2; i < 50000; i++)
		assert_int_equal(get(state, i), i % 3 == 0);
	assert_int_equal(get(state, 1), 1);
	state_set_health(state, "when", "s", 7, true, 1790000000);
	state = statedir_reopen(state);
	assert_int_equal(state_health(state, "when", "s", 7, &since_s), 1);
	assert_int_equal(since_s, 1790000000);
	state_set_health(state, "when", "s", 7, true, 1790000001); // the same health once more
	state = statedir_reopen(state);
	assert_int_equal(state_health(state, "when", "s", 7, &since_s), 1);
	assert_int_equal(since_s, 1790000001);
	assert_int_equal(statedir_health(state, "app0", "site0", 8), -1); // something else was probed
	state_forget_health(state, "app8", "site1");
	assert_int_equal(get(state, 81), -1);
	state_forget_health(state, "app8", "site2");
	set(state, 82, true); // and came back
	state_forget_health(state, "nobody", "knows");
	state = statedir_reopen(state);
	assert_int_equal(get(state, 81), -1);
	assert_int_equal(get(state, 82), 1);
	assert_int_equal(get(state, 83), 83 % 3 == 0);
	state_retain_health(state, keep_app7, NULL);
	state = statedir_reopen(state);
	assert_int_equal(get(state, 72), 72 % 3 == 0);
	assert_int_equal(get(state, 83), -1);
	state_close(state);
}

// Each address of a target has a health of its own; they go one by one, or with the target.
static void test_addresses(void **unused)
{
	static const uint32_t kept[] = {1, 3};
	struct state *state = statedir_open();

	(void)unused;
	for (uint32_t round = 0; round < 3; round++) { // new, changed, come back
		for (uint32_t probed = 0; probed < 5; probed++) {
			state_set_health(state, "a", "s", probed, (probed + round) % 2, probed);
			state_set_health(state, "a", "t", probed, true, 0);
		}
		state = statedir_reopen(state);
		for (uint32_t probed = 0; probed < 5; probed++) {
			assert_int_equal(statedir_health(state, "a", "s", probed), (probed + round) % 2);
			assert_int_equal(statedir_health(state, "a", "t", probed), 1);
		}
		state_retain_addresses(state, "a", "s", kept, ARRAY_LEN(kept));
		for (int reopened = 0; reopened < 2; reopened++) {
			for (uint32_t probed = 0; probed < 5; probed++)
				assert_int_equal(statedir_health(state, "a", "s", probed), probed % 2 ? (int)(probed + round) % 2 : -1);
			assert_int_equal(statedir_health(state, "a", "t", 4), 1);
			state = statedir_reopen(state);
		}
	}
	state_forget_health(state, "a", "t");
	state_forget_health(state, "a", "s");
	state_set_health(state, "a", "s", 3, false, 0);
	for (int reopened = 0; reopened < 2; reopened++) {
		for (uint32_t probed = 0; probed < 5; probed++) {
			assert_int_equal(statedir_health(state, "a", "s", probed), probed == 3 ? 0 : -1);
			assert_int_equal(statedir_health(state, "a", "t", probed), -1);
		}
		state = statedir_reopen(state);
	}
	state_close(state);
}

// An address after the other, faster than they are written: those of one target are bounded, and room comes back.
static void test_many_addresses(void **unused)
{
	struct state *state = statedir_open();
	uint32_t probed;

	(void)unused;
	for (probed = 0; probed < STATE_HEALTH_OF_TARGET_MAX + 9; probed++)
		state_set_health(state, "a", "s", probed, true, 0);
	for (probed = 0; probed < STATE_HEALTH_OF_TARGET_MAX + 9; probed++)
		assert_int_equal(statedir_health(state, "a", "s", probed), probed < STATE_HEALTH_OF_TARGET_MAX ? 1 : -1);
	state_set_health(state, "b", "s", 1, true, 0); // others are not affected
	assert_int_equal(statedir_health(state, "b", "s", 1), 1);
	state_retain_addresses(state, "a", "s", NULL, 0);
	state_set_health(state, "a", "s", 999, true, 0);
	assert_int_equal(statedir_health(state, "a", "s", 999), -1);
	state = statedir_reopen(state);
	state_set_health(state, "a", "s", 999, true, 0);
	state = statedir_reopen(state);
	assert_int_equal(statedir_health(state, "a", "s", 999), 1);
	assert_int_equal(statedir_health(state, "a", "s", 1), -1);
	state_close(state);
}

// What changes while it is being written is written again.
static void test_changes_while_written(void **unused)
{
	struct state *state = statedir_open();

	(void)unused;
	atomic_store(&disk_sync_ms, 20);
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 200; i++)
			set(state, i * round % 300, (i + round) % 2);
		if (round % 3 == 0)
			state_forget_health(state, "app5", "site5");
		loop_ms(100);
	}
	for (int i = 0; i < 300; i++)
		set(state, i, i % 5 == 0);
	state = statedir_reopen(state);
	for (int i = 0; i < 300; i++)
		assert_int_equal(get(state, i), i % 5 == 0);
	state_close(state);
}

static void test_write_fails(void **unused)
{
	struct state *state = statedir_open();

	(void)unused;
	set(state, 1, true);
	loop_ms(1200);
	atomic_store(&disk_write_errno, ENOSPC);
	set(state, 1, false);
	set(state, 2, true);
	state_forget_health(state, "app0", "site3");
	loop_ms(1200);
	atomic_store(&disk_write_errno, 0);
	state = statedir_reopen(state);
	assert_int_equal(get(state, 1), 0);
	assert_int_equal(get(state, 2), 1);
	state_close(state);
}

// Age -----------------------------------------------------------------------------------------------------------------

static void set_confirmed(int64_t value, int64_t sum)
{
	char path[160], sql[160];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/health.db", statedir);
	snprintf(sql, sizeof(sql), "UPDATE meta SET value = %lld, sum = %lld WHERE name = 'confirmed'", (long long)value,
	         (long long)sum);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_changes(db), 1);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

// Health that has not been confirmed for long is not used, whichever way the clock was set.
static void test_age(void **unused)
{
	static const struct {
		int64_t age_s;
		int health;
	} rows[] = {{0, 1}, {500, 1}, {-500, 1}, {700, -1}, {100000000, -1}, {-700, -1}};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct state *state = statedir_open();
		int64_t saved_s = clock_wall_s() - rows[i].age_s;

		state_set_health(state, "a", "s", 7, true, 0);
		state_set_health(state, "b", "s", 7, true, 0);
		state_close(state);
		set_confirmed(saved_s, (int64_t)sum_number(sum_text(sum_begin("meta"), "confirmed"), (uint64_t)saved_s));
		state = statedir_open();
		assert_int_equal(statedir_health(state, "a", "s", 7), rows[i].health);
		// What was not believed is not confirmed by what is written now.
		state_set_health(state, "b", "s", 7, false, 0);
		state = statedir_reopen(state);
		assert_int_equal(statedir_health(state, "a", "s", 7), rows[i].health);
		assert_int_equal(statedir_health(state, "b", "s", 7), 0);
		state_close(state);
		assert_int_equal(statedir_count("health.db.damaged"), 0); // it is no damage
		assert_int_equal(unlink(strcat(strcpy((char[160]){0}, statedir), "/health.db")), 0);
	}
}

// Makes health.db what an earlier version left.
static void make_older(int version)
{
	char path[160], steps[640];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/health.db", statedir);
	snprintf(steps, sizeof(steps), "CREATE TABLE older (app TEXT NOT NULL, site TEXT NOT NULL, word INTEGER NOT NULL, "
	         "sum INTEGER NOT NULL, PRIMARY KEY (app, site)) WITHOUT ROWID;"
	         "INSERT INTO older SELECT app, site, word, sum FROM health;%s"
	         "DROP TABLE health; ALTER TABLE older RENAME TO health; DROP TABLE alias; DROP TABLE provided;"
	         "PRAGMA user_version = %d; PRAGMA application_id = 0x4553000%d",
	         version == 2 ? "ALTER TABLE older ADD COLUMN since INTEGER NOT NULL DEFAULT 0;"
	                        "UPDATE older SET since = (SELECT since FROM health WHERE app = older.app);" : "", version, version);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, steps, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

// Files of earlier versions: the first had no `since`, so the health counts, since a time that is not known; the second
// had one address of a target.
static void test_earlier_versions(void **unused)
{
	(void)unused;
	for (int version = 1; version <= 2; version++) {
		struct state *state = statedir_open();
		int64_t saved_s = version == 1 ? 0 : 1700000000, since_s = 1;

		state_set_health(state, "a", "s", 7, true, saved_s);
		state_set_health(state, "b", "s", 8, false, saved_s);
		state_close(state);
		make_older(version);
		state = statedir_open();
		assert_int_equal(state_health(state, "a", "s", 7, &since_s), 1);
		assert_int_equal(since_s, saved_s);
		assert_int_equal(state_health(state, "b", "s", 8, &since_s), 0);
		assert_int_equal(since_s, saved_s);
		state_set_health(state, "a", "s", 7, false, 1790000000);
		state_set_health(state, "a", "s", 6, true, 1790000001);
		state = statedir_reopen(state);
		assert_int_equal(state_health(state, "a", "s", 7, &since_s), 0);
		assert_int_equal(since_s, 1790000000);
		assert_int_equal(state_health(state, "a", "s", 6, &since_s), 1);
		assert_int_equal(statedir_count("health.db.damaged"), 0);
		state_forget_health(state, "a", "s");
		state_close(state);
	}
}

static int take_number(void *ctx, int count, char **values, char **names)
{
	(void)count;
	(void)names;
	*(long long *)ctx = strtoll(values[0], NULL, 10);
	return 0;
}

// By a daemon that is killed: nothing has changed for long, and the next start still believes what is saved.
static void test_confirmed(void **unused)
{
	struct state *state = statedir_open();
	long long confirmed_s = 0;
	int64_t began_s = clock_wall_s(), saved_s = began_s - 500;
	char path[160];
	sqlite3 *db;

	(void)unused;
	state_set_health(state, "a", "s", 7, true, 0);
	state_close(state);
	set_confirmed(saved_s, (int64_t)sum_number(sum_text(sum_begin("meta"), "confirmed"), (uint64_t)saved_s));
	statedir_ops.confirm_ms = 20;
	state = statedir_open();
	for (int i = 0; confirmed_s < began_s; i++) {
		assert_in_range(i, 0, 500);
		loop_ms(40);
		snprintf(path, sizeof(path), "%s/health.db", statedir_copy("copy"));
		assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
		(void)sqlite3_exec(db, "SELECT value FROM meta WHERE name = 'confirmed'", take_number, &confirmed_s, NULL);
		assert_int_equal(sqlite3_close(db), SQLITE_OK);
	}
	state_close(state);
}

// Cost ----------------------------------------------------------------------------------------------------------------

static int64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

// Two flaps a second among 100,000 targets cost what two rows cost.
static void test_cost(void **unused)
{
	enum { TARGETS = 100000, SECONDS = 3 };
	struct state *state = statedir_open();
	int64_t began_ns, took_ns, longest_ns = 0;

	(void)unused;
	for (int i = 0; i < TARGETS; i++)
		set(state, i, true);
	for (int64_t end_ms = clock_mono_ms() + 3500; clock_mono_ms() < end_ms;) { // all are written
		int64_t at_ns = clock_mono_ns();

		event_base_loop(statedir_base, EVLOOP_NONBLOCK);
		if (clock_mono_ns() - at_ns > longest_ns)
			longest_ns = clock_mono_ns() - at_ns;
		usleep(1000);
	}
	began_ns = cpu_ns();
	for (int i = 0; i < SECONDS * 2; i++) {
		struct timeval half = {0, 500000};

		set(state, i * 7919 % TARGETS, false);
		event_base_loopexit(statedir_base, &half);
		event_base_dispatch(statedir_base);
	}
	took_ns = cpu_ns() - began_ns;
	print_message("%d targets, two flaps a second: %.5f of a core; the longest turn of the loop while all were written: "
	              "%.2f ms\n", TARGETS, (double)took_ns / (SECONDS * 1e9), (double)longest_ns / 1e6);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	assert_true(took_ns < SECONDS * 10000000LL);
#endif
	state = statedir_reopen(state);
	for (int i = 0; i < TARGETS; i++)
		assert_true(get(state, i) >= 0);
	assert_int_equal(get(state, 7919), 0);
	state_close(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_health, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_addresses, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_many_addresses, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_changes_while_written, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_write_fails, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_age, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_earlier_versions, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_confirmed, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_cost, statedir_setup, statedir_teardown),
	};

	log_set_level((enum log_level)0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
