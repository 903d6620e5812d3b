// Drains in the merge: any number of overlapping ones, whole or on their way, given and taken back in any order, against
// what a walk over all of them says.
#include "daemon/drains.h"

#include <fnmatch.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "config/config.h"
#include "control/cover.h"
#include "control/reply_json.h"
#include "daemon/impose.h"
#include "daemon/merge.h"
#include "plainview.h"
#include "state/state.h"
#include "statedir.h"
#include "view/live.h"

enum { STEPS = 1500, CHECK_EVERY = 5, OVER_S = 4000 };

static const char *const sites[] = {"aa", "ab", "ba", "bb", NULL};
static const char *const selectors[] = {"aa", "ab", "ba", "bb", "a*", "*a", "*", "?b", "b?", "c*"};
static const struct plainview_app apps[] = {{"x", 30, 15}, {"y", 30, 5}, {"z", 30, 10}};

static struct view *view;
static struct merge *merge;
static struct state *state;

// As reactions.c and serving.c do.
static void changed(void *ctx, const struct override *old, const struct override *next)
{
	(void)ctx;
	drains_set(merge, state, next ? next : old, next != NULL);
}

static bool covers(const struct override *drain, const struct target *target)
{
	return fnmatch(drain->site, view->sites[target->site].name, 0) == 0 &&
	       (!drain->app || strcmp(drain->app, target->app->name) == 0);
}

static void check_target(uint32_t number)
{
	uint32_t least = SHARE_WHOLE, has = merge_share(merge, number, MERGE_STAYING);
	bool whole = false;

	for (size_t i = 0; i < state_override_count(state); i++) {
		const struct override *drain = state_override_at(state, i);

		if (!covers(drain, &view->targets[number]))
			continue;
		if (drain->over_s && drain->share_now < least)
			least = drain->share_now;
		whole |= !drain->over_s;
	}
	assert_int_equal(merge_drained(merge, number), whole);
	assert_int_equal(has, least);
	assert_int_equal(has < SHARE_ALL, least < SHARE_WHOLE);
}

static void put_or_remove(void)
{
	const char *site = selectors[rand() % (int)ARRAY_LEN(selectors)], *app = rand() % 2 ? NULL : apps[rand() % 3].name;
	struct override drain = *statedir_drain(site, app, 0);
	int err;

	if (rand() % 3 == 0) {
		err = statedir_remove_drain(state, site, app, rand() % 4 == 0);
		assert_true(err == E_OK || err == E_NOTFOUND);
		return;
	}
	if (rand() % 2) { // somewhere on its way, one way or the other
		drain.over_s = OVER_S;
		drain.start_s = clock_wall_s() - 1 - rand() % (OVER_S - 100);
		drain.whence = SHARE_WHOLE;
		drain.is_returning = rand() % 2;
		if (drain.is_returning) {
			drain.whence = (uint32_t)(rand() % SHARE_WHOLE);
			drain.ender = (char *)"uid 1";
			drain.until_s = drain.start_s + OVER_S;
		}
	}
	assert_int_equal(statedir_put(state, &drain), E_OK);
}

static void test_any_overlap(void **unused)
{
	(void)unused;
	srand(7);
	statedir_ops.changed = changed;
	view = plainview_new(1, sites, apps, ARRAY_LEN(apps));
	merge = merge_new(view);
	state = statedir_open();
	for (int i = 0; i < STEPS; i++) {
		put_or_remove();
		state_step(state, clock_mono_ms());
		assert_true(drains_step(merge, state) >= 0);
		for (uint32_t n = 0; n < view->target_count && i % CHECK_EVERY == 0; n++)
			check_target(n);
	}
	while (state_override_count(state)) {
		const struct override *drain = state_override_at(state, 0);

		assert_int_equal(statedir_remove_drain(state, drain->site, drain->app, false), E_OK);
	}
	for (uint32_t n = 0; n < view->target_count; n++)
		assert_int_equal(merge_state_of(merge, n), 0);
	assert_int_equal(drains_step(merge, state), 0);
	state_close(state);
	merge_free(merge);
	view_free(view);
}

static double told(void)
{
	json_t *reply = reply_drain(state_override_at(state, 0));
	double moved = json_real_value(json_object_get(reply, "moved"));

	json_decref(reply);
	return moved;
}

// Between two steps the clock goes on, and what is told does not: it is what is answered. So it is in a generation that comes
// into use meanwhile.
static void test_told_as_answered(void **unused)
{
	static const unsigned percents[] = {0, 25, 60, 100};
	struct config_app steering[ARRAY_LEN(apps)];
	struct config config = {.apps = steering};
	struct override drain = *statedir_drain("aa", NULL, 0);

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(apps); i++)
		steering[i] = (struct config_app){.adopt = CONFIG_ADOPT_ALL};
	view = plainview_new(1, sites, apps, ARRAY_LEN(apps));
	state = statedir_open();
	drain.over_s = OVER_S;
	drain.whence = SHARE_WHOLE;
	assert_int_equal(statedir_put(state, &drain), E_OK);

	int64_t began_ms = state_override_at(state, 0)->begun_mono_ms;

	for (size_t i = 0; i < ARRAY_LEN(percents); i++) {
		struct merge *next = merge_new(view);

		merge = merge_new(view);
		state_step(state, began_ms + (int64_t)OVER_S * 10 * percents[i]);
		assert_int_equal(impose_step(merge, state), 1);
		impose_all(next, state, &config);
		for (uint32_t n = 0; n < view->target_count; n++) {
			bool is_of_it = view->targets[n].site == 0;
			double taken = merge_drained(merge, n) ? 1 : 1 - (double)merge_share(merge, n, MERGE_STAYING) / SHARE_ALL;

			assert_true(fabs(taken - (is_of_it ? told() : 0)) < 1e-4);
			// From its first moment on answers are those of a part: the scopes (RFC 7871).
			assert_int_equal((merge_state_of(merge, n) & TARGET_LEAVING) != 0, is_of_it && percents[i] < 100);
			assert_int_equal(merge_state_of(next, n), merge_state_of(merge, n));
			assert_int_equal(merge_share(next, n, MERGE_STAYING), merge_share(merge, n, MERGE_STAYING));
		}
		assert_true(fabs(told() - percents[i] / 100.0) < 1e-3);
		merge_free(next);
		merge_free(merge);
	}
	state_close(state);
	view_free(view);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_told_as_answered, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_any_overlap, statedir_setup, statedir_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
