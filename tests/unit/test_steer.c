// Steering: the truth tables of reach and order, walked row by row; scopes; and reach as an invariant, over every
// combination of six sites' states and every kind of client. Each test runs for every form of table.
#include "steer/steer.h"

#include <math.h>
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
#include "steer/place.h"
#include "wire/query.h"

// ---- reach ---------------------------------------------------------------------------------------------------------

static void test_reach_table(void **state)
{
	(void)state;
	// site's reach, client's carrier, class, reachable: the rows of steer.h
	static const struct {
		bool is_public;
		const char *carrier, *class_;
		bool reachable;
	} rows[] = {
		{true, NULL, NULL, true},       {true, "verizon", NULL, true},     {true, "telekom", "vpn", true},
		{false, "verizon", NULL, true}, {false, "verizon", "edge", true},  {false, "verizon", "roaming", false},
		{false, "verizon", "mvno", false}, {false, "telekom", NULL, false}, {false, NULL, NULL, false},
		{false, NULL, "edge", false},
	};
	struct world world;

	world_begin(&world, NULL, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct places *places = world.view.places;
		struct place place = {.latitude = NAN, .longitude = NAN};

		if (rows[i].carrier)
			assert_int_equal(names_add(places->carriers, rows[i].carrier, strlen(rows[i].carrier), &place.carrier), E_OK);
		if (rows[i].class_)
			assert_int_equal(names_add(places->classes, rows[i].class_, strlen(rows[i].class_), &place.class_), E_OK);
		assert_int_equal(cost_can_reach(places, &world.sites[rows[i].is_public ? USE1 : BOS], &place), rows[i].reachable);
	}
	world_end(&world);
}

// Which clients may be sent where, restated without the code under test.
static bool may_reach(const char *carrier, const char *class_, int site)
{
	if (!world_sites[site].carrier)
		return true;
	return carrier && strcmp(carrier, world_sites[site].carrier) == 0 && (!class_ || strcmp(class_, "edge") == 0);
}

// Every combination of {up, down, drained, down and drained, empty} over six sites, for every client: 15625 x 11, with and
// without weights, by each rule for unknown metros. The answer is in reach, and it is the truth table's of pick.h.
static void exhaustive(const uint32_t *weights)
{
	static const uint8_t states[] = {0, TARGET_DOWN, TARGET_DRAINED, TARGET_DRAINED | TARGET_DOWN, TARGET_EMPTY};
	struct world world;

	world_begin(&world, weights, 100000);
	for (unsigned combination = 0; combination < 15625; combination++) {
		for (unsigned i = 0, left = combination; i < WORLD_SITES; i++, left /= ARRAY_LEN(states))
			world.states->octets[i] = states[left % ARRAY_LEN(states)];
		for (size_t c = 0; c <= WORLD_CLIENTS; c++) {
			const char *prefix = c < WORLD_CLIENTS ? world_clients[c].prefix : "198.51.100.0/24";
			const char *carrier = c < WORLD_CLIENTS ? world_clients[c].carrier : NULL;
			const char *class_ = c < WORLD_CLIENTS ? world_clients[c].class_ : NULL;
			struct pick pick = world_ask(&world, prefix);
			unsigned healthy = 0, answerable = 0, undrained = 0, reachable = 0;

			for (int i = 0; i < WORLD_SITES; i++) {
				bool reach = may_reach(carrier, class_, i);

				reachable += reach;
				undrained += reach && !(world.states->octets[i] & TARGET_DRAINED);
				answerable += reach && !(world.states->octets[i] & (TARGET_DRAINED | TARGET_EMPTY));
				healthy += reach && world.states->octets[i] == 0;
			}

			enum pick_outcome expected = healthy ? PICK_HEALTHY : answerable ? PICK_FAIL_OPEN : undrained ? PICK_EMPTY
			                             : reachable ? PICK_DRAINED : PICK_UNREACHABLE;

			assert_int_equal(pick.outcome, expected);
			assert_int_equal(pick.target != NULL, answerable > 0);
			if (!pick.target)
				continue;
			assert_true(may_reach(carrier, class_, pick.target->site));
			assert_false(world.states->octets[pick.target_number] & (TARGET_DRAINED | TARGET_EMPTY));
			if (healthy)
				assert_int_equal(world.states->octets[pick.target_number], 0);
		}
	}
	world_end(&world);
}

