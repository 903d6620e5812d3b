// Watchlists made while another is in use: what they share, what is new, what is gone, and their slots.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "config/config.h"
#include "health/score.h"
#include "health/watchlist.h"

enum { TARGETS_MAX = 64, CHECKS = 3, NO_CHECK = CONFIG_CHECK_NONE };

// A target as a test writes it: one app each. The address's last octet; 0: no address.
struct want {
	const char *app;
	unsigned site;
	uint8_t address;
	int check;
};

static struct config config;
static struct config_site sites[] = {{.name = "s"}, {.name = "t"}, {.name = "u"}};
static struct config_check checks[CHECKS];
static struct config_app apps[TARGETS_MAX];
static struct config_target targets[TARGETS_MAX];
static struct addr addresses[TARGETS_MAX];

static int set_up(void **unused)
{
	(void)unused;
	for (int i = 0; i < CHECKS; i++)
		checks[i] = (struct config_check){.name = "c", .type = CHECK_HTTP, .port = (uint16_t)(80 + i), .path = "/",
		                                  .rise = 2, .fall = 3, .interval_ms = 1000, .timeout_ms = 500};
	return 0;
}

static void write_config(const struct want *wants, size_t count)
{
	config = (struct config){.sites = sites, .site_count = ARRAY_LEN(sites), .checks = checks, .check_count = CHECKS,
	                         .apps = apps, .app_count = count};
	for (size_t i = 0; i < count; i++) {
		addresses[i] = (struct addr){ADDR_V4, {192, 0, 2, wants[i].address}};
		targets[i] = (struct config_target){.site = wants[i].site, .addresses = &addresses[i],
		                                    .address_count = wants[i].address != 0, .check = wants[i].check,
		                                    .cname = wants[i].address ? NULL : "lb.example"};
		apps[i] = (struct config_app){.name = wants[i].app, .targets = &targets[i], .target_count = 1};
	}
}

// Arrays, numbers and slots say the same of one another.
static void check_consistent(const struct watchlist *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		assert_true(list->slots[i] < list->slot_count);
		assert_int_equal(list->watches[i]->slot, list->slots[i]);
		assert_int_equal(list->numbers[list->slots[i]], i);
	}

	uint32_t taken = 0;

	for (uint32_t slot = 0; slot < list->slot_count; slot++)
		taken += list->numbers[slot] != WATCHLIST_NONE;
	assert_int_equal(taken, list->count);
	for (size_t i = 0; i < list->gone_count; i++) // late results of removed watches have no target
		assert_int_equal(list->numbers[list->gone[i]->slot], WATCHLIST_NONE);
}

static struct watchlist *make(const struct want *wants, size_t count, const struct watchlist *previous)
{
	struct watchlist *list = NULL;

	write_config(wants, count);
	assert_int_equal(watchlist_new(&config, previous, &list), E_OK);
	assert_int_equal(list->count, count);
	assert_ptr_equal(list->previous, previous);
	check_consistent(list);
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(list->watches[i]->names, wants[i].app);
		assert_string_equal(list->watches[i]->site, sites[wants[i].site].name);
	}
	return list;
}

// As health.c does, but for the probes.
static struct watchlist *take(struct watchlist *list, struct watchlist *old)
{
	for (size_t i = 0; i < list->fresh_count; i++)
		if (list->fresh[i].inherits)
			watch_inherit(list->fresh[i].watch, list->fresh[i].before);
	watchlist_adopt(list);
	for (size_t i = 0; i < list->gone_count; i++)
		watch_free(list->gone[i]);
	watchlist_free(old);
	assert_null(list->previous);
	return list;
}

static void end(struct watchlist *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		watch_free(list->watches[i]);
	assert_null(watchlist_free(list));
}

static bool is_fresh(const struct watchlist *list, const struct watch *watch)
{
	for (size_t i = 0; i < list->fresh_count; i++)
		if (list->fresh[i].watch == watch)
			return true;
	return false;
}

// ---- one list -------------------------------------------------------------------------------------------------------

