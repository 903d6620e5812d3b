// The power is cut at any moment: every acknowledged change is there afterwards, and nothing is damaged, whatever the disk
// had of what was not synced. EDGESTEER_LONG=1: 1,000 cuts of each kind.
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
			state_set_health(state, app, "site", 7, i / 20 % 2);
			history_give(state, SEED, given++, on_done, &acknowledged);
			while (acknowledged < given)
				assert_int_equal(event_base_loop(statedir_base, EVLOOP_ONCE), 0);
			if (i == 20 && life % 2) // the logs of writes are carried into the files, and begun anew
				usleep(1300000);
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
	record_lives();
	atomic_store(&disk_no_syncs, 1);
	recorded = disk_recorded();
	for (enum disk_loss loss = DISK_LOSES_ALL; loss <= DISK_LOSES_SOME; loss++)
		for (unsigned i = 0; i < cuts; i++)
			cut((size_t)rand_r(&seed) % (recorded + 1), loss, &seed);
	print_message("%u cuts of each of %zu kinds among %zu writes and syncs\n", cuts, ARRAY_LEN(kinds), recorded);
	disk_forget();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_power_cuts, statedir_setup, statedir_teardown),
	};

	log_set_level((enum log_level)0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
