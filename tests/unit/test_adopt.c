// Apps that steer a part of their clients (`adopt`): how large it is, that nobody moves twice, what the others get.
// Each test runs for every form of table.
#include "answer/pick.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "answer/share.h"
#include "base/attr.h"
#include "base/err.h"
#include "steer/cost.h"
#include "smallworld.h"

enum { BOSTON = 60000, CLIENTS = 100000, TENTH = SHARE_ALL / 10, POINTS = CLIENTS / 50 };

static struct world world;

// Every address is a client of its own.
static void begin(const uint32_t *weights)
{
	struct ranking_spec spec = {world_every_site, weights, WORLD_SITES, 0, 32, 48, world_metro};

	world_begin(&world, weights, 0);
	world_steer(&world, &spec);
	world.live.shares = live_shares_new(WORLD_SITES);
	assert_non_null(world.live.shares);
}

static void end(void)
{
	free((void *)world.live.shares);
	world_end(&world);
}

static void adopt(uint32_t share)
{
	struct target_shares *shares = (struct target_shares *)world.live.shares;

	for (int i = 0; i < WORLD_SITES; i++) {
		world.states->octets[i] &= (uint8_t)~TARGET_ADOPTED;
		if (share < SHARE_ALL)
			world.states->octets[i] |= TARGET_ADOPTED;
		shares->of[i].steered = (uint16_t)(share < SHARE_ALL ? share : 0);
	}
}

// The first are near Boston, the others near New York.
static struct pick ask(unsigned client)
{
	unsigned low = client < BOSTON ? client : client - BOSTON;
	struct query_ecs ecs = {
		true, 1, 32, 0, {.family = ADDR_V4, .bytes = {10, client < BOSTON ? 1 : 2, (uint8_t)(low >> 8), (uint8_t)low}}};
	struct addr nobody = {.family = ADDR_V4, .bytes = {192, 0, 2, 1}};

	return world_ask_by(&world, &ecs, &nobody);
}

static void assert_about(unsigned count, double wanted)
{
	assert_true(fabs(count - wanted) < POINTS);
}

// Up by tenths and down again: each share is what was planned, who is steered stays so on the way up, who is not stays
// so on the way down, and whoever is not steered has had the same target from the start.
static void test_ramp(void **state)
{
	static struct {
		bool is_steered;
		uint32_t weighed, ordered;
	} clients[CLIENTS];
	unsigned before = 0;

	(void)state;
	begin(NULL);
	for (unsigned i = 0; i < CLIENTS; i++)
		clients[i].ordered = ask(i).target_number;
	adopt(0);
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct pick pick = ask(i);

		assert_true(pick.weighed && pick.hashed);
		assert_int_equal(world_where.scope, 32);
		clients[i].weighed = pick.target_number;
		clients[i].is_steered = false;
	}
	for (int step = 1; step <= 20; step++) {
		bool is_up = step <= 10;
		unsigned tenths = (unsigned)(is_up ? step : 20 - step), steered = 0, moved = 0;

		adopt(tenths == 10 ? SHARE_ALL : tenths * TENTH);
		for (unsigned i = 0; i < CLIENTS; i++) {
			struct pick pick = ask(i);
			bool is_steered = !pick.weighed;

			assert_int_equal(pick.outcome, PICK_HEALTHY);
			assert_int_equal(pick.target_number, is_steered ? clients[i].ordered : clients[i].weighed);
			assert_true(is_up ? is_steered >= clients[i].is_steered : is_steered <= clients[i].is_steered);
			moved += is_steered != clients[i].is_steered;
			clients[i].is_steered = is_steered;
			steered += is_steered;
		}
		assert_about(steered, (double)CLIENTS * tenths / 10);
		assert_int_equal(moved, is_up ? steered - before : before - steered);
		before = steered;
	}
	end();
}

// Who is not steered: all in reach, by weight, and a standby only where nothing else is.
static void test_weights(void **state)
{
	static const uint32_t weights[WORLD_SITES] = {
		[BOS] = 10, [NYC] = 30, [BER] = 50, [OUT] = 20, [USE1] = 40, [EUC1] = 0};
	static uint32_t had[CLIENTS];
	unsigned won[WORLD_SITES] = {0};

	(void)state;
	begin(weights);
	adopt(0);
	for (unsigned i = 0; i < CLIENTS; i++)
		won[had[i] = ask(i).target_number]++;
	assert_int_equal(won[EUC1], 0);
	assert_int_equal(won[BER], 0); // out of reach
	for (int site = 0; site < WORLD_SITES; site++)
		if (site != BER)
			assert_about(won[site], CLIENTS * weights[site] / 100.0);

	world.states->octets[NYC] |= TARGET_DOWN; // its own clients alone move
	for (unsigned i = 0; i < CLIENTS; i++)
		assert_true(ask(i).target_number == had[i] || had[i] == NYC);
	for (int site = 0; site < WORLD_SITES; site++)
		world.states->octets[site] |= site == EUC1 ? 0 : TARGET_DRAINED;
	for (unsigned i = 0; i < CLIENTS; i += 64)
		assert_int_equal(ask(i).target_number, EUC1);
	end();
}

