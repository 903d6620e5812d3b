// The merge of health and overrides: its truth table in every order of arrival, and against a recomputation by name.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "daemon/merge.h"
#include "plainview.h"
#include "view/live.h"

// ---- the table ------------------------------------------------------------------------------------------------------

// merge.h's, row by row.
static void test_table(void **unused)
{
	static const struct {
		enum force_to forced;
		bool up, drained;
		uint8_t state;
	} rows[] = {
		{FORCE_UP, true, false, 0},
		{FORCE_UP, false, false, 0},
		{FORCE_DOWN, true, false, TARGET_DOWN},
		{FORCE_DOWN, false, false, TARGET_DOWN},
		{FORCE_AUTO, true, false, 0},
		{FORCE_AUTO, false, false, TARGET_DOWN},
		{FORCE_UP, true, true, TARGET_DRAINED},
		{FORCE_UP, false, true, TARGET_DRAINED},
		{FORCE_DOWN, true, true, TARGET_DOWN | TARGET_DRAINED},
		{FORCE_DOWN, false, true, TARGET_DOWN | TARGET_DRAINED},
		{FORCE_AUTO, true, true, TARGET_DRAINED},
		{FORCE_AUTO, false, true, TARGET_DOWN | TARGET_DRAINED},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(merge_state(rows[i].forced, rows[i].up, rows[i].drained, false), rows[i].state);
		assert_int_equal(merge_state(rows[i].forced, rows[i].up, rows[i].drained, true), rows[i].state | TARGET_EMPTY);
	}
}

// ---- every order of arrival -----------------------------------------------------------------------------------------

enum change { CHANGE_HEALTH, CHANGE_FORCE, CHANGE_SITE_DRAIN, CHANGE_TARGET_DRAIN, CHANGE_EMPTY, CHANGES };

// Of the orders of removal every 24th, each with some order of setting.
enum { ORDERS = 120, ROWS = 48, BACK_STEP = 24 };

static const char *const two_sites[] = {"s", "t", NULL};
static const struct plainview_app two_apps[] = {{"a", 30, 3}, {"b", 30, 3}};

// What is known of a target.
struct known {
	enum force_to forced;
	bool down, site_drained, target_drained, empty;
};

static uint8_t state_of(const struct known *known)
{
	return merge_state(known->forced, !known->down, known->site_drained || known->target_drained, known->empty);
}

// The order-th permutation of 0 … 4.
static void permute(unsigned order, enum change *ret_changes)
{
	enum change left[CHANGES] = {CHANGE_HEALTH, CHANGE_FORCE, CHANGE_SITE_DRAIN, CHANGE_TARGET_DRAIN, CHANGE_EMPTY};

	for (unsigned count = CHANGES; count > 0; count--) {
		unsigned pick = order % count;

		order /= count;
		ret_changes[CHANGES - count] = left[pick];
		memmove(&left[pick], &left[pick + 1], (count - pick - 1) * sizeof(*left));
	}
}

// Brings one thing of app "a" at site "s" from where it is to what `to` has of it, as the daemon would.
static void bring(struct merge *merge, enum change change, struct known *known, const struct known *to)
{
	struct override drain = {.kind = OVERRIDE_DRAIN, .site = (char *)"s"};
	struct override force = {.kind = OVERRIDE_FORCE, .site = (char *)"s", .app = (char *)"a"};

	switch (change) {
	case CHANGE_HEALTH:
		merge_set_health(merge, 0, !to->down);
		known->down = to->down;
		return;
	case CHANGE_FORCE:
		force.to = to->forced != FORCE_AUTO ? to->forced : known->forced;
		if (force.to != FORCE_AUTO)
			merge_set_override(merge, &force, to->forced != FORCE_AUTO);
		known->forced = to->forced;
		return;
	case CHANGE_TARGET_DRAIN:
		drain.app = (char *)"a";
		merge_set_override(merge, &drain, to->target_drained);
		known->target_drained = to->target_drained;
		return;
	case CHANGE_SITE_DRAIN:
		merge_set_override(merge, &drain, to->site_drained);
		known->site_drained = to->site_drained;
		return;
	case CHANGE_EMPTY:
		merge_set_empty(merge, 0, to->empty);
		known->empty = to->empty;
		return;
	case CHANGES:
		break;
	}
	fail();
}

// The target, and the three beside it: of the same site, of the same app, of neither.
static void check_all(const struct merge *merge, const struct known *known)
{
	uint8_t drained = known->site_drained ? TARGET_DRAINED : 0;

	assert_int_equal(merge_state_of(merge, 0), state_of(known));
	assert_int_equal(merge_drained(merge, 0), known->site_drained || known->target_drained);
	assert_int_equal(merge_state_of(merge, 1), 0);
	assert_int_equal(merge_state_of(merge, 2), drained);
	assert_int_equal(merge_state_of(merge, 3), 0);
}

