// Health that differs by carrier: a client gets what it would get if its carrier's states were everybody's, and everybody in
// the cell of its answer gets the same.
#include "view/columns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "smallworld.h"

enum { TURNS = 2000, CARRIERS = 2, CELL_TRIES = 8 };

static void test_set(void **unused)
{
	struct columns *columns = columns_new(1000);

	(void)unused;
	assert_non_null(columns);
	for (uint32_t target = 0; target < 1000; target++)
		columns_add(columns, target * 7, (uint16_t)(target % 5 + 1));
	for (uint32_t target = 0; target < 7000; target++)
		for (uint16_t carrier = 0; carrier < 8; carrier++)
			assert_int_equal(columns_differ(columns, target, carrier), target % 7 == 0 && carrier == target / 7 % 5 + 1);
	free(columns);
	columns = columns_new(0);
	assert_non_null(columns);
	assert_false(columns_differ(columns, 0, 1));
	free(columns);
}

// Which carrier's vantages count for the client.
static uint16_t carrier_of(const struct world *world, const char *client)
{
	struct prefix prefix;
	uint8_t depth;
	const struct place *place;

	assert_int_equal(prefix_parse(client, &prefix, NULL), E_OK);
	place = places_lookup(world->view.places, &prefix.addr, &depth);
	return place_carrier(world->view.places, place);
}

// Somebody else in the cell that the last answer, `pick`, holds for.
static void check_cell(struct world *world, const char *client, const struct pick *pick, uint8_t scope)
{
	struct addr nobody = {.family = ADDR_V4, .bytes = {192, 0, 2, 1}};
	struct prefix prefix;

	assert_int_equal(prefix_parse(client, &prefix, NULL), E_OK);
	for (int i = 0; i < CELL_TRIES; i++) {
		struct addr other = prefix.addr;

		for (unsigned bit = scope; bit < addr_bits(other.family); bit++)
			if (rand() % 2)
				other.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);

		struct query_ecs ecs = {true, other.family == ADDR_V4 ? 1 : 2, (uint8_t)addr_bits(other.family), 0, other};
		struct pick there = world_ask_by(world, &ecs, &nobody);

		assert_int_equal(there.outcome, pick->outcome);
		assert_ptr_equal(there.target, pick->target);
	}
}

// Whether some target is another for one of the carriers.
static bool may_differ(const struct columns *columns, uint32_t carriers)
{
	for (uint32_t i = 0; i < WORLD_SITES; i++)
		for (uint16_t carrier = 1; carrier <= CARRIERS; carrier++)
			if (place_carrier_bit(carrier) & carriers && columns_differ(columns, i, carrier))
				return true;
	return false;
}

static void check_client(struct world *world, const bool down[WORLD_SITES], const struct columns *columns, const char *client)
{
	uint16_t carrier = carrier_of(world, client);
	struct pick pick = world_ask(world, client), plain;
	uint8_t octets[WORLD_SITES], scope = world_where.scope;

	check_cell(world, client, &pick, scope);
	memcpy(octets, world->states->octets, WORLD_SITES);
	for (uint32_t i = 0; i < WORLD_SITES; i++)
		world->states->octets[i] = down[i] != columns_differ(columns, i, carrier) ? TARGET_DOWN : 0;
	plain = world_ask(world, client);
	memcpy(world->states->octets, octets, WORLD_SITES);
	assert_int_equal(pick.outcome, plain.outcome);
	assert_ptr_equal(pick.target, plain.target);
	assert_true(scope >= world_where.scope);
	// Where none of the block's clients is of a carrier that differs, the block stays whole.
	if (!may_differ(columns, world_where.hit.order->carriers))
		assert_int_equal(scope, world_where.scope);
}

// With public sites alone nothing but health tells carriers' clients apart: blocks of several places are one to the table.
static void begin(struct world *world, bool public_only)
{
	static const uint16_t sites[] = {OUT, USE1, EUC1};
	const struct ranking_spec spec = {sites, NULL, ARRAY_LEN(sites), 0, 24, 48, world_metro};

	world_begin(world, NULL, 0);
	if (!public_only)
		return;
	world_steer(world, &spec);
	for (size_t i = 0; i < ARRAY_LEN(sites); i++)
		world->targets[i].site = sites[i];
}

static void check_world(bool public_only)
{
	struct world world;

	srand(1);
	begin(&world, public_only);
	for (int turn = 0; turn < TURNS; turn++) {
		struct columns *columns = columns_new(WORLD_SITES * CARRIERS);
		bool down[WORLD_SITES];

		assert_non_null(columns);
		for (uint32_t i = 0; i < WORLD_SITES; i++) {
			down[i] = rand() % 3 == 0;
			world.states->octets[i] = down[i] ? TARGET_DOWN : 0;
			for (uint16_t carrier = 1; carrier <= CARRIERS; carrier++)
				if (rand() % 4 == 0) {
					columns_add(columns, i, carrier);
					world.states->octets[i] |= TARGET_BY_CARRIER;
				}
		}
		world.live.columns = columns;
		for (int i = 0; i < WORLD_CLIENTS; i++)
			check_client(&world, down, columns, world_clients[i].prefix);
		free(columns);
	}
	world_end(&world);
}

static void test_clients(void **unused)
{
	(void)unused;
	check_world(false);
	check_world(true);
}

// A carrier that some (`wanted`) or none of the set's clients have; 0: none of the three.
static uint16_t find_carrier(uint32_t carriers, bool wanted)
{
	for (uint16_t carrier = 1; carrier <= 3; carrier++)
		if (wanted == ((carriers & place_carrier_bit(carrier)) != 0))
			return carrier;
	return 0;
}

// The first target differs for a carrier that is not the block's, and another for the block's own: nobody comes to the latter, so
// the block stays whole.
static void check_others(struct world *world, const char *client)
{
	struct pick plain = world_ask(world, client);
	uint32_t carriers = world_where.hit.order->carriers, other = (plain.target_number + 1) % WORLD_SITES;
	uint16_t own = find_carrier(carriers, true), others = find_carrier(carriers, false);
	uint8_t scope = world_where.scope;
	struct columns *columns;

	if (plain.outcome != PICK_HEALTHY || own == 0 || others == 0)
		return;
	columns = columns_new(2);
	assert_non_null(columns);
	columns_add(columns, plain.target_number, others);
	columns_add(columns, other, own);
	world->states->octets[plain.target_number] = world->states->octets[other] = TARGET_BY_CARRIER;
	world->live.columns = columns;

	struct pick pick = world_ask(world, client);

	assert_int_equal(pick.outcome, PICK_HEALTHY);
	if (world_own_tables) // else other targets may be looked at first, in the order of the config
		assert_int_equal(world_where.scope, scope);
	assert_ptr_equal(pick.target, plain.target);
	world->states->octets[plain.target_number] = world->states->octets[other] = 0;
	world->live.columns = NULL;
	free(columns);
}

static void test_others(void **unused)
{
	struct world world;

	(void)unused;
	for (int public_only = 0; public_only <= 1; public_only++) {
		begin(&world, public_only);
		for (int i = 0; i < WORLD_CLIENTS; i++)
			check_others(&world, world_clients[i].prefix);
		world_end(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_set), cmocka_unit_test(test_clients), cmocka_unit_test(test_others)};
	int failed = 0;

	for (world_own_tables = 0; world_own_tables <= 1; world_own_tables++)
		failed += cmocka_run_group_tests(tests, NULL, NULL);
	return failed;
}
