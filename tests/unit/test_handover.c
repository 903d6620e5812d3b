// What a generation takes over from the one in use: what lingers in caches, the counters, the watches.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "daemon/caches.h"
#include "daemon/handover.h"
#include "daemon/merge.h"
#include "health/watchlist.h"
#include "plainview.h"
#include "view/handouts.h"

static const char *const sites[] = {"s", "t", "u", NULL};

static struct handouts *handouts;

static int set_up(void **unused)
{
	(void)unused;
	handouts = handouts_new(2);
	return handouts ? 0 : -1;
}

static int tear_down(void **unused)
{
	(void)unused;
	return handouts_free(handouts) ? -1 : 0;
}

// A generation, as the daemon has it in use.
struct made {
	struct view *view;
	struct handover *handover;
	struct watchlist *watchlist; // taken out of the handover and into use
	struct caches *caches;       // likewise
};

static struct made make_at(const char *const *at, uint64_t generation, const struct plainview_app *apps, size_t count,
                           const struct made *previous)
{
	struct made made = {.view = plainview_new(generation, at, apps, count)};

	struct handover_from from = {0};

	if (previous)
		from = (struct handover_from){previous->view, previous->watchlist, previous->caches};
	assert_int_equal(handover_prepare(plainview_config(made.view), made.view, &from, handouts, &made.handover), E_OK);
	assert_non_null(made.handover->watchlist);
	assert_int_equal(made.handover->watchlist->count, made.view->target_count);
	assert_ptr_equal(merge_view(made.handover->merge), made.view);
	for (uint32_t i = 0; i < made.view->target_count; i++)
		assert_int_equal(merge_state_of(made.handover->merge, i), 0); // nothing is set in it
	return made;
}

static struct made make(uint64_t generation, const struct plainview_app *apps, size_t count,
                        const struct made *previous)
{
	return make_at(sites, generation, apps, count, previous);
}

static void take(struct made *made)
{
	made->watchlist = made->handover->watchlist;
	made->handover->watchlist = NULL;
	watchlist_adopt(made->watchlist);
	made->caches = made->handover->caches;
	made->handover->caches = NULL;
	made->caches->replaced_s = caches_now_s();
}

// `made` replaces `before`, whose watches it shares.
static void take_over(struct made *made, struct made *before)
{
	take(made);
	for (size_t i = 0; i < made->watchlist->gone_count; i++)
		watch_free(made->watchlist->gone[i]);
	before->watchlist = watchlist_free(before->watchlist);
}

static void drop(struct made *made)
{
	assert_null(handover_free(made->handover));
	for (uint32_t i = 0; made->watchlist && i < made->watchlist->count; i++)
		watch_free(made->watchlist->watches[i]);
	watchlist_free(made->watchlist);
	caches_free(made->caches);
	view_free(made->view);
}

// ---- lingering ------------------------------------------------------------------------------------------------------

struct expected {
	const char *app, *site;
	uint32_t ttl_s;
	uint8_t gone;
};

// The TTL that caches may hold a target for, after it has been replaced; 0: none.
static int64_t lingers_s(const struct handover *handover, const char *app, const char *site)
{
	enum { SLACK_S = 2 };
	int64_t left_s = ledger_left_s(&handover->caches->latest, app, site, 0);

	return left_s ? left_s - SLACK_S : 0;
}

static size_t count_lingering(const struct handover *handover)
{
	return handover->caches->latest.until.count;
}

static void check_lingering(const struct handover *handover, const struct expected *expected, size_t count)
{
	size_t gone = 0;

	assert_int_equal(count_lingering(handover), count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(lingers_s(handover, expected[i].app, expected[i].site), expected[i].ttl_s);
		if (!expected[i].gone)
			continue;
		assert_true(gone < handover->gone_count);
		assert_string_equal(handover->gone[gone].app, expected[i].app);
		assert_string_equal(handover->gone[gone++].site, expected[i].site);
	}
	assert_int_equal(handover->gone_count, gone);
}

static void test_first(void **unused)
{
	static const struct plainview_app apps[] = {{"a", 30, 3}, {"b", 60, 1}};
	struct made first = make(1, apps, 2, NULL);

	(void)unused;
	check_lingering(first.handover, NULL, 0);
	for (uint32_t i = 0; i < first.view->target_count; i++)
		assert_int_equal(handouts_of(handouts, first.view->targets[i].handouts), 0);
	drop(&first);
}

// Every way in which a target of the view in use can continue, or not.
static void test_lingering(void **unused)
{
	static const char *const then[] = {"u", "s", "v", NULL}; // t is gone, v is new, u has another number
	static const struct plainview_app now[] = {
		{"same", 30, 3}, {"lower", 30, 1}, {"higher", 30, 1}, {"gone", 40, 1}, {"moved", 50, 3},
		{"CASE", 30, 1}, {"last", 9, 4},
	};
	static const struct plainview_app next[] = {
		{"new", 1, 7}, {"case", 29, 2}, {"moved", 20, 2}, {"higher", 31, 2}, {"lower", 29, 2}, {"same", 30, 6},
		{"last", 9, 1},
	};
	static const struct expected expected[] = {
		{"same", "t", 30, 1}, {"lower", "s", 30, 0}, {"gone", "s", 40, 1}, {"moved", "s", 50, 0}, {"moved", "t", 50, 1},
		{"CASE", "s", 30, 0},
	};
	struct made one = make(1, now, ARRAY_LEN(now), NULL), two;

	(void)unused;
	take(&one);
	two = make_at(then, 2, next, ARRAY_LEN(next), &one);
	check_lingering(two.handover, expected, ARRAY_LEN(expected));
	drop(&two);
	two = make(2, now, ARRAY_LEN(now), &one); // a reload that changes nothing
	check_lingering(two.handover, NULL, 0);
	drop(&two);
	two = make(2, NULL, 0, &one); // one that takes everything away
	assert_int_equal(count_lingering(two.handover), one.view->target_count);
	assert_int_equal(two.handover->gone_count, one.view->target_count);
	assert_int_equal(two.handover->watchlist->gone_count, one.view->target_count);
	drop(&two);
	drop(&one);
}

