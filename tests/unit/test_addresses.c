// What a target is answered with: from the health of each of its addresses, and from those that are set at run time.
#include "daemon/addresses.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/publish.h"
#include "daemon/merge.h"
#include "health/health.h"
#include "health/watchlist.h"
#include "plainview.h"
#include "view/answers.h"
#include "view/live.h"

enum { TTL_S = 30, TARGETS = 3, PLAIN = 0, CHECKED_WHOLE = 1, UNCHECKED = 2 };

// App "a" at three sites: with a check, with a check and a check address, without a check. Nothing is ever probed: the
// states are those that are saved.
static struct world {
	struct event_base *base;
	struct health *health;
	struct view *view;
	struct merge *merge;
	unsigned up;      // what is saved of 192.0.2.N: bit N
} world;

static uint32_t endpoints[8]; // by the last octet

static const char *const sites[] = {"s", "t", "u", NULL};

static void no_change(void *ctx, size_t target, const struct health_address *address)
{
	(void)ctx;
	(void)target;
	(void)address;
	fail();
}

static void no_settling(void *ctx)
{
	(void)ctx;
}

static struct addr addr_of(unsigned last)
{
	return (struct addr){ADDR_V4, {192, 0, 2, (uint8_t)last}};
}

static int saved(void *ctx, const char *app, const char *site, uint32_t endpoint, int64_t *ret_since_s)
{
	const struct world *now = ctx;

	(void)app;
	(void)site;
	*ret_since_s = 1000;
	for (unsigned last = 1; last < ARRAY_LEN(endpoints); last++)
		if (endpoints[last] == endpoint)
			return now->up >> last & 1;
	return -1;
}

// Puts the config's addresses into the view, as compile.c does.
static void answer(struct view *view, const struct config *config)
{
	for (uint32_t i = 0; i < TARGETS; i++) {
		const struct config_target *target = &config->apps[0].targets[i];

		atomic_init(&((struct target *)view->targets)[i].answers,
		            answers_make(view->arena, target->addresses, target->address_count, TTL_S));
	}
}

// The first target has `count` addresses, the others one; 0: none has any, they come at run time.
static struct view *make_view(size_t count, struct watchlist **ret_list)
{
	const struct plainview_app app = {"a.x", TTL_S, 7};
	struct view *view = plainview_new(1, sites, &app, 1);
	struct config *config = plainview_config(view);
	struct config_target *targets = config->apps[0].targets;
	struct addr *list = arena_take_array(view->arena, 7, sizeof(*list));

	assert_non_null(list);
	for (unsigned i = 0; i < 7; i++)
		list[i] = addr_of(i + 1);
	targets[PLAIN].addresses = list;
	targets[PLAIN].address_count = count;
	targets[CHECKED_WHOLE].check_addresses = &list[6];
	targets[CHECKED_WHOLE].check_address_count = 1;
	targets[UNCHECKED].check = CONFIG_CHECK_NONE;
	targets[UNCHECKED].address_count = count > 0;
	config->checks[0].interval_ms = 1000000;
	answer(view, config);
	assert_int_equal(watchlist_new(config, health_list(world.health), ret_list), E_OK);
	return view;
}

static void begin(size_t count, unsigned up)
{
	const struct health_ops ops = {.changed = no_change, .settled = no_settling, .saved = saved, .ctx = &world};
	struct watchlist *list = NULL;

	world = (struct world){.up = up};
	publish_register_reader();
	world.base = event_base_new();
	assert_non_null(world.base);
	assert_int_equal(event_base_priority_init(world.base, 3), 0);
	world.health = health_new(world.base, &ops);
	assert_non_null(world.health);
	world.view = make_view(count, &list);
	world.merge = merge_new(world.view);
	assert_non_null(world.merge);
	health_configure(world.health, list, 1);
}

static void end(void)
{
	publish_drain();
	merge_free(world.merge);
	health_free(world.health);
	view_free(world.view);
	event_base_free(world.base);
	publish_unregister_reader();
}

// The last octets of what a target is answered with, as digits.
static const char *answered(const struct view *view, uint32_t target)
{
	static char text[ANSWERS_ADDRESSES_MAX + 1];
	struct addr list[ANSWERS_ADDRESSES_MAX];
	size_t count = answers_addresses(answers_of(&view->targets[target]), list);

	for (size_t i = 0; i < count; i++)
		text[i] = (char)('0' + list[i].bytes[3]);
	text[count] = '\0';
	return text;
}

static bool in_arena(const struct view *view, uint32_t target)
{
	return answers_of(&view->targets[target])->in_arena;
}

static uint8_t state(uint32_t target)
{
	return merge_state_of(world.merge, target);
}

// Learns what stands for each address.
static int set_up(void **unused)
{
	struct health_address probed[CONFIG_ADDRESSES_MAX];

	(void)unused;
	begin(7, 0);
	assert_int_equal(health_addresses(world.health, PLAIN, probed), 7);
	for (unsigned i = 0; i < 7; i++)
		endpoints[probed[i].addr.bytes[3]] = probed[i].endpoint;
	end();
	return 0;
}

// ---- addresses in the config ----------------------------------------------------------------------------------------