static void test_reach_is_an_invariant(void **state)
{
	static const uint32_t weights[WORLD_SITES] = {1, 2, 3, 0, 5, 6};

	(void)state;
	for (world_metro = 0; world_metro < METRO_RULES; world_metro++) {
		exhaustive(NULL);
		exhaustive(weights);
	}
	world_metro = METRO_REGION;
}

// A world of carrier sites only: off the carrier nothing is reachable, whatever the state.
static void test_unreachable(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world, NULL, 0);
	world_steer(&world, &(struct ranking_spec){world_every_site, NULL, 2, 0, 24, 48, METRO_REGION}); // BOS and NYC
	for (int states = 0; states < 16; states++) {
		world.states->octets[0] = states & 3;
		world.states->octets[1] = (uint8_t)(states >> 2);
		assert_int_equal(world_ask(&world, "10.6.1.0/24").outcome, PICK_UNREACHABLE);
		assert_int_equal(world_ask(&world, "10.3.1.0/24").outcome, PICK_UNREACHABLE); // roaming
		assert_int_equal(world_ask(&world, "198.51.100.0/24").outcome, PICK_UNREACHABLE);
	}
	world_end(&world);
}

// ---- order ---------------------------------------------------------------------------------------------------------

static void test_order(void **state)
{
	(void)state;
	static const struct {
		const char *client;
		int order[WORLD_SITES];
		int count;
	} rows[] = {
		{"10.1.1.0/24", {BOS, NYC, OUT, USE1, EUC1}, 5},
		{"10.2.1.0/24", {NYC, OUT, BOS, USE1, EUC1}, 5},
		{"10.3.1.0/24", {OUT, USE1, EUC1}, 3},          // roaming: public sites only
		{"10.4.1.0/24", {OUT, USE1, EUC1, BOS, NYC}, 5}, // no coordinates: public first, as written
		{"10.5.1.0/24", {BER, EUC1, OUT, USE1}, 4},
		{"10.6.1.0/24", {EUC1, OUT, USE1}, 3},          // another carrier
		{"10.8.1.0/24", {NYC, BOS, OUT, USE1, EUC1}, 5}, // hinted
		{"10.9.1.0/24", {OUT, USE1, EUC1, BER}, 4},     // its hint is a site that it cannot reach
		{"198.51.100.0/24", {OUT, USE1, EUC1}, 3},
		{"2001:db8:1::/56", {BOS, NYC, OUT, USE1, EUC1}, 5},
	};
	struct world world;

	world_begin(&world, NULL, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int k = 0; k < rows[i].count; k++) { // each next one once those before it are drained
			int site = world_site(&world, rows[i].client);

			assert_int_equal(site, rows[i].order[k]);
			world.states->octets[site] = TARGET_DRAINED;
		}
		assert_int_equal(world_ask(&world, rows[i].client).outcome, PICK_DRAINED);
		memset(world.states->octets, 0, WORLD_SITES);
	}
	world_end(&world);
}

static void test_estimate(void **state)
{
	(void)state;
	struct world world;
	struct candidate candidates[WORLD_SITES];

	world_begin(&world, NULL, 0);
	world.sites[NYC].bias_us = -300;

	struct measured rows[] = {{0, world.carriers[BOS], EUC1, 90000}, {3, 0, USE1, 7000}};
	struct steer_input in = view_steer_input(&world.view);
	uint8_t depth;
	struct addr boston = {.family = ADDR_V4, .bytes = {10, 1}};
	struct place place = *places_lookup(world.view.places, &boston, &depth);

	in.measured = (struct measured_table){rows, 2};
	place.measured = 3;
	assert_int_equal(ranking_candidates(&in, &world.app.steer->spec, &place, candidates), 5);
	for (int i = 0; i < 5; i++) {
		int site = candidates[i].slot;

		if (site == USE1) { // its group's row
			assert_int_equal(i, 0);
			assert_int_equal(candidates[i].cost.basis, COST_MEASURED);
			assert_int_equal(candidates[i].cost.us, 7000);
		} else if (site == EUC1) { // the carrier's row
			assert_int_equal(candidates[i].cost.basis, COST_MEASURED);
			assert_int_equal(candidates[i].cost.us, 90000);
		} else {
			double km = cost_distance_km(42.3, -71.0, world_sites[site].latitude, world_sites[site].longitude);

			assert_int_equal(candidates[i].cost.basis, COST_DISTANCE);
			assert_int_equal(candidates[i].cost.us, llround(world_model.access_us[world_sites[site].kind] + km * 20) +
			                                        (site == NYC ? -300 : 0));
		}
	}
	assert_int_equal(candidates[5].cost.basis, COST_UNREACHABLE);
	// Boston to New York, to a kilometre: 306 by any great-circle calculator.
	assert_int_equal(lround(cost_distance_km(42.360, -71.058, 40.713, -74.006)), 306);
	assert_int_equal(lround(cost_distance_km(0, 0, 0, 180)), 20015);
	world_end(&world);
}