// More than fit into the list's first piece.
static void test_many_linger(void **unused)
{
	enum { APPS = 200 };
	static char names[APPS][16];
	static struct plainview_app apps[APPS];

	(void)unused;
	for (int i = 0; i < APPS; i++) {
		snprintf(names[i], sizeof(names[i]), "a%d", i);
		apps[i] = (struct plainview_app){names[i], 60, 7};
	}

	struct made one = make(1, apps, APPS, NULL), two;

	take(&one);
	for (int i = 0; i < APPS; i++)
		apps[i].ttl_s = 30;
	two = make(2, apps, APPS - 50, &one);
	assert_int_equal(count_lingering(two.handover), APPS * 3);
	assert_int_equal(two.handover->gone_count, 50 * 3);
	for (uint32_t i = 0; i < APPS * 3; i++)
		assert_int_equal(lingers_s(two.handover, one.view->targets[i].app->name, sites[one.view->targets[i].site]), 60);
	for (uint32_t i = 0; i < 50 * 3; i++)
		assert_string_equal(two.handover->gone[i].app, one.view->targets[(APPS - 50) * 3 + i].app->name);

	// What lingered then is known on, from when it was replaced, beside what changes next.
	take_over(&two, &one);
	two.caches->replaced_s -= 10;

	struct made three = make(3, apps, APPS - 100, &two);
	int64_t left_s = ledger_left_s(&three.handover->caches->earlier, "a199", "s", caches_now_s());

	assert_in_range(left_s, 60 + 2 - 10 - 1, 60 + 2 - 10);
	assert_int_equal(three.handover->caches->earlier.until.count, APPS * 3);
	assert_int_equal(count_lingering(three.handover), 50 * 3);
	drop(&three);
	two.caches->replaced_s -= 100; // all of it has run out
	three = make(4, apps, APPS - 50, &two);
	assert_int_equal(three.handover->caches->earlier.until.count, 0);
	drop(&three);
	drop(&two);
	drop(&one);
}

// ---- counters and watches -------------------------------------------------------------------------------------------

static void test_counters_are_kept(void **unused)
{
	static const struct plainview_app now[] = {{"a", 30, 3}, {"b", 30, 1}};
	static const struct plainview_app next[] = {{"c", 30, 1}, {"b", 30, 3}, {"a", 30, 2}};
	struct made one = make(1, now, 2, NULL), two;
	const struct target *kept;

	(void)unused;
	take(&one);
	for (uint32_t i = 0; i < one.view->target_count; i++)
		for (uint32_t k = 0; k <= i; k++)
			handouts_count(one.view->targets[i].handouts, k % 2);
	two = make(2, next, 3, &one);
	kept = &two.view->targets[plainview_target(two.view, "a", "t")];
	assert_int_equal(handouts_of(handouts, kept->handouts), 2);
	kept = &two.view->targets[plainview_target(two.view, "b", "s")];
	assert_int_equal(handouts_of(handouts, kept->handouts), 3);
	assert_int_equal(handouts_of(handouts, two.view->targets[plainview_target(two.view, "b", "t")].handouts), 0);
	assert_int_equal(handouts_of(handouts, two.view->targets[plainview_target(two.view, "c", "s")].handouts), 0);
	// It is discarded: what is in use has lost nothing, and the next one takes over from it.
	drop(&two);
	assert_int_equal(handouts_of(handouts, one.view->targets[0].handouts), 1);
	two = make(3, now, 2, &one);
	for (uint32_t i = 0; i < two.view->target_count; i++)
		assert_int_equal(handouts_of(handouts, two.view->targets[i].handouts), i + 1);
	drop(&two);
	drop(&one);
}

// An error gives nothing back, and leaves what is in use as it was.
static void test_error(void **unused)
{
	static const struct plainview_app apps[] = {{"a", 30, 3}};
	struct made one = make(1, apps, 1, NULL);
	struct view *view = plainview_new(2, sites, apps, 1);
	struct config *config = plainview_config(view);
	struct handover *handover = NULL;
	char *text = malloc(NEEDLE_MAX_LEN + 2);

	(void)unused;
	assert_non_null(text);
	memset(text, 'x', NEEDLE_MAX_LEN + 1);
	text[NEEDLE_MAX_LEN + 1] = '\0';
	take(&one);
	handouts_count(one.view->targets[0].handouts, 0);

	struct handover_from from = {one.view, one.watchlist, one.caches};

	config->checks[0].expect_body = text;
	assert_int_equal(handover_prepare(config, view, &from, handouts, &handover), E_LIMIT);
	assert_null(handover);
	assert_int_equal(handouts_of(handouts, one.view->targets[0].handouts), 1);
	view_free(view);
	free(text);
	drop(&one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lingering, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_linger, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_counters_are_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_error, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
