// Exploration: a share of the blocks begin with their second best site, or have none where they had one; depths, reach and all the others stay. In the whole
// overlay, of random facts.
#include "view/explore.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/hash.h"
#include "smallworld.h"
#include "view/learned.h"

static uint64_t seed;

static uint32_t below(uint32_t limit)
{
	return (uint32_t)(hash_mix(++seed) % limit);
}

static struct learned_fact random_fact(void)
{
	struct learned_fact fact = {.prefix = {{.family = ADDR_V4, .bytes = {10, 1, (uint8_t)below(256)}}, 24}};

	if (below(3) == 0)
		fact.prefix = (struct prefix){{.family = ADDR_V6, .bytes = {0x20, 1, 0x0d, 0xb8, 0, 1, (uint8_t)below(4), (uint8_t)below(256)}}, 64};
	fact.sites[0] = (uint16_t)below(2);
	fact.sites[1] = (uint16_t)(1 - fact.sites[0]);
	fact.sites[2] = USE1;
	fact.site_count = (uint8_t)(1 + below(3));
	return fact;
}

static struct addr random_client(void)
{
	struct addr addr = {.family = ADDR_V4, .bytes = {10, 1, (uint8_t)below(256), (uint8_t)below(256)}};

	if (below(3) == 0)
		addr = (struct addr){.family = ADDR_V6, .bytes = {0x20, 1, 0x0d, 0xb8, 0, 1, (uint8_t)below(4), (uint8_t)below(256), 9}};
	return addr;
}

static void test_overlay(void **state)
{
	enum { FACTS = 200, CLIENTS = 2000, ROUNDS = 20 };
	unsigned explored = 0, could = 0;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		static struct learned_fact facts[FACTS];
		struct learned *before, *after, *again;
		struct world world;

		world_begin(&world, NULL, 0);
		for (unsigned i = 0; i < FACTS; i++)
			facts[i] = random_fact();
		world_learn(&world, facts, FACTS); // makes the tables that the overlays are for
		struct tables *tables = world.live.learned->tables;

		const struct explore explore = {EXPLORE_ALL / 5, round};

		assert_int_equal(learned_build(tables, facts, FACTS, (struct explore){0}, &before), E_OK);
		assert_int_equal(learned_build(tables, facts, FACTS, explore, &after), E_OK);
		assert_int_equal(learned_explore(before, explore, &again), E_OK);
		for (unsigned i = 0; i < CLIENTS; i++) {
			struct addr client = random_client();
			struct lpm_hit was = learned_lookup(before, &client), is = learned_lookup(after, &client);
			const struct learned_row *old = learned_row_of(before, was), *new = learned_row_of(after, is);

			assert_int_equal(was.depth, is.depth);
			assert_int_equal(is.value, learned_lookup(again, &client).value);
			assert_int_equal(!old, !new);
			if (!old)
				continue;
			assert_int_equal(old->carrier, new->carrier);
			could++;
			if (memcmp(old, new, sizeof(*old)) == 0)
				continue;
			explored++;
			assert_int_equal(new->site_count, old->site_count == 1 ? 0 : old->site_count);
			if (old->site_count == 1)
				continue;
			assert_int_equal(old->sites[0], new->sites[1]);
			assert_int_equal(old->sites[1], new->sites[0]);
			if (old->site_count > 2)
				assert_int_equal(old->sites[2], new->sites[2]);
		}
		learned_free(before);
		learned_free(after);
		learned_free(again);
		world_end(&world);
	}
	assert_true(explored > could / 8 && explored < could / 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overlay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