// Without weights all in reach have the same, also where there are weights that are the same.
static void test_equal(void **state)
{
	static const uint32_t ones[WORLD_SITES] = {1, 1, 1, 1, 1, 1};
	static uint32_t had[CLIENTS];

	(void)state;
	for (int turn = 0; turn < 2; turn++) {
		unsigned won[WORLD_SITES] = {0};

		begin(turn ? ones : NULL);
		adopt(0);
		for (unsigned i = 0; i < CLIENTS; i++) {
			uint32_t target = ask(i).target_number;

			assert_true(turn == 0 || target == had[i]);
			had[i] = target;
			won[target]++;
		}
		for (int site = 0; site < WORLD_SITES; site++)
			assert_about(won[site], site == BER ? 0 : CLIENTS / 5.0);
		end();
	}
}

// The outcomes of pick.h, for every state of the six sites and clients of every kind: the first row that applies is the
// same for those who are steered and those who are not, and both get a target that the row allows.
static void test_every_state(void **state)
{
	enum { DOWN, DRAINED, EMPTY, UP, STATES };
	static const uint8_t bits[STATES] = {TARGET_DOWN, TARGET_DRAINED, TARGET_EMPTY, 0};

	(void)state;
	begin(NULL);
	for (unsigned all = 0; all < 4096; all++)
		for (unsigned client = 0; client < WORLD_CLIENTS; client++) {
			struct pick picks[2];
			struct prefix prefix;

			assert_int_equal(prefix_parse(world_clients[client].prefix, &prefix, NULL), E_OK);
			for (int site = 0; site < WORLD_SITES; site++)
				world.states->octets[site] = bits[all >> (2 * site) & 3];
			adopt(SHARE_ALL);
			picks[0] = world_ask(&world, world_clients[client].prefix);
			adopt(0);
			picks[1] = world_ask(&world, world_clients[client].prefix);
			assert_int_equal(picks[1].outcome, picks[0].outcome);
			assert_true(!picks[0].weighed && (!picks[1].target || picks[1].weighed));
			for (int i = 0; i < 2; i++) {
				const struct target *target = picks[i].target;
				const struct place *place;
				uint8_t depth;

				assert_int_equal(target != NULL, picks[i].outcome <= PICK_FAIL_OPEN);
				if (!target)
					continue;
				place = places_lookup(world.view.places, &prefix.addr, &depth);
				assert_true(cost_can_reach(world.view.places, &world.sites[target->site], place));
				assert_int_equal(world.states->octets[target->site] & TARGET_CLOSED,
				                 picks[i].outcome == PICK_HEALTHY ? 0 : TARGET_DOWN);
			}
		}
	end();
}

// A drain over a time and a ceiling hold for both; who is steered is no more drained than who is not.
static void test_parts(void **state)
{
	unsigned staying[2] = {0}, had[2] = {0};
	static uint32_t targets[CLIENTS];

	(void)state;
	begin(NULL);
	adopt(5 * TENTH);
	for (unsigned i = 0; i < CLIENTS; i++)
		targets[i] = ask(i).target_number;
	((struct target_shares *)world.live.shares)->of[NYC].staying = 5 * TENTH;
	world.states->octets[NYC] |= TARGET_LEAVING;
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct pick pick = ask(i);

		assert_true(targets[i] == NYC || targets[i] == pick.target_number);
		had[pick.weighed] += targets[i] == NYC;
		staying[pick.weighed] += pick.target_number == NYC;
	}
	for (int weighed = 0; weighed < 2; weighed++) {
		assert_true(had[weighed] > CLIENTS / 20);
		assert_true(fabs(staying[weighed] - had[weighed] / 2.0) < had[weighed] / 30.0);
	}
	end();
}

// What is learned of a client counts for its reach, and what is learned alone may be answered too.
static void test_learned(void **state)
{
	struct learned_fact fact = {.sites = {EUC1, BER}, .site_count = 2, .has_carrier = true};
	unsigned won[WORLD_SITES] = {0};

	(void)state;
	begin(NULL);
	fact.carrier = world.carriers[BER];
	assert_int_equal(prefix_parse("10.1.0.0/16", &fact.prefix, NULL), E_OK);
	world_learn(&world, &fact, 1);
	adopt(0);
	for (unsigned i = 0; i < BOSTON; i++)
		won[ask(i).target_number]++;
	assert_int_equal(won[BOS] + won[NYC], 0); // another carrier's
	for (int site = BER; site < WORLD_SITES; site++)
		assert_about(won[site], BOSTON / 4.0);
	end();
}

// Scopes are longer while a part is steered, and only then.
static void test_scope(void **state)
{
	int before;

	(void)state;
	begin(NULL);
	before = world_scope(&world, "10.5.0.0/16");
	assert_true(before < 32);
	adopt(9 * TENTH);
	assert_int_equal(world_scope(&world, "10.5.0.0/16"), 32);
	assert_int_equal(world_scope(&world, "2001:db8:1::/48"), 48);
	adopt(SHARE_ALL);
	assert_int_equal(world_scope(&world, "10.5.0.0/16"), before);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ramp),        cmocka_unit_test(test_weights), cmocka_unit_test(test_equal),
		cmocka_unit_test(test_every_state), cmocka_unit_test(test_parts),   cmocka_unit_test(test_learned),
		cmocka_unit_test(test_scope),
	};
	int failed = 0;

	for (world_own_tables = 0; world_own_tables <= 1; world_own_tables++)
		failed += cmocka_run_group_tests(tests, NULL, NULL);
	return failed;
}