static void test_first(void **unused)
{
	static const struct want wants[] = {{"a", 0, 1, 0}, {"a", 1, 2, NO_CHECK}, {"b", 0, 3, 1}, {"b", 2, 0, 1}};
	struct watchlist *list = make(wants, ARRAY_LEN(wants), NULL);

	(void)unused;
	assert_int_equal(list->fresh_count, 4);
	assert_int_equal(list->gone_count, 0);
	assert_int_equal(list->slot_count, 4);
	assert_int_equal(list->unchecked, 2); // one without a check, one without an address to probe
	for (enum check_type type = 0; type < CHECK_TYPE_COUNT; type++) // two of half an interval
		assert_in_range((int)(list->at_worst[type] * 1000 + 0.5), type == CHECK_HTTP ? 999 : 0, type == CHECK_HTTP ? 1001 : 0);
	assert_int_equal(list->watches[0]->endpoints->probe.addr.bytes[3], 1);
	assert_null(list->watches[0]->endpoints->next);
	assert_true(watch_shown(list->watches[0])->checked && !watch_shown(list->watches[0])->up);
	assert_int_equal(watch_unsettled(list->watches[0]), 1);
	assert_int_equal(list->fresh_unsettled, 2);
	assert_int_equal(watch_shown(list->watches[0])->layer, HEALTH_PENDING);
	for (int i = 1; i <= 3; i += 2) {
		assert_true(!watch_shown(list->watches[i])->checked && watch_shown(list->watches[i])->up);
		assert_null(list->watches[i]->endpoints);
		assert_int_equal(list->fresh[i].marks, WATCH_UP);
	}
	assert_string_equal(watch_shown(list->watches[3])->text, "no check");
	assert_ptr_not_equal(list->watches[0]->check, list->watches[2]->check);
	assert_int_equal(list->watches[2]->check->conf.port, 81);
	assert_ptr_not_equal(list->watches[0]->check->conf.path, checks[0].path); // copies
	end(take(list, NULL));
}

static void test_check_address(void **unused)
{
	static const struct want wants[] = {{"a", 0, 1, 0}};
	struct addr checked[] = {{ADDR_V4, {10, 0, 0, 9}}, {ADDR_V4, {10, 0, 0, 2}}};
	struct watchlist *list = NULL;

	(void)unused;
	write_config(wants, 1);
	targets[0].check_addresses = checked;
	targets[0].check_address_count = 2;
	assert_int_equal(watchlist_new(&config, NULL, &list), E_OK);
	assert_true(list->watches[0]->is_whole);
	assert_int_equal(watch_count(list->watches[0]), 2);
	assert_true(addr_equal(&list->watches[0]->endpoints->probe.addr, &checked[0]));
	assert_true(addr_equal(&list->watches[0]->endpoints->next->probe.addr, &checked[1]));
	end(take(list, NULL));
}

static void test_none(void **unused)
{
	struct watchlist *list = make(NULL, 0, NULL), *next;
	static const struct want wants[] = {{"a", 0, 1, 0}};

	(void)unused;
	list = take(list, NULL);
	next = make(wants, 1, list);
	assert_int_equal(next->fresh_count, 1);
	list = take(next, list);
	next = make(NULL, 0, list);
	assert_int_equal(next->gone_count, 1);
	list = take(next, list);
	end(list);
	assert_null(watchlist_free(NULL));
	assert_null(watchlist_discard(NULL));
}

// ---- two lists ------------------------------------------------------------------------------------------------------

// A target that keeps its app, site, address and check has the same watch, whatever its number.
static void test_shared(void **unused)
{
	static const struct want now[] = {{"a", 0, 1, 0}, {"a", 1, 2, 0}, {"b", 0, 3, 1}, {"c", 2, 4, NO_CHECK}};
	static const struct want next[] = {{"c", 2, 4, NO_CHECK}, {"d", 0, 6, 0}, {"b", 0, 3, 1}, {"a", 0, 1, 0}};
	struct watchlist *one = take(make(now, 4, NULL), NULL);
	const struct watch *a = one->watches[0], *gone = one->watches[1], *b = one->watches[2], *c = one->watches[3];
	struct watchlist *two = make(next, 4, one);

	(void)unused;
	assert_ptr_equal(two->watches[0], c);
	assert_ptr_equal(two->watches[2], b);
	assert_ptr_equal(two->watches[3], a);
	assert_int_equal(two->fresh_count, 1);
	assert_ptr_equal(two->fresh[0].watch, two->watches[1]);
	assert_null(two->fresh[0].before);
	assert_int_equal(two->gone_count, 1);
	assert_ptr_equal(two->gone[0], gone);
	check_consistent(one); // the list in use is as it was
	for (uint32_t i = 0; i < one->count; i++)
		assert_ptr_equal(one->watches[i], i == 0 ? a : i == 1 ? gone : i == 2 ? b : c);
	end(take(two, one));
}

