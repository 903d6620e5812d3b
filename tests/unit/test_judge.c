// What is believed of targets, from probes, providers and vantages together, over generations. The prober's states are saved
// ones: nothing is probed.
#include "health/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/err.h"
#include "config/config.h"
#include "health/health.h"
#include "health/watchlist.h"
#include "plainview.h"
#include "view/view.h"

enum { TARGETS = 4, NEW = 0xffffffff };

// Of app "a" at four sites.
static const char *const sites[] = {"s0", "s1", "s2", "s3", NULL};

static struct {
	struct event_base *base;
	struct health *health;
	struct judge *judge;
	struct view *view;
	struct config *config;
	bool believed[TARGETS];
	bool probed_up[TARGETS];    // as saved
	enum word says[TARGETS];    // the provider's
} world;

static void judged(void *ctx, uint32_t target, bool up)
{
	(void)ctx;
	world.believed[target] = up;
}

static void eased(void *ctx, uint32_t target, uint32_t share)
{
	(void)ctx;
	(void)target;
	(void)share;
}

static enum word endpoints(void *ctx, const char *app, const char *site)
{
	(void)ctx;
	assert_string_equal(app, "a");
	return world.says[site[1] - '0'];
}

static void moved(void *ctx)
{
	(void)ctx;
}

static int saved(void *ctx, const char *app, const char *site, uint32_t endpoint, int64_t *ret_since_s)
{
	(void)ctx;
	(void)app;
	(void)endpoint;
	*ret_since_s = 1;
	return world.probed_up[site[1] - '0'];
}

static void no_change(void *ctx, size_t target, const struct health_address *address)
{
	(void)ctx;
	(void)target;
	(void)address;
}

static void no_settling(void *ctx)
{
	(void)ctx;
}

// `unprobed`: these targets, a bit each, have no check.
static void begin(unsigned quorum, unsigned panic_percent, unsigned unprobed)
{
	static const struct plainview_app app = {"a", 30, 15};
	const struct health_ops health_ops = {.changed = no_change, .settled = no_settling, .saved = saved};
	const struct judge_ops ops = {judged, eased, endpoints, moved, NULL};
	const uint32_t old_of_new[TARGETS] = {NEW, NEW, NEW, NEW};
	struct watchlist *list = NULL;

	world.base = event_base_new();
	assert_non_null(world.base);
	assert_int_equal(event_base_priority_init(world.base, 3), 0);
	world.view = plainview_new(1, sites, &app, 1);
	world.config = plainview_config(world.view);
	world.config->checks[0].interval_ms = 1000000;
	world.config->apps[0].quorum = quorum;
	world.config->apps[0].panic_percent = panic_percent;
	for (unsigned i = 0; i < TARGETS; i++) {
		world.config->apps[0].targets[i].from = "object";
		if (unprobed & 1u << i)
			world.config->apps[0].targets[i].check = CONFIG_CHECK_NONE;
	}
	world.health = health_new(world.base, &health_ops);
	world.judge = judge_new(world.base, &ops);
	assert_true(world.health && world.judge);
	assert_int_equal(watchlist_new(world.config, NULL, &list), E_OK);
	health_configure(world.health, list, 1);
	judge_take(world.judge, judge_frame_new(world.config), world.health, old_of_new);
	judge_start(world.judge);
}

static void end(void)
{
	judge_free(world.judge);
	health_free(world.health);
	view_free(world.view);
	event_base_free(world.base);
	memset(&world, 0, sizeof(world));
}

static void report(const char *vantage, const char *carrier, uint32_t target, bool up)
{
	const struct judge_report said = {vantage, carrier, "nobody", JUDGE_TTL_MS, 0};
	unsigned number;

	assert_int_equal(judge_open(world.judge, &said, &number), E_OK);
	assert_int_equal(judge_report(world.judge, &said, number, target, up), E_OK);
	judge_settle(world.judge);
}

// Probe, provider and one vantage, with each of what they may say, under each quorum: against column.h.
static void test_all_that_is_said(void **unused)
{
	(void)unused;
	for (unsigned quorum = 1; quorum <= 4; quorum++)
		for (unsigned row = 0; row < 3 * 3 * 3; row++) {
			enum word probe = (enum word)(row % 3), provider = (enum word)(row / 3 % 3), vantage = (enum word)(row / 9);
			struct tally tally = {0};

			world.probed_up[0] = probe == WORD_UP;
			world.says[0] = provider == WORD_UP ? WORD_UP : WORD_NONE;
			begin(quorum, 0, probe == WORD_NONE ? 1 : 0);
			if (provider == WORD_DOWN)
				judge_told(world.judge, 0, true);
			if (vantage != WORD_NONE)
				report("v", "", 0, vantage == WORD_UP);
			tally_add(&tally, probe);
			tally_add(&tally, quorum == 1 && provider == WORD_UP ? WORD_NONE : provider);
			tally_add(&tally, vantage);
			assert_int_equal(world.believed[0], tally_word(tally, quorum) != WORD_DOWN);
			end();
		}
}

