// Overlays that are made one from another, against one that is made from nothing after each of thousands of changes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "lessons.h"

enum { CHANGES = 3000, CHANGED_MAX = 8, PREFIXES_MAX = 512 };

static struct addr random_client(void)
{
	struct addr addr = random_address();

	if (addr.family == ADDR_V6)
		addr.bytes[15] = (uint8_t)below(256);
	return addr;
}

// The facts that are known, each of another /24 or /48.
struct known {
	struct learned_fact list[PREFIXES_MAX];
	size_t count;
};

// Some that are known, gone or otherwise, and some that are not; `facts` has what has changed.
static size_t change_some(const struct world *world, struct known *known, struct learned_fact *facts)
{
	size_t count = 1 + below(CHANGED_MAX);

	for (size_t i = 0; i < count; i++) {
		struct lesson lesson = random_lesson();
		struct addr addr = random_address();
		size_t at = 0;

		lesson.prefix.len = addr.family == ADDR_V4 ? 24 : 48;
		lesson.prefix.addr = addr_cut(&addr, lesson.prefix.len);
		if (known->count > 0 && below(3) == 0)
			lesson.prefix = known->list[below((uint32_t)known->count)].prefix;
		if (below(4) == 0) // gone
			lesson = (struct lesson){.prefix = lesson.prefix};
		facts[i] = fact_of(world, &lesson);
		while (at < known->count && !addr_equal(&known->list[at].prefix.addr, &lesson.prefix.addr))
			at++;
		if (!lesson.carrier && !lesson.class_ && lesson.site_count == 0) {
			if (at < known->count)
				known->list[at] = known->list[--known->count];
			continue;
		}
		known->list[at] = facts[i];
		known->count += at == known->count;
		assert_true(known->count < PREFIXES_MAX);
	}
	return count;
}

static void flip(struct addr *addr, unsigned bit)
{
	addr->bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
}

static void check_same(const struct learned *changed, const struct learned *whole, const struct addr *client)
{
	struct lpm_hit is = learned_lookup(changed, client), should = learned_lookup(whole, client);
	const struct learned_row *row = learned_row_of(changed, is), *expected = learned_row_of(whole, should);

	assert_int_equal(is.depth, should.depth);
	assert_int_equal(!row, !expected);
	if (row)
		assert_memory_equal(row, expected, sizeof(*row));
}

static void add_carrier(void *ctx, const struct learned_row *row)
{
	*(uint64_t *)ctx |= UINT64_C(1) << row->carrier % 64;
}

// A bit for each carrier that some row has: rows that hold nowhere any more do not count.
static uint64_t carriers_of(const struct learned *learned)
{
	uint64_t bits = 0;

	learned_each_row(learned, add_carrier, &bits);
	return bits;
}

// At random, and at both ends of what has changed and beside it.
static void check_all(const struct learned *changed, const struct learned *whole, const struct learned_fact *facts, size_t count)
{
	for (unsigned i = 0; i < 30; i++) {
		struct addr client = random_client();

		check_same(changed, whole, &client);
	}
	for (size_t i = 0; i < count; i++) {
		struct addr first = facts[i].prefix.addr, last = first, beside = first;

		for (unsigned bit = facts[i].prefix.len; bit < addr_bits(last.family); bit++)
			flip(&last, bit);
		flip(&beside, facts[i].prefix.len - 1u);
		check_same(changed, whole, &first);
		check_same(changed, whole, &last);
		check_same(changed, whole, &beside);
	}
	assert_int_equal(learned_is_empty(changed), learned_is_empty(whole));
	assert_int_equal(carriers_of(changed), carriers_of(whole));
}

// Overlays that are made one from another answer as one that is made from nothing, at each of thousands of changes, with others
// that explore now and then; the earlier one stays as it was.
static void test_changes(void **state)
{
	struct known *known = calloc(1, sizeof(*known));
	struct learned *learned, *before, *next, *whole;
	struct learned_fact facts[CHANGED_MAX];
	struct explore explore = {0};
	struct world world;
	unsigned stale = 0;

	(void)state;
	assert_non_null(known);
	world_begin(&world, NULL, 0);
	world_learn(&world, facts, 0);
	assert_int_equal(learned_build(&world.tables, NULL, 0, explore, &learned), E_OK);
	assert_true(learned_is_empty(learned));
	before = learned_use(learned);
	for (unsigned round = 0; round < CHANGES; round++) {
		struct addr client = random_client();
		struct lpm_hit was = learned_lookup(before, &client);
		size_t count = change_some(&world, known, facts);

		if (round % 500 == 0) {
			explore = (struct explore){round % 1000 ? EXPLORE_ALL / 5 : 0, round};
			assert_int_equal(learned_explore(learned, explore, &next), E_OK);
			learned_free(learned);
			learned = next;
		}
		assert_int_equal(learned_change(learned, facts, count, &next), E_OK);
		assert_int_equal(learned_lookup(before, &client).value, was.value);
		assert_int_equal(learned_lookup(before, &client).depth, was.depth);
		learned_free(before);
		before = learned;
		learned = next;
		assert_int_equal(learned_build(&world.tables, known->list, known->count, explore, &whole), E_OK);
		check_all(learned, whole, facts, count);
		learned_free(whole);
	}

	// Rows that nobody needs any more do not gather for ever.
	for (unsigned round = 0; stale == 0 && round < 4000; round++) {
		struct learned_fact fact = {.prefix = {{.family = ADDR_V4, .bytes = {10, 1, 1}}, 24}, .has_carrier = true, .site_count = 1,
		                            .carrier = (uint16_t)(round + 9)};

		fact.sites[0] = USE1;
		if (learned_change(learned, &fact, 1, &next) == E_OK) {
			learned_free(learned);
			learned = next;
		} else {
			stale = round;
		}
	}
	assert_in_range(stale, 100, 3000);
	learned_free(before);
	learned_free(learned);
	free(known);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