// watchlist.c's table: what an old watch is worth to its successor.
static void test_successors(void **unused)
{
	static const struct {
		uint8_t address, next_address;
		int check, next_check;
		bool path, pace;       // another one
		bool decided;          // of the old watch, which is up
		bool same, inherits_state, inherits_score;
	} rows[] = {
		{1, 1, NO_CHECK, NO_CHECK, false, false, false, true, false, false},
		{1, 2, NO_CHECK, NO_CHECK, false, false, false, false, false, false}, // or a check to come would look at 1
		{1, 1, 0, NO_CHECK, false, false, true, false, false, false},
		{1, 1, NO_CHECK, 0, false, false, false, false, true, false},
		{1, 1, 0, 0, false, false, true, true, false, false},
		{1, 1, 0, 0, false, true, true, false, true, true},
		{1, 1, 0, 0, false, true, false, false, true, false},
		{1, 1, 0, 0, true, false, true, false, true, false},
		{1, 1, 0, 1, false, false, true, false, true, false}, // another port
		{1, 2, 0, 0, false, false, true, false, false, false},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct want want = {"a", 0, rows[i].address, rows[i].check};

		set_up(NULL);

		struct watchlist *one = take(make(&want, 1, NULL), NULL);
		struct watch *old = one->watches[0], *now;
		bool probed = rows[i].check != NO_CHECK;

		if (probed) {
			old->endpoints->shown.up = true;
			old->endpoints->shown.since_s = 77;
			old->endpoints->decided = rows[i].decided;
		}
		want.address = rows[i].next_address;
		want.check = rows[i].next_check;
		checks[0].path = rows[i].path ? "/other" : "/";
		checks[0].rise = rows[i].pace ? 7 : 2;

		struct watchlist *two = make(&want, 1, one);

		now = two->watches[0];
		assert_int_equal(now == old, rows[i].same);
		assert_int_equal(is_fresh(two, now), !rows[i].same);
		assert_int_equal(two->gone_count, !rows[i].same);
		two = take(two, one);
		if (!rows[i].same) {
			const struct endpoint *endpoint = now->endpoints;

			assert_int_equal(watch_shown(now)->up, rows[i].inherits_state || rows[i].next_check == NO_CHECK);
			assert_int_equal(watch_shown(now)->since_s, rows[i].inherits_state && probed ? 77 : 0);
			assert_int_equal(endpoint && endpoint->decided, rows[i].inherits_score);
			assert_int_equal(watch_unsettled(now), rows[i].next_check != NO_CHECK && !rows[i].inherits_score);
			if (rows[i].inherits_score)
				assert_int_equal(endpoint->score, score_sure(true, checks[0].rise, 3));
		}
		end(two);
	}
}

// One of two addresses is another one: the other's endpoint moves into the new watch as it is, with its probe under way,
// and whatever the order. Where the pace is another one too, only the state goes over.
static void test_addresses(void **unused)
{
	static const struct want want = {"a", 0, 1, 0};
	struct addr now[] = {{ADDR_V4, {192, 0, 2, 1}}, {ADDR_V4, {192, 0, 2, 2}}}, next[] = {{ADDR_V4, {192, 0, 2, 3}}, now[0]};
	struct watchlist *one = NULL, *two = NULL;

	(void)unused;
	for (int pace = 0; pace < 2; pace++) {
		write_config(&want, 1);
		targets[0].addresses = now;
		targets[0].address_count = 2;
		assert_int_equal(watchlist_new(&config, NULL, &one), E_OK);
		one = take(one, NULL);

		struct endpoint *kept = one->watches[0]->endpoints, *other = kept->next, *moved;
		struct watch *watch;

		assert_true(other && !other->next);
		kept->shown.up = kept->decided = kept->settled = true;
		checks[0].rise = pace ? 7 : 2;
		targets[0].addresses = next;
		assert_int_equal(watchlist_new(&config, one, &two), E_OK);
		assert_int_equal(two->fresh_count, 1);
		assert_int_equal(two->gone_count, 1);
		watch = two->watches[0];
		two = take(two, one);
		assert_int_equal(watch_count(watch), 2);
		moved = watch->endpoints->next;
		assert_int_equal(moved == kept, !pace);
		assert_true(moved->watch == watch && moved->probe.app == watch->names && moved->decided && moved->shown.up);
		assert_true(watch->endpoints->shown.up && !watch->endpoints->decided); // as the target, until it is judged
		assert_int_equal(watch_unsettled(watch), 1);
		assert_int_equal(watch_marks(watch), WATCH_UP | WATCH_CHECKED);
		end(two);
	}
}

// ---- slots ----------------------------------------------------------------------------------------------------------

// The slot of a removed watch stays unused in the next list, and is reused only in the one after that.
static void test_slots(void **unused)
{
	static const struct want first[] = {{"a", 0, 1, 0}, {"b", 0, 2, 0}};
	static const struct want second[] = {{"c", 0, 3, 0}, {"b", 0, 2, 0}};
	static const struct want third[] = {{"b", 0, 2, 0}, {"d", 0, 4, 0}, {"c", 0, 3, 0}, {"e", 0, 5, 0}};
	struct watchlist *one = take(make(first, 2, NULL), NULL), *two = make(second, 2, one), *three;

	(void)unused;
	assert_int_equal(two->slots[0], 2);
	assert_int_equal(two->slots[1], 1); // b's, at another number now
	assert_int_equal(two->numbers[0], WATCHLIST_NONE);
	two = take(two, one);
	three = make(third, 4, two);
	assert_int_equal(three->slots[0], 1);
	assert_int_equal(three->slots[1], 0); // d has a's
	assert_int_equal(three->slots[2], 2);
	assert_int_equal(three->slots[3], 3);
	end(take(three, two));
}

