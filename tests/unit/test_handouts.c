// The counters of answers across generations: kept by name, and reused only when no reader can refer to them any more.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "plainview.h"
#include "view/handouts.h"

enum { WORKERS = 3 };

static const char *const sites[] = {"s", "t", "u", NULL};

static struct handouts *handouts;

static int set_up(void **unused)
{
	(void)unused;
	handouts = handouts_new(WORKERS);
	return handouts ? 0 : -1;
}

static int tear_down(void **unused)
{
	(void)unused;
	return handouts_free(handouts) ? -1 : 0;
}

// As handover.c matches them. The caller frees it.
static uint32_t *match(const struct view *view, const struct view *previous)
{
	uint32_t *old_of_new = calloc(view->target_count + 1, sizeof(*old_of_new));

	assert_non_null(old_of_new);
	for (uint32_t i = 0; i < view->target_count; i++) {
		const struct target *target = &view->targets[i];
		int old = previous ? plainview_target(previous, target->app->name, view->sites[target->site].name) : -1;

		old_of_new[i] = old < 0 ? UINT32_MAX : (uint32_t)old;
	}
	return old_of_new;
}

static void give_slots(struct view *view, const struct view *previous)
{
	uint32_t *old_of_new = match(view, previous);

	assert_int_equal(handouts_bind(handouts, view, previous, old_of_new), E_OK);
	assert_ptr_equal(view->handouts, handouts);
	free(old_of_new);
}

static struct view *make(uint64_t generation, const struct plainview_app *apps, size_t count,
                         const struct view *previous)
{
	struct view *view = plainview_new(generation, sites, apps, count);

	give_slots(view, previous);
	return view;
}

static _Atomic uint64_t *counters_of(const struct view *view, const char *app, const char *site)
{
	int target = plainview_target(view, app, site);

	assert_true(target >= 0);
	return view->targets[target].handouts;
}

static uint64_t answers(const struct view *view, const char *app, const char *site)
{
	return handouts_of(handouts, counters_of(view, app, site));
}

static void count(const struct view *view, const char *app, const char *site, unsigned worker, unsigned times)
{
	while (times--)
		handouts_count(counters_of(view, app, site), worker);
}

static uint32_t slot_of(const struct view *view, const char *app, const char *site)
{
	return view->handout_slots[plainview_target(view, app, site)];
}

// ---- by name --------------------------------------------------------------------------------------------------------

static void test_counts(void **unused)
{
	static const struct plainview_app apps[] = {{"a", 30, 3}, {"b", 30, 1}};
	struct view *view = make(1, apps, 2, NULL);

	(void)unused;
	for (uint32_t i = 0; i < view->target_count; i++)
		assert_int_equal(handouts_of(handouts, view->targets[i].handouts), 0);
	count(view, "a", "s", 0, 2);
	count(view, "a", "s", 2, 3);
	count(view, "a", "t", 1, 7);
	assert_int_equal(answers(view, "a", "s"), 5);
	assert_int_equal(answers(view, "a", "t"), 7);
	assert_int_equal(answers(view, "b", "s"), 0);
	view_free(view);
}

static void test_kept_by_name(void **unused)
{
	static const struct plainview_app first[] = {{"a", 30, 3}, {"b", 30, 1}};
	// In another order, one target gone, one new at an old app, one new app.
	static const struct plainview_app second[] = {{"c", 30, 1}, {"b", 60, 5}, {"A", 30, 2}};
	struct view *one = make(1, first, 2, NULL), *two;

	(void)unused;
	count(one, "a", "s", 0, 1);
	count(one, "a", "t", 1, 2);
	count(one, "b", "s", 2, 4);
	two = make(2, second, 3, one);
	assert_ptr_equal(counters_of(two, "a", "t"), counters_of(one, "a", "t"));
	assert_int_equal(answers(two, "a", "t"), 2);
	assert_int_equal(answers(two, "b", "s"), 4);
	assert_int_equal(answers(two, "b", "u"), 0);
	assert_int_equal(answers(two, "c", "s"), 0);
	// The old view answers on until the new one is published: what it counts then is not lost.
	count(one, "b", "s", 1, 1);
	assert_int_equal(answers(two, "b", "s"), 5);
	assert_int_equal(answers(one, "a", "s"), 1);
	view_free(one);
	view_free(two);
}

// ---- slots ----------------------------------------------------------------------------------------------------------

static void test_reuse_after_one_more(void **unused)
{
	static const struct plainview_app first[] = {{"a", 30, 1}, {"b", 30, 1}};
	static const struct plainview_app second[] = {{"b", 30, 1}, {"c", 30, 1}};
	static const struct plainview_app third[] = {{"b", 30, 1}, {"c", 30, 1}, {"d", 30, 1}, {"e", 30, 1}};
	struct view *one = make(1, first, 2, NULL), *two, *three, *four;
	uint32_t gone = slot_of(one, "a", "s");

	(void)unused;
	count(one, "a", "s", 0, 9);
	two = make(2, second, 2, one);
	// The first view may still be answering from it while this one is made.
	assert_int_not_equal(slot_of(two, "c", "s"), gone);
	assert_int_equal(answers(one, "a", "s"), 9);
	view_free(one);

	three = make(3, third, 4, two);
	assert_int_equal(slot_of(three, "d", "s"), gone);
	assert_int_equal(answers(three, "d", "s"), 0);
	assert_int_not_equal(slot_of(three, "e", "s"), gone);
	view_free(two);

	four = make(4, first, 2, three); // a target that returns starts at 0, in an unused slot
	assert_int_equal(answers(four, "a", "s"), 0);
	for (uint32_t i = 0; i < three->target_count; i++)
		assert_int_not_equal(slot_of(four, "a", "s"), three->handout_slots[i]);
	view_free(three);
	view_free(four);
}