// ---- scope ---------------------------------------------------------------------------------------------------------

static void test_scope(void **state)
{
	(void)state;
	static const struct {
		const char *client;
		int scope;
	} rows[] = {
		{"10.1.1.0/24", 16}, {"10.2.1.1/32", 16}, {"10.3.0.0/16", 16}, {"10.8.1.0/24", 16},
		{"10.0.1.0/24", 16}, {"0.0.0.0/0", 0},    {"9.1.1.0/24", 7},   {"198.51.100.0/24", 1},
		{"10.64.0.0/16", 10}, {"2001:db8:1::/56", 48}, {"4000::/16", 2},
	};
	struct world world;

	world_begin(&world, NULL, 0);
	for (unsigned round = 0; round < 2; round++) { // the scope does not move with health
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			assert_int_equal(world_scope(&world, rows[i].client), rows[i].scope);
		memset(world.states->octets, TARGET_DRAINED | TARGET_DOWN, WORLD_SITES);
	}
	world_end(&world);
}

// ---- RFC 7871 section 11.3 -----------------------------------------------------------------------------------------

static void test_ecs_ignored(void **state)
{
	(void)state;
	struct world world;
	struct place_builder *builder = place_builder_new(200);
	struct place_facts nothing = {.latitude = NAN, .ecs_ignored = true};
	struct place_facts verizon = {.carrier = "verizon", .carrier_len = 7, .latitude = 42.3, .longitude = -71.0};

	world_begin(&world, NULL, 0);
	assert_int_equal(place_source_begin(builder, "ecs-ignore"), E_OK);
	world_add_prefix(builder, "127.0.0.0/8", &nothing);
	assert_int_equal(place_source_end(builder), E_OK);
	assert_int_equal(place_source_begin(builder, "ranges"), E_OK);
	world_add_prefix(builder, "192.0.2.0/24", &verizon);
	world_add_prefix(builder, "127.7.0.0/16", &verizon);
	assert_int_equal(place_source_end(builder), E_OK);
	places_free(world.view.places);
	assert_int_equal(place_finish(builder, &world.view.places), E_OK);
	place_builder_free(builder);
	world_number_carriers(&world);

	world_steer(&world, &(struct ranking_spec){world_every_site, NULL, WORLD_SITES, 0, 24, 48, METRO_REGION});

	struct pick pick = world_ask(&world, "127.0.0.0/24"); // world_ask() comes from 192.0.2.1

	assert_int_equal(pick.target->site, BOS);
	assert_int_equal(world_where.scope, 14); // 127.0.0.0/14, up to what is known inside
	assert_int_equal(world_ask(&world, "127.7.1.0/24").target->site, BOS); // the sender's, not its own
	assert_int_equal(world_scope(&world, "127.7.1.0/24"), 16);

	struct addr sender = {.family = ADDR_V4, .bytes = {127, 7, 1, 1}}, stranger = {.family = ADDR_V4, .bytes = {127, 1}};

	assert_int_equal(world_ask_by(&world, NULL, &sender).target->site, BOS); // it has its place still
	assert_int_equal(world_ask_by(&world, NULL, &stranger).target->site, OUT);
	assert_int_equal(world_scope(&world, "126.0.0.0/24"), 8); // its neighbour's cell does not overlap
	assert_int_equal(world_ask(&world, "126.0.0.0/24").target->site, OUT);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reach_table),
		cmocka_unit_test(test_reach_is_an_invariant),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_estimate),
		cmocka_unit_test(test_scope),
		cmocka_unit_test(test_ecs_ignored),
	};
	int failed = 0;

	for (world_own_tables = 0; world_own_tables <= 1; world_own_tables++)
		failed += cmocka_run_group_tests(tests, NULL, NULL);
	return failed;
}