// All states of three addresses: those that are up, or all when none is. A check address takes none away.
static void test_states(void **unused)
{
	static const char *const expected[] = {"123", "1", "2", "12", "3", "13", "23", "123"};

	(void)unused;
	for (unsigned states = 0; states < 8; states++) {
		begin(3, states << 1);
		assert_int_equal(health_up(world.health, PLAIN), states > 0);
		assert_int_equal(addresses_prepare(world.view, world.merge, world.health), E_OK);
		assert_string_equal(answered(world.view, PLAIN), expected[states]);
		assert_int_equal(in_arena(world.view, PLAIN), states == 0 || states == 7); // else it is as it was made
		assert_int_equal(answers_of(&world.view->targets[PLAIN])->ttl_s, TTL_S);
		assert_false(health_up(world.health, CHECKED_WHOLE));
		assert_string_equal(answered(world.view, CHECKED_WHOLE), "1");
		assert_string_equal(answered(world.view, UNCHECKED), "2");
		for (uint32_t i = 0; i < TARGETS; i++)
			assert_int_equal(state(i) & TARGET_EMPTY, 0);
		for (int again = 0; again < 2; again++) { // the same answer is not replaced
			const struct answers *was = answers_of(&world.view->targets[PLAIN]);

			assert_int_equal(again ? addresses_compose(world.view, world.health, PLAIN)
			                       : addresses_compose_all(world.view, world.health), E_OK);
			assert_ptr_equal(answers_of(&world.view->targets[PLAIN]), was);
		}
		end();
	}
}

// ---- addresses at run time ------------------------------------------------------------------------------------------

static void set(uint32_t target, const char *octets, uint32_t ttl_s)
{
	struct addr list[ANSWERS_ADDRESSES_MAX];
	size_t count = strlen(octets);

	for (size_t i = 0; i < count; i++)
		list[i] = addr_of((unsigned)(octets[i] - '0'));
	assert_int_equal(addresses_set(world.view, world.merge, world.health, target, list, count, ttl_s), E_OK);
	merge_set_health(world.merge, target, health_up(world.health, target)); // as the judge does
}

static void test_set(void **unused)
{
	(void)unused;
	begin(0, 1 << 2 | 1 << 3);
	assert_int_equal(addresses_prepare(world.view, world.merge, world.health), E_OK);
	for (uint32_t i = 0; i < TARGETS; i += 2)
		assert_int_equal(state(i) & TARGET_EMPTY, TARGET_EMPTY);
	set(PLAIN, "123", 7);
	assert_int_equal(state(PLAIN), 0);
	assert_string_equal(answered(world.view, PLAIN), "23"); // by what is saved
	assert_int_equal(answers_of(&world.view->targets[PLAIN])->ttl_s, 7);
	set(PLAIN, "1234", 9);
	assert_string_equal(answered(world.view, PLAIN), "234"); // the new one as the target
	assert_int_equal(answers_of(&world.view->targets[PLAIN])->ttl_s, 9);
	set(PLAIN, "1", 9);
	assert_int_equal(state(PLAIN), TARGET_DOWN);
	assert_string_equal(answered(world.view, PLAIN), "1");
	set(PLAIN, "", 9);
	assert_int_equal(state(PLAIN) & TARGET_EMPTY, TARGET_EMPTY);
	assert_string_equal(answered(world.view, PLAIN), "1"); // who reads an older state still gets one
	set(PLAIN, "5", 9);
	assert_int_equal(state(PLAIN) & TARGET_EMPTY, 0);
	assert_string_equal(answered(world.view, PLAIN), "5");

	set(UNCHECKED, "12", 5); // nothing is probed, all are answered
	assert_int_equal(state(UNCHECKED), 0);
	assert_string_equal(answered(world.view, UNCHECKED), "12");
	set(UNCHECKED, "", 5);
	assert_int_equal(state(UNCHECKED), TARGET_EMPTY);
	end();
}

// The next generation has what was set, and what is known of it.
static void test_carried(void **unused)
{
	struct watchlist *list = NULL;
	struct view *next;
	struct merge *merge;

	(void)unused;
	begin(0, 1 << 2);
	set(PLAIN, "123", 7);
	set(UNCHECKED, "", 7);
	for (int generation = 0; generation < 3; generation++) {
		next = make_view(0, &list);
		merge = merge_new(next);
		assert_non_null(merge);
		health_configure(world.health, list, 1);
		assert_int_equal(addresses_carry(next, world.view, world.merge), E_OK);
		assert_int_equal(addresses_prepare(next, merge, world.health), E_OK);
		view_free(world.view);
		merge_free(world.merge);
		world.view = next;
		world.merge = merge;
		assert_string_equal(answered(next, PLAIN), "2");
		assert_int_equal(answers_of(&next->targets[PLAIN])->ttl_s, 7);
		assert_int_equal(state(PLAIN) & TARGET_EMPTY, 0);
		assert_string_equal(answered(next, UNCHECKED), generation == 0 ? "" : "12");
		assert_int_equal(state(UNCHECKED) & TARGET_EMPTY, generation == 0 ? TARGET_EMPTY : 0);
		set(UNCHECKED, "12", 7);
	}
	next = make_view(2, &list); // and then they are in the config
	merge = merge_new(next);
	assert_non_null(merge);
	health_configure(world.health, list, 1);
	assert_int_equal(addresses_carry(next, world.view, world.merge), E_OK);
	assert_int_equal(addresses_prepare(next, merge, world.health), E_OK);
	assert_string_equal(answered(next, PLAIN), "2");
	assert_int_equal(answers_of(&next->targets[PLAIN])->ttl_s, TTL_S);
	view_free(next);
	merge_free(merge);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_carried),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