static struct known row(unsigned number)
{
	return (struct known){(enum force_to)(number % 3), number / 3 % 2, number / 6 % 2, number / 12 % 2,
	                      number / 24 % 2};
}

// All 48 rows: set in each order, then removed in some orders, each of which is tried, each input also given twice.
static void test_every_order(void **unused)
{
	static const struct known nothing;
	struct view *view = plainview_new(1, two_sites, two_apps, 2);

	(void)unused;
	for (unsigned number = 0; number < ROWS; number++)
		for (unsigned set = 0; set < ORDERS; set++)
			for (unsigned back = set % BACK_STEP; back < ORDERS; back += BACK_STEP) {
				struct merge *merge = merge_new(view);
				struct known to = row(number), known = nothing;
				enum change changes[CHANGES];

				assert_non_null(merge);
				permute(set, changes);
				for (int i = 0; i < CHANGES; i++) {
					bring(merge, changes[i], &known, &to);
					check_all(merge, &known);
				}
				assert_int_equal(merge_state_of(merge, 0), state_of(&to));
				permute(back, changes);
				for (int i = 0; i < CHANGES; i++) {
					bring(merge, changes[i], &known, &nothing);
					check_all(merge, &known);
					bring(merge, changes[i], &known, &nothing);
					check_all(merge, &known);
				}
				assert_int_equal(merge_state_of(merge, 0), 0);
				merge_free(merge);
			}
	view_free(view);
}

// From every row to every other one, in each order.
static void test_every_move(void **unused)
{
	struct view *view = plainview_new(1, two_sites, two_apps, 2);
	struct merge *merge = merge_new(view);
	struct known known = {0};
	enum change changes[CHANGES];

	(void)unused;
	assert_non_null(merge);
	for (unsigned from = 0; from < 24; from++)
		for (unsigned number = 0; number < ROWS; number++)
			for (unsigned order = 0; order < ORDERS; order++) {
				struct known to = row(number), begin = row(from);

				for (int i = 0; i < CHANGES; i++)
					bring(merge, (enum change)i, &known, &begin);
				permute(order, changes);
				for (int i = 0; i < CHANGES; i++) {
					bring(merge, changes[i], &known, &to);
					check_all(merge, &known);
				}
				assert_int_equal(merge_state_of(merge, 0), state_of(&to));
			}
	merge_free(merge);
	view_free(view);
}

// ---- against names --------------------------------------------------------------------------------------------------

enum { APPS = 40, SITES = 6, TURNS = 10000, HELD_MAX = 60, NAME_LEN = 16, STRANGERS = 3 };

static char app_names[APPS + STRANGERS + 1][NAME_LEN];
// Three of them are not in the view, and one of those has an app's name.
static const char *const site_names[SITES + STRANGERS] = {"s0", "s1", "s2", "s3", "s4", "s5", "s6", "S1", "app7"};

// What holds, as the state would list it.
struct list {
	struct override held[HELD_MAX];
	size_t count;
};

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static struct override *find(struct list *list, const struct override *like)
{
	for (size_t i = 0; i < list->count; i++) {
		struct override *at = &list->held[i];

		if (at->kind == like->kind && strcmp(at->site, like->site) == 0 && same_text(at->app, like->app))
			return at;
	}
	return NULL;
}

static uint8_t naive_state(const struct list *list, const char *app, const char *site, bool up)
{
	enum force_to forced = FORCE_AUTO;
	bool drained = false;

	for (size_t i = 0; i < list->count; i++) {
		const struct override *at = &list->held[i];

		if (strcmp(at->site, site) != 0 || (at->app && strcmp(at->app, app) != 0))
			continue;
		if (at->kind == OVERRIDE_FORCE)
			forced = at->to;
		else
			drained = true;
	}
	return merge_state(forced, up, drained, false);
}

static struct override any_override(void)
{
	struct override override = {.kind = rand() % 3 ? OVERRIDE_DRAIN : OVERRIDE_FORCE,
	                            .site = (char *)site_names[rand() % (SITES + STRANGERS)],
	                            .app = app_names[rand() % (APPS + STRANGERS + 1)]};

	if (override.kind == OVERRIDE_FORCE)
		override.to = rand() % 2 ? FORCE_UP : FORCE_DOWN;
	else if (rand() % 4 == 0)
		override.app = NULL;
	return override;
}

static void put(struct merge *merge, struct list *list)
{
	struct override next = any_override();
	struct override *held = find(list, &next);

	if (!held && list->count == HELD_MAX)
		return;
	if (!held)
		held = &list->held[list->count++];
	*held = next;
	merge_set_override(merge, &next, true);
}

static void take_back(struct merge *merge, struct list *list)
{
	if (!list->count)
		return;

	struct override *held = &list->held[(size_t)rand() % list->count], old = *held;

	*held = list->held[--list->count];
	merge_set_override(merge, &old, false);
}

