// The power is cut at any moment: every acknowledged change is there afterwards, and nothing is damaged, whatever the
// disk had of what was not synced. EDGESTEER_LONG=1: 1,000 cuts of each kind.
#include <event2/event.h>
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

#include "base/attr.h"
#include "base/err.h"
#include "base/log.h"
#include "disk.h"
#include "history.h"
#include "statedir.h"

enum { SEED = 5, CHANGES = 240, LIVES = 4 };

static const char *const kinds[] = {[DISK_LOSES_ALL] = "all", [DISK_LOSES_NOTHING] = "nothing",
                                    [DISK_LOSES_SOME] = "some"};

// Notes in the record what has been acknowledged.
static void on_done(void *ctx, const struct state_result *result)
{
	uint32_t *acknowledged = ctx;

	assert_true(result->err == E_OK || result->err == E_NOTFOUND);
	disk_mark(++*acknowledged);
}

// Several lives of a daemon, from the first start on, with health between the changes.
static void record_lives(void)
{
	uint32_t given = 0, acknowledged = 0;
	char app[16];

	disk_record();
	for (int life = 0; life < LIVES; life++) {
		struct state *state = statedir_open();

		for (int i = 0; i < CHANGES / LIVES; i++) {
			snprintf(app, sizeof(app), "app%d", i % 20);
			state_set_health(state, app, "site", 7, i / 20 % 2, 0);
			history_give(state, SEED, given++, on_done, &acknowledged);
			while (acknowledged < given)
				assert_int_equal(event_base_loop(statedir_base, EVLOOP_ONCE), 0);
			if (i == 20 && life % 2) // checkpoint: the write-ahead logs are copied into the files and restarted
				usleep(300000);
		}
		state_close(state);
	}
	disk_record_end();
}

static void take_mark(void *ctx, uint32_t mark)
{
	*(uint32_t *)ctx = mark;
}

static void cut(size_t at, enum disk_loss loss, unsigned *seed)
{
	struct history history = {.seed = SEED};
	uint32_t acknowledged = 0;
	char command[160];

	snprintf(command, sizeof(command), "rm -rf %s", statedir);
	assert_int_equal(system(command), 0);
	disk_restore(statedir, at, loss, seed, take_mark, &acknowledged);

	struct state *state = statedir_open();
	bool is_right;

	for (uint32_t i = 0; i < acknowledged; i++)
		history_apply(&history, i);
	is_right = history_is(&history, state);
	if (!is_right && acknowledged < CHANGES) { // the one that was under way
		history_apply(&history, acknowledged);
		is_right = history_is(&history, state);
	}
	if (!is_right || statedir_count("state.db.damaged") || statedir_count("state-copy.db.damaged") ||
	    statedir_count("health.db.damaged"))
		fail_msg("cut at %zu, the disk lost %s: not what was acknowledged, or damage", at, kinds[loss]);
	state = statedir_reopen(state);
	assert_true(history_is(&history, state));
	state_close(state);
}

static void test_power_cuts(void **unused)
{
	unsigned seed = 3, cuts = getenv("EDGESTEER_LONG") ? 1000 : 60;
	size_t recorded;

	(void)unused;
	statedir_ops.idle_ms = 100;
	record_lives();
	atomic_store(&disk_no_syncs, 1);
	recorded = disk_recorded();
	for (enum disk_loss loss = DISK_LOSES_ALL; loss <= DISK_LOSES_SOME; loss++)
		for (unsigned i = 0; i < cuts; i++)
			cut((size_t)rand_r(&seed) % (recorded + 1), loss, &seed);
	print_message("%u cuts of each of %zu kinds among %zu writes and syncs\n", cuts, ARRAY_LEN(kinds), recorded);
	disk_forget();
}

// While it is opened --------------------------------------------------------------------------------------------------

// A file that is on disk before the state is opened.
static void plant(const char *name, const void *octets, size_t len)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", statedir, name);

	int fd = openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0640);

	assert_true(fd >= 0);
	assert_int_equal(pwrite64(fd, octets, len, 0), len);
	assert_int_equal(fsync(fd), 0);
	close(fd);
}