// A build that fails has touched nothing of the view in use, nor of what is made after it.
static void test_failed_build(void **unused)
{
	static const struct plainview_app first[] = {{"a", 30, 3}, {"b", 30, 1}};
	static const struct plainview_app failed[] = {{"x", 30, 7}, {"b", 30, 1}};
	static const struct plainview_app next[] = {{"a", 30, 3}, {"b", 30, 1}, {"y", 30, 7}};
	struct view *one = make(1, first, 2, NULL), *then;

	(void)unused;
	count(one, "a", "s", 0, 1);
	count(one, "a", "t", 0, 2);
	count(one, "b", "s", 0, 3);
	for (uint64_t generation = 2; generation < 1000; generation++) {
		struct view *lost = make(generation, failed, 2, one);

		for (uint32_t i = 0; i < 3; i++) // x's
			for (uint32_t k = 0; k < one->target_count; k++)
				assert_int_not_equal(lost->handout_slots[i], one->handout_slots[k]);
		assert_int_equal(answers(one, "a", "s") + answers(one, "a", "t"), 3);
		assert_int_equal(answers(lost, "b", "s"), 3);
		count(lost, "x", "s", 0, 1);
		view_free(lost);
	}
	then = make(1000, next, 3, one);
	assert_int_equal(answers(then, "a", "s"), 1);
	assert_int_equal(answers(then, "a", "t"), 2);
	assert_int_equal(answers(then, "b", "s"), 3);
	assert_int_equal(answers(then, "y", "s"), 0);
	for (uint32_t i = 0; i < then->target_count; i++)
		assert_true(then->handout_slots[i] < 9); // three that are kept, and no more than two views' new ones
	view_free(one);
	view_free(then);
}

// Counters do not move when there come to be more of them.
static void test_many(void **unused)
{
	enum { APPS = 100, SITES = 32 }; // 3200 targets: several chunks
	static char names[APPS][16], site_names[SITES][16];
	static struct plainview_app apps[APPS];
	const char *many_sites[SITES + 1] = {NULL};
	struct view *one, *two;

	(void)unused;
	for (int i = 0; i < SITES; i++) {
		snprintf(site_names[i], sizeof(site_names[i]), "s%d", i);
		many_sites[i] = site_names[i];
	}
	for (int i = 0; i < APPS; i++) {
		snprintf(names[i], sizeof(names[i]), "a%d", i);
		apps[i] = (struct plainview_app){names[i], 30, UINT32_MAX};
	}
	one = plainview_new(1, many_sites, apps, 20);
	give_slots(one, NULL);
	for (uint32_t i = 0; i < one->target_count; i++)
		for (unsigned worker = 0; worker < WORKERS; worker++)
			handouts_count(one->targets[i].handouts, worker);
	two = plainview_new(2, many_sites, apps, APPS);
	give_slots(two, one);
	assert_true(two->target_count > 3 * HANDOUTS_CHUNK);
	for (uint32_t i = 0; i < two->target_count; i++) {
		bool is_old = i < one->target_count;

		assert_int_equal(handouts_of(handouts, two->targets[i].handouts), is_old ? WORKERS : 0);
		assert_true(!is_old || two->targets[i].handouts == one->targets[i].handouts);
	}
	for (uint32_t i = 0; i < two->target_count; i++) // no two share a counter, of whatever worker
		handouts_count(two->targets[i].handouts, i % WORKERS);
	for (uint32_t i = 0; i < two->target_count; i++)
		assert_int_equal(handouts_of(handouts, two->targets[i].handouts), i < one->target_count ? WORKERS + 1 : 1);
	view_free(one);
	view_free(two);
}

// ---- against names --------------------------------------------------------------------------------------------------

enum { APPS = 30, SITES = 3 };

static struct view *make_random(uint64_t generation, char names[APPS][16])
{
	struct plainview_app apps[APPS];
	size_t made = 0;

	for (int i = 0; i < APPS; i++)
		if (rand() % 3)
			apps[made++] = (struct plainview_app){names[(i + generation) % APPS], 30, (uint32_t)rand() % (1 << SITES)};
	return plainview_new(generation, sites, apps, made);
}

// A model that counts by name: names that a view did not have start at 0.
static void test_against_names(void **unused)
{
	uint64_t counted[APPS][SITES] = {{0}};
	char names[APPS][16];
	struct view *now = NULL;

	(void)unused;
	srand(11);
	for (int i = 0; i < APPS; i++)
		snprintf(names[i], sizeof(names[i]), "a%d", i);
	for (uint64_t generation = 1; generation <= 400; generation++) {
		struct view *next = make_random(generation, names);

		give_slots(next, now);
		if (rand() % 3 == 0) { // it fails
			view_free(next);
			next = now;
		}
		for (int i = 0; next && i < APPS; i++)
			for (int k = 0; k < SITES; k++) {
				int target = plainview_target(next, names[i], sites[k]);

				if (target < 0) {
					counted[i][k] = 0;
					continue;
				}
				assert_int_equal(handouts_of(handouts, next->targets[target].handouts), counted[i][k]);
				assert_true(next->handout_slots[target] < 3 * APPS * SITES);
				handouts_count(next->targets[target].handouts, (unsigned)rand() % WORKERS);
				counted[i][k]++;
			}
		if (next != now)
			view_free(now);
		now = next;
	}
	view_free(now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kept_by_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reuse_after_one_more, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_failed_build, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_against_names, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