static void compare(const struct view *view, const struct merge *merge, const struct list *list, const bool *up,
                    unsigned turn)
{
	struct target_states *states = merge_states(merge);

	assert_non_null(states);
	assert_int_equal(states->count, view->target_count);
	for (uint32_t i = 0; i < view->target_count; i++) {
		const char *app = view->targets[i].app->name, *site = view->sites[view->targets[i].site].name;
		uint8_t state = naive_state(list, app, site, up[i]);
		bool is_drained = state & TARGET_DRAINED;

		if (merge_state_of(merge, i) != state || states->octets[i] != state || merge_drained(merge, i) != is_drained)
			fail_msg("turn %u: %s at %s is %u and not %u", turn, app, site, merge_state_of(merge, i), state);
	}
	free(states);
}

static struct view *make_large(void)
{
	static struct plainview_app apps[APPS];
	const char *sites[SITES + 1] = {NULL};

	for (int i = 0; i < APPS + STRANGERS; i++)
		snprintf(app_names[i], NAME_LEN, "app%d", i);
	snprintf(app_names[APPS + STRANGERS], NAME_LEN, "APP0");
	for (int i = 0; i < APPS; i++)
		apps[i] = (struct plainview_app){app_names[i], 30, i == 0 ? (1 << SITES) - 1 : (uint32_t)rand() % (1 << SITES)};
	memcpy(sites, site_names, SITES * sizeof(*sites));
	return plainview_new(1, sites, apps, APPS);
}

static void test_against_names(void **unused)
{
	static struct list list;
	bool up[APPS * SITES];

	(void)unused;
	srand(20);

	struct view *view = make_large();
	struct merge *merge = merge_new(view);

	assert_non_null(merge);
	assert_ptr_equal(merge_view(merge), view);
	memset(up, true, sizeof(up));
	for (unsigned turn = 0; turn < TURNS; turn++) {
		uint32_t target = (uint32_t)rand() % view->target_count;

		switch (rand() % 5) {
		case 0: case 1: put(merge, &list); break;
		case 2: case 3: take_back(merge, &list); break;
		default:
			up[target] = rand() % 2;
			merge_set_health(merge, target, up[target]);
		}
		if (turn / 1000 % 2) // long lists in turn with short ones
			put(merge, &list);
		if (turn % 4 == 0 || turn < TURNS / 10) // each is a look at every target, by names
			compare(view, merge, &list, up, turn);
	}
	while (list.count) {
		take_back(merge, &list);
		compare(view, merge, &list, up, TURNS);
	}
	merge_free(merge);
	view_free(view);
}

// ---- edges ----------------------------------------------------------------------------------------------------------

// Names of what the view does not have, and names of one kind that are another kind's.
static void test_strangers(void **unused)
{
	static const struct override rows[] = {
		{.kind = OVERRIDE_DRAIN, .site = (char *)"x"},
		{.kind = OVERRIDE_DRAIN, .site = (char *)"a"},
		{.kind = OVERRIDE_DRAIN, .site = (char *)"S"},
		{.kind = OVERRIDE_DRAIN, .site = (char *)"s", .app = (char *)"c"},
		{.kind = OVERRIDE_DRAIN, .site = (char *)"x", .app = (char *)"a"},
		{.kind = OVERRIDE_DRAIN, .site = (char *)"s", .app = (char *)"A"}, // the state knows it as another one
		{.kind = OVERRIDE_FORCE, .site = (char *)"s", .app = (char *)"A", .to = FORCE_DOWN},
		{.kind = OVERRIDE_DRAIN, .site = (char *)"a", .app = (char *)"s"},
		{.kind = OVERRIDE_DRAIN, .site = (char *)"t", .app = (char *)"b"}, // it has no target there
		{.kind = OVERRIDE_FORCE, .site = (char *)"t", .app = (char *)"b", .to = FORCE_DOWN},
		{.kind = OVERRIDE_FORCE, .site = (char *)"s", .app = (char *)"c", .to = FORCE_DOWN},
		{.kind = OVERRIDE_FORCE, .site = (char *)"x", .app = (char *)"a", .to = FORCE_DOWN},
	};
	static const struct plainview_app apps[] = {{"a", 30, 3}, {"b", 30, 1}};
	struct view *view = plainview_new(1, two_sites, apps, 2);
	struct merge *merge = merge_new(view);

	(void)unused;
	assert_non_null(merge);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int holds = 1; holds >= 0; holds--) {
			merge_set_override(merge, &rows[i], holds);
			for (uint32_t target = 0; target < view->target_count; target++)
				assert_int_equal(merge_state_of(merge, target), 0);
		}
	merge_free(merge);
	view_free(view);
}

