// The choice of a target: weights, ties, standbys, and that only the clients of what goes down move. Each test runs for
// every form of table.
#include "answer/pick.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "smallworld.h"

static void test_weights(void **state)
{
	(void)state;
	// A tie of half a second puts every known candidate into one group for Boston's clients.
	static const uint32_t weights[WORLD_SITES] = {[BOS] = 10, [NYC] = 30, [OUT] = 20, [USE1] = 40, [EUC1] = 0};
	unsigned won[WORLD_SITES] = {0}, moved_wrongly = 0;
	struct world world;

	world_begin(&world, weights, 500000);
	for (int i = 0; i < 256; i++) {
		char client[32];

		snprintf(client, sizeof(client), "10.1.%d.0/24", i);

		struct pick pick = world_ask(&world, client);

		assert_true(pick.hashed);
		assert_int_equal(world_where.scope, 24); // at least the hash's prefix
		snprintf(client, sizeof(client), "10.1.%d.77/32", i);
		assert_int_equal(world_site(&world, client), pick.target->site); // one /24 is one client
		won[pick.target->site]++;

		world.states->octets[NYC] = TARGET_DRAINED; // when one leaves, only its own clients move
		if (pick.target->site != NYC && world_site(&world, client) != pick.target->site)
			moved_wrongly++;
		world.states->octets[NYC] = 0;
	}
	assert_int_equal(moved_wrongly, 0);
	assert_int_equal(won[EUC1], 0); // weight 0
	assert_int_equal(won[BER], 0);  // out of reach
	assert_in_range(won[BOS], 10, 45);
	assert_in_range(won[NYC], 50, 105);
	assert_in_range(won[OUT], 30, 75);
	assert_in_range(won[USE1], 70, 135);
	world_end(&world);
}

// The groups stay as they are when health moves: without its best member a group is not widened, so that clients of the
// others stay where they are (sites at 15, 16.1 and 31.7 ms or so for New York's clients, tie 5 ms).
static void test_groups_stay(void **state)
{
	static const uint32_t weights[WORLD_SITES] = {1, 1, 1, 1, 1, 1};
	struct world world;

	(void)state;
	world_begin(&world, weights, 5100);
	for (int i = 0; i < 128; i++) {
		char client[32];
		int before;

		snprintf(client, sizeof(client), "10.2.%d.0/24", i);
		before = world_site(&world, client); // NYC at 10 ms and the outpost at 15 share; Boston at 16.1 does not
		assert_true(before == NYC || before == OUT);
		world.states->octets[NYC] = TARGET_DOWN;
		assert_int_equal(world_site(&world, client), OUT); // not Boston, which is within the tie of the outpost
		world.states->octets[OUT] = TARGET_DOWN;
		assert_int_equal(world_site(&world, client), BOS);
		world.states->octets[NYC] = world.states->octets[OUT] = 0;
	}
	world_end(&world);
}

// Weight 0 is a standby: behind everything in reach that has a weight, however near it is, coordinates or not.
static void test_standby(void **state)
{
	static const uint32_t weights[WORLD_SITES] = {[NYC] = 1, [USE1] = 1, [EUC1] = 1};
	static const struct {
		const char *client;
		int site, without; // with every site up; with what has a weight drained
	} rows[] = {
		{"10.1.1.0/24", NYC, BOS},     // Boston is nearest and a standby
		{"10.7.1.0/24", USE1, OUT},    // of no carrier
		{"198.51.100.0/24", USE1, OUT}, // no coordinates: the outpost is written first and a standby
		{"10.5.1.0/24", EUC1, BER},
	};
	struct world world;

	(void)state;
	world_begin(&world, weights, 1000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(world_site(&world, rows[i].client), rows[i].site);
		world.states->octets[NYC] = world.states->octets[USE1] = world.states->octets[EUC1] = TARGET_DRAINED;
		assert_int_equal(world_site(&world, rows[i].client), rows[i].without);
		memset(world.states->octets, 0, WORLD_SITES);
	}
	world_end(&world);
}

// However near one another, standbys share nothing: no hash decides, and the scope is no longer for it.
static void test_standbys_in_order(void **state)
{
	static const uint32_t weights[WORLD_SITES] = {[USE1] = 1};
	struct world world;
	struct pick pick;

	(void)state;
	world_begin(&world, weights, 60000000);
	for (int i = 0; i < 3; i++) { // every site up; then one and both of what comes first drained
		pick = world_ask(&world, "10.7.1.0/24");
		assert_true(world_where.hit.depth < 24);
		assert_int_equal(world_where.scope, world_where.hit.depth);
		assert_false(pick.hashed);
		world.states->octets[pick.target->site] = TARGET_DRAINED;
	}
	world_end(&world);
}

static void test_tie(void **state)
{
	(void)state;
	// Without a tie the best takes all, weights or not; NYC's clients have the outpost 5 ms behind.
	static const uint32_t weights[WORLD_SITES] = {1, 1, 1, 1, 1, 1};
	struct world world;

	world_begin(&world, weights, 4000);
	for (int i = 0; i < 64; i++) {
		char client[32];

		snprintf(client, sizeof(client), "10.2.%d.0/24", i);
		assert_int_equal(world_site(&world, client), NYC);
	}
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_groups_stay),
		cmocka_unit_test(test_standby),
		cmocka_unit_test(test_standbys_in_order),
		cmocka_unit_test(test_tie),
	};
	int failed = 0;

	for (world_own_tables = 0; world_own_tables <= 1; world_own_tables++)
		failed += cmocka_run_group_tests(tests, NULL, NULL);
	return failed;
}