// One of each app in use, replaced all at once, again and again: two lists' worth of slots are enough.
static void test_slots_do_not_grow(void **unused)
{
	enum { COUNT = 20 };
	struct want wants[COUNT];
	struct watchlist *list = NULL;
	char names[COUNT][16];

	(void)unused;
	for (int i = 0; i < COUNT; i++)
		snprintf(names[i], sizeof(names[i]), "a%d", i);
	for (int generation = 0; generation < 50; generation++) {
		for (int i = 0; i < COUNT; i++)
			wants[i] = (struct want){names[i], (unsigned)i % 3, (uint8_t)(1 + (generation + i) % 200), 0};

		struct watchlist *next = make(wants, COUNT, list);

		assert_int_equal(next->fresh_count, COUNT); // each has another address
		list = take(next, list);
		assert_true(list->slot_count <= 2 * COUNT);
	}
	end(list);
}

// ---- a list that is never used --------------------------------------------------------------------------------------

static void test_discarded(void **unused)
{
	static const struct want now[] = {{"a", 0, 1, 0}, {"b", 0, 2, 1}};
	static const struct want next[] = {{"b", 0, 2, 1}, {"c", 0, 3, 0}, {"a", 0, 9, 0}};
	struct watchlist *one = take(make(now, 2, NULL), NULL), *two;
	const struct watch *a = one->watches[0], *b = one->watches[1];
	size_t users = a->check->users;

	(void)unused;
	for (int i = 0; i < 3; i++) {
		two = make(next, 3, one);
		assert_ptr_equal(two->fresh[1].before, a);
		assert_false(two->fresh[1].inherits); // a has another address now
		assert_null(watchlist_discard(two));
		check_consistent(one);
		assert_ptr_equal(one->watches[0], a);
		assert_ptr_equal(one->watches[1], b);
		assert_int_equal(a->check->users, users);
	}
	two = make(next, 3, one); // the next one is taken
	assert_ptr_equal(two->watches[0], b);
	end(take(two, one));
	assert_null(watchlist_discard(make(now, 2, NULL))); // nor was there one in use
}

// A check goes with its last watch, in whatever list that is.
static void test_checks_live_on(void **unused)
{
	static const struct want now[] = {{"a", 0, 1, 0}, {"b", 0, 2, 0}, {"c", 0, 3, 1}};
	static const struct want fewer[] = {{"b", 0, 2, 0}};
	struct watchlist *list = take(make(now, 3, NULL), NULL);
	const struct check *check = list->watches[1]->check;

	(void)unused;
	assert_int_equal(check->users, 4); // two watches and their endpoints
	for (int i = 0; i < 5; i++) {
		list = take(make(fewer, 1, list), list);
		assert_ptr_equal(list->watches[0]->check, check); // the first configuration's copy still
		assert_int_equal(check->users, 2);
		assert_string_equal(check->conf.path, "/");
	}
	end(list);
}

static void test_error(void **unused)
{
	static const struct want now[] = {{"a", 0, 1, 0}};
	struct watchlist *one = take(make(now, 1, NULL), NULL), *two = NULL;
	char *text = malloc(NEEDLE_MAX_LEN + 2);

	(void)unused;
	assert_non_null(text);
	memset(text, 'x', NEEDLE_MAX_LEN + 1);
	text[NEEDLE_MAX_LEN + 1] = '\0';
	checks[2].expect_body = text;
	write_config(now, 1);
	assert_int_equal(watchlist_new(&config, one, &two), E_LIMIT);
	assert_null(two);
	check_consistent(one);
	end(one);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_first, set_up),
		cmocka_unit_test_setup(test_check_address, set_up),
		cmocka_unit_test_setup(test_none, set_up),
		cmocka_unit_test_setup(test_shared, set_up),
		cmocka_unit_test_setup(test_successors, set_up),
		cmocka_unit_test_setup(test_addresses, set_up),
		cmocka_unit_test_setup(test_slots, set_up),
		cmocka_unit_test_setup(test_slots_do_not_grow, set_up),
		cmocka_unit_test_setup(test_discarded, set_up),
		cmocka_unit_test_setup(test_checks_live_on, set_up),
		cmocka_unit_test_setup(test_error, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