static void plant_end(void)
{
	int fd = openat(AT_FDCWD, statedir, O_RDONLY | O_DIRECTORY);

	assert_int_equal(fsync(fd), 0);
	close(fd);
	disk_mark(1);
}

// The power is cut at each write and sync of one start; each time the next start has everything.
static void cut_everywhere(size_t from, const char *const *sites, size_t count)
{
	unsigned seed = 9;
	char command[160];
	size_t recorded = disk_recorded();

	atomic_store(&disk_no_syncs, 1);
	for (size_t at = from; at <= recorded; at++) {
		for (enum disk_loss loss = DISK_LOSES_ALL; loss <= DISK_LOSES_SOME; loss++) {
			snprintf(command, sizeof(command), "rm -rf %s", statedir);
			assert_int_equal(system(command), 0);
			disk_restore(statedir, at, loss, &seed, NULL, NULL);

			struct state *state = statedir_open();

			for (size_t i = 0; i < count; i++)
				if (!state_drained(state, NULL, sites[i], 1))
					fail_msg("cut at %zu of %zu, the disk lost %s: the drain of %s is lost", at, recorded, kinds[loss],
					         sites[i]);
			assert_int_equal(state_override_count(state), count);
			state_close(state);
		}
	}
	disk_forget();
}

static void test_taking_over(void **unused)
{
	static const char text[] = "{\"version\": 1, \"drains\": [{\"site\": \"bos\", \"who\": \"w\", \"since\": 1, \"until\": 0},"
	                           "{\"site\": \"nyc\", \"who\": \"w\", \"since\": 2, \"until\": 0}], \"forces\": []}";
	static const char *const sites[] = {"bos", "nyc"};
	size_t from;

	(void)unused;
	mkdir(statedir, 0750);
	disk_record();
	plant("orders.json", text, strlen(text));
	plant_end();
	from = disk_recorded();
	state_close(statedir_open());
	disk_record_end();
	cut_everywhere(from, sites, ARRAY_LEN(sites));
}

// One of the two files is damaged, and the power is cut while it is rebuilt.
static void repair(const char *damaged)
{
	static const char *const names[] = {"state.db", "state-copy.db"}, *const sites[] = {"bos", "nyc", "lax"};
	unsigned char *octets[ARRAY_LEN(names)];
	size_t lens[ARRAY_LEN(names)], from;
	struct state *state = statedir_open();

	for (size_t i = 0; i < ARRAY_LEN(sites); i++)
		assert_int_equal(statedir_put_drain(state, sites[i], NULL, 0), E_OK);
	state_close(state);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[160];

		snprintf(path, sizeof(path), "%s/%s", statedir, names[i]);

		FILE *in = fopen(path, "r");

		octets[i] = malloc(1 << 20);
		lens[i] = fread(octets[i], 1, 1 << 20, in);
		fclose(in);
		if (strcmp(names[i], damaged) == 0)
			memset(octets[i] + lens[i] - 600, 0x55, 500);
	}

	char command[160];

	snprintf(command, sizeof(command), "rm -rf %s/*", statedir);
	assert_int_equal(system(command), 0);
	disk_record();
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		plant(names[i], octets[i], lens[i]);
		free(octets[i]);
	}
	plant_end();
	from = disk_recorded();
	state_close(statedir_open());
	disk_record_end();
	assert_int_equal(statedir_count(strcat(strcpy((char[64]){0}, damaged), ".damaged-")), 1);
	cut_everywhere(from, sites, ARRAY_LEN(sites));
}

static void test_repairing(void **unused)
{
	(void)unused;
	repair("state.db");
}

static void test_repairing_the_copy(void **unused)
{
	(void)unused;
	repair("state-copy.db");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_power_cuts, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_taking_over, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_repairing, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_repairing_the_copy, statedir_setup, statedir_teardown),
	};

	log_set_level((enum log_level)0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
