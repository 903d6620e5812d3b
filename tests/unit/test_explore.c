// Exploration: a share of the blocks begin with their second best site, or have none where they had one; depths, reach and all the others stay. In the whole
// overlay, random facts, and in the tables alone.
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
#include "steer/ptree.h"
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

		assert_int_equal(learned_build(tables, facts, FACTS, &before), E_OK);
		assert_int_equal(learned_build(tables, facts, FACTS, &after), E_OK);
		assert_int_equal(learned_build(tables, facts, FACTS, &again), E_OK);
		assert_int_equal(explore_some(after, EXPLORE_ALL / 5, round), E_OK);
		assert_int_equal(explore_some(again, EXPLORE_ALL / 5, round), E_OK);
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

struct changed {
	const struct lpm *before;
	unsigned wrong;
};

static uint32_t other(void *ctx, struct addr_key key, uint8_t depth, uint32_t value)
{
	struct changed *changed = ctx;
	struct lpm_hit hit = lpm_lookup(changed->before, key);

	// The first address of its block, whose bits past the depth are zero.
	changed->wrong += hit.value != value || hit.depth != depth;
	changed->wrong += (depth < 64 && (key.hi << depth || key.lo)) || (depth > 64 && depth < 128 && key.lo << (depth - 64));
	return value + 1000;
}

// All leaves of random trees get another value, but those that turn off from a path; no depth changes.
static void test_tables(void **state)
{
	enum { ENTRIES = 300, KEYS = 3000 };

	(void)state;
	for (unsigned round = 0; round < 40; round++) {
		static struct ptree_entry entries[ENTRIES];
		struct ptree *tree;
		struct lpm before, after;
		struct changed changes = {&before, 0};
		unsigned changed = 0;

		for (unsigned i = 0; i < ENTRIES; i++) {
			uint8_t len = (uint8_t)(1 + below(round % 2 ? 32 : 128));
			uint64_t hi = hash_mix(++seed) & (UINT64_C(0xff0f0000000000ff)), lo = hash_mix(++seed) & UINT64_C(0xf00000000000000f);

			entries[i] = (struct ptree_entry){len < 64 ? hi & ~(~UINT64_C(0) >> len) : hi,
			                                  len <= 64 ? 0 : len == 128 ? lo : lo & ~(~UINT64_C(0) >> (len - 64)), 1 + below(5), len};
		}
		assert_int_equal(ptree_build(entries, ENTRIES, &tree), E_OK);
		assert_int_equal((round % 4 < 2 ? lpm_freeze : lpm_freeze_wide)(tree, &before), E_OK);
		assert_int_equal((round % 4 < 2 ? lpm_freeze : lpm_freeze_wide)(tree, &after), E_OK);
		lpm_change(&after, other, &changes);
		assert_int_equal(changes.wrong, 0);
		for (unsigned i = 0; i < KEYS; i++) {
			const struct ptree_entry *near = &entries[below(ENTRIES)];
			struct addr_key key = {near->hi | (below(2) ? hash_mix(++seed) >> (1 + below(60)) : 0), near->lo};
			struct lpm_hit was = lpm_lookup(&before, key), is = lpm_lookup(&after, key);

			assert_int_equal(was.depth, is.depth);
			assert_true(is.value == was.value + 1000 || is.value == was.value);
			changed += is.value != was.value;
		}
		assert_true(changed > KEYS / 2);
		lpm_wipe(&before);
		lpm_wipe(&after);
		ptree_free(tree);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overlay),
		cmocka_unit_test(test_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