static const char *column_carrier;
static bool column_up;
static unsigned column_count;

static void note_column(void *ctx, uint32_t target, const char *carrier, bool up)
{
	(void)ctx;
	assert_int_equal(target, 1);
	column_carrier = carrier;
	column_up = up;
	column_count++;
}

// At a site that everybody reaches it is a column of its own, at one carrier's site it is the state.
static void test_carriers(void **unused)
{
	const char *one[] = {"one"};

	(void)unused;
	begin(1, 0, 15);
	report("cell", "one", 1, false);
	assert_true(world.believed[1]);
	column_count = 0;
	judge_columns(world.judge, note_column, NULL);
	assert_int_equal(column_count, 1);
	assert_string_equal(column_carrier, "one");
	assert_false(column_up);
	report("cell-2", "one", 1, true); // one of two says down, and the quorum is one
	column_count = 0;
	judge_columns(world.judge, note_column, NULL);
	assert_int_equal(column_count, 1);
	world.config->sites[2].is_public = false;
	world.config->sites[2].carriers = one;
	world.config->sites[2].carrier_count = 1;
	report("cell", "one", 2, false);
	assert_false(world.believed[2]);
	report("lab", "", 2, true); // not its column
	assert_false(world.believed[2]);
	report("cell", "one", 2, true);
	report("lab", "", 2, false);
	assert_true(world.believed[2]);
	end();
}

static unsigned believed_up(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < TARGETS; i++)
		count += world.believed[i];
	return count;
}

// A vantage that suddenly says of all that it sees that it is down, be it that it never said anything else.
static void test_a_vantage_that_fails(void **unused)
{
	struct judge_stats stats;

	(void)unused;
	for (int before = 0; before <= 1; before++) {
		begin(1, 0, 15);
		world.config->health.brake_max_ms = 60000;
		for (uint32_t i = 0; before && i < TARGETS; i++)
			report("v", "", i, true);
		for (uint32_t i = 0; i < 3; i++)
			report("v", "", i, false);
		assert_int_equal(believed_up(), before ? 1 : 4); // without, there is nothing else that it sees
		report("v", "", 3, false);
		assert_int_equal(believed_up(), 4); // what follows is held with the rest
		report("w", "", 0, false); // a second vantage
		assert_int_equal(believed_up(), 3);
		judge_stats(world.judge, &stats);
		assert_int_equal(stats.held, 3);
		assert_int_equal(judge_release(world.judge), 1);
		assert_int_equal(believed_up(), 0);
		assert_int_equal(judge_release(world.judge), 0);
		end();
	}
}

static void test_panic(void **unused)
{
	struct judge_stats stats;

	(void)unused;
	begin(1, 50, 15);
	report("v", "", 0, false);
	report("v", "", 1, false);
	assert_false(world.believed[0]); // half of them are up
	report("v", "", 2, false);
	for (unsigned i = 0; i < TARGETS; i++)
		assert_true(world.believed[i]);
	judge_stats(world.judge, &stats);
	assert_int_equal(stats.panicking, TARGETS);
	report("v", "", 1, true);
	assert_false(world.believed[0]);
	assert_true(world.believed[1]);
	judge_stats(world.judge, &stats);
	assert_int_equal(stats.panicking, 0);
	end();
}

// The next generation has what was reported and what it cost, by other numbers; a target that is gone takes it along.
static void test_generations(void **unused)
{
	const uint32_t swapped[TARGETS] = {NEW, 0, 3, 2};
	struct judge_shown shown;

	(void)unused;
	begin(1, 0, 15);
	report("v", "", 0, false);
	report("v", "", 1, false);
	for (unsigned i = 0; i < TARGETS; i++)
		world.believed[i] = true; // as a generation begins
	judge_take(world.judge, judge_frame_new(world.config), world.health, swapped);
	assert_true(world.believed[0]);
	assert_false(world.believed[1]);
	assert_true(world.believed[2] && world.believed[3]);
	assert_int_equal(matrix_count(judge_matrix(world.judge)), 1);
	judge_shown(world.judge, 1, &shown);
	assert_int_equal(shown.penalty, 0); // damping is off in this config
	report("v", "", 1, true);
	assert_true(world.believed[1]);
	end();
}

static void test_names(void **unused)
{
	char longest[MATRIX_NAME_LEN + 1];

	(void)unused;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[MATRIX_NAME_LEN] = '\0';
	assert_false(judge_is_name(longest));
	assert_true(judge_is_name(longest + 1));
	assert_true(judge_is_name("cell-7.bos:A_1"));
	assert_false(judge_is_name(""));
	assert_false(judge_is_name("a b"));
	assert_false(judge_is_name("a\033[31m"));
	assert_false(judge_is_name("\303\244"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_that_is_said), cmocka_unit_test(test_carriers), cmocka_unit_test(test_panic),
		cmocka_unit_test(test_a_vantage_that_fails),
		cmocka_unit_test(test_generations),      cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
