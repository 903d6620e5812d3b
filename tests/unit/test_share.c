// Targets that take a part of their clients: how large it is, that nobody comes back, that scopes keep clients apart. Each
// test runs for every form of table.
#include "answer/share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "smallworld.h"

enum { CLIENTS = 1 << 16, TENTH = SHARE_ALL / 10 };

static struct world world;

// Every address of Boston's /16 is a client of its own.
static void begin(void)
{
	struct ranking_spec spec = {world_every_site, NULL, WORLD_SITES, 0, 32, 48, world_metro};

	world_begin(&world, NULL, 0);
	world_steer(&world, &spec);
	world.live.shares = live_shares_new(WORLD_SITES);
	assert_non_null(world.live.shares);
}

static void end(void)
{
	free((void *)world.live.shares);
	world_end(&world);
}

// A site takes a part of its clients.
static void take(int site, uint8_t bits, uint32_t share)
{
	struct target_shares *shares = (struct target_shares *)world.live.shares;

	shares->of[site] = (struct target_share){(uint16_t)share, (uint16_t)share};
	world.states->octets[site] |= bits;
}

static int site_of(unsigned client)
{
	char text[32];

	snprintf(text, sizeof(text), "10.1.%u.%u/32", client >> 8, client & 255);
	return world_site(&world, text);
}

static void assert_about(unsigned count, uint32_t share)
{
	unsigned wanted = (unsigned)((uint64_t)CLIENTS * share / SHARE_ALL);

	assert_in_range(count, wanted < CLIENTS / 50 ? 0 : wanted - CLIENTS / 50, wanted + CLIENTS / 50); // two points
}

// Out by tenths: each share is what was planned, who has left does not come back, and goes where a whole drain would send
// it. Back in by tenths: the same the other way round.
static void test_ramp(void **state)
{
	static bool left[CLIENTS];

	(void)state;
	begin();
	memset(left, 0, sizeof(left));
	for (int step = 1; step < 20; step++) {
		bool is_out = step <= 10;
		uint32_t share = (uint32_t)(is_out ? 10 - step : step - 10) * TENTH;
		unsigned staying = 0;

		take(BOS, TARGET_LEAVING, share);
		for (unsigned i = 0; i < CLIENTS; i++) {
			int site = site_of(i);

			assert_true(site == BOS || site == NYC);
			assert_true(world_where.scope == 32);
			assert_true(is_out ? !left[i] || site == NYC : left[i] || site == BOS);
			left[i] = site == NYC;
			staying += site == BOS;
		}
		assert_about(staying, share);
	}
	end();
}

// Two sites that are emptied at the same pace: whoever leaves one does not meet the other.
static void test_together(void **state)
{
	(void)state;
	begin();
	take(BOS, TARGET_LEAVING, 4 * TENTH);
	take(NYC, TARGET_LEAVING, 4 * TENTH);
	for (unsigned i = 0; i < CLIENTS; i += 16)
		assert_true(site_of(i) != NYC);
	end();
}

// Who is drained is so even where nothing else is left; a target that is eased takes all then, before one that is down.
static void test_nothing_else(void **state)
{
	unsigned drained = 0, kept = 0;

	(void)state;
	begin();
	for (int i = 0; i < WORLD_SITES; i++)
		world.states->octets[i] = i == BOS ? 0 : TARGET_DRAINED;
	take(BOS, TARGET_LEAVING, 5 * TENTH);
	for (unsigned i = 0; i < CLIENTS; i += 16) {
		int site = site_of(i);

		drained += site < 0;
		kept += site == BOS;
	}
	assert_int_equal(drained + kept, CLIENTS / 16);
	assert_about(16 * kept, 5 * TENTH);

	world.states->octets[BOS] = TARGET_EASED;
	world.states->octets[NYC] = TARGET_DOWN;
	for (unsigned i = 0; i < CLIENTS; i += 16) {
		assert_int_equal(site_of(i), BOS);
		assert_int_equal(world_ask(&world, "10.1.2.3/32").outcome, PICK_HEALTHY);
	}
	world.states->octets[NYC] = TARGET_EASED | TARGET_DOWN; // another that would ease it
	for (unsigned i = 0; i < CLIENTS; i += 64)
		assert_int_equal(site_of(i), BOS);
	end();
}

// Eased: its part, and the others take the next one.
static void test_eased(void **state)
{
	unsigned taken = 0;

	(void)state;
	begin();
	take(BOS, TARGET_EASED, 3 * TENTH);
	for (unsigned i = 0; i < CLIENTS; i++) {
		int site = site_of(i);

		assert_true(site == BOS || site == NYC);
		taken += site == BOS;
	}
	assert_about(taken, 3 * TENTH);
	end();
}

// A scope is lengthened where the client comes to a target that takes a part of its clients, and only there.
static void test_scope(void **state)
{
	static const char *const far[] = {"10.5.0.0/16", "10.6.0.0/16", "10.3.0.0/16"};
	int before[3];

	(void)state;
	begin();
	world.live.shares = (free((void *)world.live.shares), NULL);
	for (int i = 0; i < 3; i++)
		before[i] = world_scope(&world, far[i]);
	assert_in_range(world_scope(&world, "10.1.7.0/24"), 8, 24);
	world.live.shares = live_shares_new(WORLD_SITES);
	take(NYC, TARGET_LEAVING, 5 * TENTH); // the second one of Boston's clients
	for (int i = 0; i < 3; i++)
		assert_int_equal(world_scope(&world, far[i]), before[i]);
	assert_in_range(world_scope(&world, "10.1.7.0/24"), 8, 24); // they are answered with the first
	world.states->octets[BOS] = TARGET_DOWN;
	assert_int_equal(world_scope(&world, "10.1.7.0/24"), 32);
	world.states->octets[NYC] |= TARGET_DOWN; // for all clients, whatever its share is
	assert_in_range(world_scope(&world, "10.1.7.0/24"), 8, 24);
	end();
}

// One block, one decision, or a hash whose length the scope has: of what is learned too.
static void test_learned(void **state)
{
	struct learned_fact fact = {.sites = {NYC, USE1}, .site_count = 2};
	unsigned staying = 0;

	(void)state;
	begin();
	assert_int_equal(prefix_parse("10.1.0.0/17", &fact.prefix, NULL), E_OK);
	world_learn(&world, &fact, 1);
	take(NYC, TARGET_LEAVING, 5 * TENTH);
	for (unsigned i = 0; i < CLIENTS / 2; i++) {
		int site = site_of(i);

		assert_true(site == NYC || site == USE1);
		assert_int_equal(world_where.scope, 32);
		staying += site == NYC;
	}
	assert_about(2 * staying, 5 * TENTH);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ramp),  cmocka_unit_test(test_together), cmocka_unit_test(test_nothing_else),
		cmocka_unit_test(test_eased), cmocka_unit_test(test_scope),    cmocka_unit_test(test_learned),
	};
	int failed = 0;

	for (world_own_tables = 0; world_own_tables <= 1; world_own_tables++)
		failed += cmocka_run_group_tests(tests, NULL, NULL);
	return failed;
}