static void test_empty_view(void **unused)
{
	static const char *const no_sites[] = {NULL};
	static const struct override drain = {.kind = OVERRIDE_DRAIN, .site = (char *)"s"};
	struct view *view = plainview_new(1, no_sites, NULL, 0);
	struct merge *merge = merge_new(view);

	(void)unused;
	assert_non_null(merge);
	merge_set_override(merge, &drain, true);

	struct target_states *states = merge_states(merge);

	assert_non_null(states);
	assert_int_equal(states->count, 0);
	merge_copy_states(merge, states);
	free(states);
	assert_null(merge_free(merge));
	assert_null(merge_free(NULL));
	view_free(view);
}

// Shares beside drains and health, against arrays that are looked up in the plainest way.
static void test_shares(void **state)
{
	static uint32_t wanted[MERGE_SHARES][APPS * SITES], steered[APPS * SITES]; // the latter by target, all of an app's the same
	struct view *view = make_large();
	struct merge *merge = merge_new(view);
	uint32_t count = view->target_count;

	(void)state;
	assert_non_null(merge);
	assert_true(count > 64 && count <= APPS * SITES);
	srand(1);
	for (uint32_t i = 0; i < count; i++)
		wanted[MERGE_STAYING][i] = wanted[MERGE_EASED][i] = wanted[MERGE_SPILLING][i] = steered[i] = SHARE_ALL;
	for (int turn = 0; turn < 20000; turn++) {
		uint32_t target = (uint32_t)rand() % count, share = rand() % 2 ? SHARE_ALL : (uint32_t)rand() % SHARE_ALL;
		enum merge_share which = (enum merge_share)(rand() % MERGE_SHARES);

		assert_int_equal(merge_set_share(merge, target, which, share), E_OK);
		wanted[which][target] = share;
		merge_set_health(merge, (uint32_t)rand() % count, rand() % 2);
		if (turn % 7 == 0) {
			const struct app *app = &view->apps[(uint32_t)rand() % view->app_count];

			share = rand() % 2 ? SHARE_ALL : (uint32_t)rand() % SHARE_ALL;
			assert_int_equal(merge_set_steered(merge, app, share), E_OK);
			for (uint32_t i = 0; i < app->target_count; i++)
				steered[app->first_target + i] = share;
			assert_int_equal(merge_steered(merge, app), app->target_count ? share : SHARE_ALL);
		}
		if (turn % 11 == 0) { // a drain takes two of them whole: no part of them is left to others that were on their way
			const uint32_t both[] = {target, (target + 5) % count};

			merge_drain_all(merge, both, 2);
			for (int i = 0; i < 2; i++) {
				wanted[MERGE_STAYING][both[i]] = SHARE_ALL;
				assert_true(merge_drained(merge, both[i]));
				assert_int_equal(merge_state_of(merge, both[i]) & TARGET_LEAVING, 0);
				merge_set_drained(merge, both[i], false);
			}
		}
		if (turn % 1000)
			continue;

		struct target_shares *shares;
		bool has_any = false;

		assert_int_equal(merge_shares(merge, &shares), E_OK);
		for (uint32_t i = 0; i < count; i++) {
			uint32_t one = wanted[MERGE_EASED][i], other = wanted[MERGE_SPILLING][i], eased = one < other ? one : other;
			bool is_leaving = wanted[MERGE_STAYING][i] < SHARE_ALL, is_eased = eased < SHARE_ALL;
			bool is_adopted = steered[i] < SHARE_ALL;
			uint8_t bits = (uint8_t)((is_leaving ? TARGET_LEAVING : 0) | (is_eased ? TARGET_EASED : 0) |
			                         (is_adopted ? TARGET_ADOPTED : 0));

			assert_int_equal(merge_state_of(merge, i) & (TARGET_PARTS | TARGET_ADOPTED), bits);
			assert_int_equal(merge_share(merge, i, MERGE_STAYING), wanted[MERGE_STAYING][i]);
			assert_int_equal(merge_share(merge, i, MERGE_EASED), one);
			assert_int_equal(merge_share(merge, i, MERGE_SPILLING), other);
			assert_int_equal(merge_steered(merge, view->targets[i].app), steered[i]);
			if (!bits)
				continue;
			assert_non_null(shares);
			assert_true(!is_leaving || shares->of[i].staying == wanted[MERGE_STAYING][i]);
			assert_true(!is_eased || shares->of[i].eased == eased);
			assert_true(!is_adopted || shares->of[view->targets[i].app->first_target].steered == steered[i]);
			has_any = true;
		}
		assert_true(has_any == (shares != NULL));
		free(shares);
	}
	merge_free(merge);
	live_withdraw(); // what was set aside
	view_free(view);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_every_order),
		cmocka_unit_test(test_every_move),
		cmocka_unit_test(test_against_names),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_empty_view),
		cmocka_unit_test(test_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
