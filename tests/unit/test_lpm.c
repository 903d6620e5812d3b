// ptree and lpm against a linear scan: values and depths, on random nested tables of both families.
#include "steer/lpm.h"
#include "steer/ptree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static uint64_t rng_state = 42;

static uint64_t rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state;
}

static struct addr_key cut(struct addr_key key, unsigned len)
{
	key.hi = len == 0 ? 0 : len >= 64 ? key.hi : key.hi & ~(~UINT64_C(0) >> len);
	key.lo = len <= 64 ? 0 : len == 128 ? key.lo : key.lo & ~(~UINT64_C(0) >> (len - 64));
	return key;
}

static int same(struct addr_key a, struct addr_key b)
{
	return a.hi == b.hi && a.lo == b.lo;
}

// Oracle: the longest prefix that contains the key; of equal ones the one given last.
static uint32_t scan(const struct ptree_entry *entries, size_t count, struct addr_key key)
{
	int best_len = -1;
	uint32_t value = 0;

	for (size_t i = 0; i < count; i++)
		if (entries[i].len >= best_len && same(cut(key, entries[i].len), (struct addr_key){entries[i].hi, entries[i].lo})) {
			best_len = entries[i].len;
			value = entries[i].value;
		}
	return value;
}

// One thread does it all: ThreadSanitizer has nothing to see in more of it.
#if defined(__SANITIZE_THREAD__)
enum { SLOWER = 4 };
#else
enum { SLOWER = 1 };
#endif

// Oracle: is the whole block key/len of one value? Every prefix inside the block or around it is asked.
static int uniform(const struct ptree_entry *entries, size_t count, struct addr_key key, unsigned len)
{
	struct addr_key base = cut(key, len);
	uint32_t value = scan(entries, count, key);

	if (scan(entries, count, base) != value)
		return 0;
	for (size_t i = 0; i < count; i++) {
		struct addr_key first = {entries[i].hi, entries[i].lo};

		if (entries[i].len < len || !same(cut(first, len), base))
			continue;
		if (scan(entries, count, first) != value)
			return 0;

		// The address just past the prefix, when it is still in the block.
		struct addr_key past = first;

		if (entries[i].len == 0)
			continue;
		if (entries[i].len <= 64) {
			past.hi += UINT64_C(1) << (64 - entries[i].len);
			if (past.hi == 0)
				continue;
		} else {
			past.lo += UINT64_C(1) << (128 - entries[i].len);
			if (past.lo == 0 && ++past.hi == 0)
				continue;
		}
		if (same(cut(past, len), base) && scan(entries, count, past) != value)
			return 0;
	}
	return 1;
}

static unsigned widest(const struct ptree_entry *entries, size_t count, struct addr_key key, unsigned bits)
{
	unsigned len = bits;

	while (len > 0 && uniform(entries, count, key, len - 1))
		len--;
	return len;
}

// Nested on purpose: half of the prefixes are inside an earlier one.
static size_t random_table(struct ptree_entry *entries, size_t max, unsigned bits, unsigned values)
{
	size_t count = 1 + rng() % max;

	for (size_t i = 0; i < count; i++) {
		struct addr_key key = {rng(), bits > 64 ? rng() : 0};
		unsigned len = (unsigned)(rng() % (bits + 1));

		if (bits == 32)
			key.hi &= 0xffffffff00000000u;
		if (i > 0 && rng() % 2) {
			const struct ptree_entry *outer = &entries[rng() % i];
			struct addr_key outer_key = {outer->hi, outer->lo}, inside = key;
			struct addr_key mask = cut((struct addr_key){~UINT64_C(0), ~UINT64_C(0)}, outer->len);

			key.hi = outer_key.hi | (inside.hi & ~mask.hi);
			key.lo = outer_key.lo | (inside.lo & ~mask.lo);
			len = outer->len + (unsigned)(rng() % (bits - outer->len + 1));
			if (rng() % 4 == 0 && len > outer->len + 1u)
				len = outer->len + 1u;
		}
		key = cut(key, len);
		entries[i] = (struct ptree_entry){key.hi, key.lo, (uint32_t)(rng() % values), (uint8_t)len};
	}
	return count;
}

static struct addr_key random_key(const struct ptree_entry *entries, size_t count, unsigned bits)
{
	struct addr_key key = {rng(), bits > 64 ? rng() : 0};

	if (rng() % 2) { // near an edge of a prefix
		const struct ptree_entry *entry = &entries[rng() % count];
		unsigned at = entry->len ? entry->len - 1u : 0;

		key = (struct addr_key){entry->hi, entry->lo};
		if (rng() % 2) {
			if (at < 64)
				key.hi ^= UINT64_C(1) << (63 - at);
			else
				key.lo ^= UINT64_C(1) << (127 - at);
		}
	}
	if (bits == 32)
		key.hi &= 0xffffffff00000000u, key.lo = 0;
	return key;
}

static int freeze_empty(struct lpm *ret_lpm)
{
	struct ptree *tree;
	int err = ptree_build(NULL, 0, &tree);

	if (err == E_OK)
		err = lpm_freeze(tree, ret_lpm);
	ptree_free(tree);
	return err;
}

// Searches made together find what each finds alone, whatever tables they are in and however many they are.
static void assert_together(const struct lpm *const lpms[2], const struct ptree_entry *entries, size_t count, unsigned bits)
{
	for (unsigned n = 0; n <= LPM_SEARCHES_MAX; n++) {
		struct lpm_search searches[LPM_SEARCHES_MAX];
		struct lpm_hit alone[LPM_SEARCHES_MAX];

		for (unsigned i = 0; i < n; i++) {
			searches[i] = (struct lpm_search){.lpm = lpms[rng() % 2], .key = random_key(entries, count, bits)};
			alone[i] = lpm_lookup(searches[i].lpm, searches[i].key);
		}
		lpm_lookup_all(searches, n);
		for (unsigned i = 0; i < n; i++) {
			assert_int_equal(searches[i].hit.value, alone[i].value);
			assert_int_equal(searches[i].hit.depth, alone[i].depth);
		}
	}
}

static void against_linear_scan(unsigned bits)
{
	enum { MAX = 60 };
	struct ptree_entry original[MAX], sorted[MAX];
	struct lpm before; // the round before's

	assert_int_equal(freeze_empty(&before), E_OK);
	for (int round = 0; round < 400 / SLOWER; round++) {
		size_t count = random_table(original, MAX, bits, 1 + (unsigned)(rng() % 5));
		struct ptree *tree;
		struct lpm lpm;

		memcpy(sorted, original, sizeof(sorted));
		assert_int_equal(ptree_build(sorted, count, &tree), E_OK);
		assert_int_equal(lpm_freeze(tree, &lpm), E_OK);
		for (int i = 0; i < 60; i++) {
			struct addr_key key = random_key(original, count, bits);
			uint8_t depth;
			uint32_t value = ptree_lookup(tree, key, &depth);
			struct lpm_hit hit = lpm_lookup(&lpm, key);

			assert_int_equal(value, scan(original, count, key));
			assert_int_equal(depth, widest(original, count, key, bits));
			assert_int_equal(hit.value, value);
			assert_int_equal(hit.depth, depth);
		}
		assert_together((const struct lpm *const[]){&lpm, &before}, original, count, bits);
		lpm_wipe(&before);
		before = lpm;
		ptree_free(tree);
	}
	lpm_wipe(&before);
}

static void test_v4(void **state)
{
	(void)state;
	against_linear_scan(32);
}

static void test_v6(void **state)
{
	(void)state;
	against_linear_scan(128);
}

// Tables of every size the root's index takes, from its least bits to its most, hold what the tree holds: a routed
// network's mix of /8 to /32 and /48, values next to each other and the largest there can be.
static void test_sizes(void **state)
{
	(void)state;
	enum { MAX = 1 << 18, KEYS = 20000 };
	struct ptree_entry *entries = calloc(MAX, sizeof(*entries)), *sorted = calloc(MAX, sizeof(*sorted));
	unsigned least = 64, most = 0;

	assert_non_null(entries);
	assert_non_null(sorted);
	for (unsigned bits = 32; bits <= 128; bits += 96)
		for (size_t count = 1; count <= MAX; count *= 4) {
			struct ptree *tree;
			struct lpm lpm;

			for (size_t i = 0; i < count; i++) {
				unsigned len = bits == 32 ? 8 + (unsigned)(rng() % 25) : 20 + (unsigned)(rng() % 29);
				struct addr_key key = cut((struct addr_key){rng(), 0}, len);

				entries[i] = (struct ptree_entry){key.hi, key.lo, LPM_VALUE_MAX - (uint32_t)(rng() % 4), (uint8_t)len};
			}
			memcpy(sorted, entries, count * sizeof(*sorted));
			assert_int_equal(ptree_build(sorted, count, &tree), E_OK);
			assert_int_equal(lpm_freeze(tree, &lpm), E_OK);
			least = lpm.root_bits < least ? lpm.root_bits : least;
			most = lpm.root_bits > most ? lpm.root_bits : most;
			for (int i = 0; i < KEYS; i++) {
				struct addr_key key = random_key(entries, count, bits);
				uint8_t depth;
				uint32_t value = ptree_lookup(tree, key, &depth);
				struct lpm_hit hit = lpm_lookup(&lpm, key);

				assert_int_equal(hit.value, value);
				assert_int_equal(hit.depth, depth);
			}
			assert_together((const struct lpm *const[]){&lpm, &lpm}, entries, count, bits);
			lpm_wipe(&lpm);
			ptree_free(tree);
		}
	assert_int_equal(least, 6);
	assert_int_equal(most, 18);
	free(entries);
	free(sorted);
}

// RFC 7871 section 7.2.1, the example: 1.2.0/20 is A except 1.2.3/24, which is B.
static void test_rfc_example(void **state)
{
	(void)state;

	struct ptree_entry entries[] = {
		{0x0102000000000000, 0, 1, 20},
		{0x0102030000000000, 0, 2, 24},
	};
	static const struct {
		uint64_t hi;
		uint32_t value;
		uint8_t depth;
	} rows[] = {
		{0x0102000100000000, 1, 23}, {0x0102020100000000, 1, 24}, {0x0102030100000000, 2, 24},
		{0x0102040100000000, 1, 22}, {0x0102080100000000, 1, 21}, {0x0102100000000000, 0, 20},
		{0x8000000000000000, 0, 1},
	};
	struct ptree *tree;

	assert_int_equal(ptree_build(entries, 2, &tree), E_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t depth;

		assert_int_equal(ptree_lookup(tree, (struct addr_key){rows[i].hi, 0}, &depth), rows[i].value);
		assert_int_equal(depth, rows[i].depth);
	}
	ptree_free(tree);
}

static uint32_t combine(void *ctx, uint32_t upper, uint32_t lower)
{
	(void)ctx;
	return upper * 10 + lower;
}

static void test_overlay_and_remap(void **state)
{
	(void)state;
	enum { MAX = 40 };
	static const uint32_t map[] = {0, 1, 1, 0};
	struct ptree_entry a[MAX], b[MAX], sorted[MAX];

	for (int round = 0; round < 200 / SLOWER; round++) {
		size_t a_count = random_table(a, MAX, 32, 4), b_count = random_table(b, MAX, 32, 4);
		struct ptree *upper, *lower, *both, *mapped;

		memcpy(sorted, a, sizeof(a));
		assert_int_equal(ptree_build(sorted, a_count, &upper), E_OK);
		memcpy(sorted, b, sizeof(b));
		assert_int_equal(ptree_build(sorted, b_count, &lower), E_OK);
		assert_int_equal(ptree_overlay(upper, lower, combine, NULL, &both), E_OK);
		assert_int_equal(ptree_remap(upper, map, &mapped), E_OK);
		for (int i = 0; i < 60; i++) {
			struct addr_key key = random_key(i % 2 ? a : b, i % 2 ? a_count : b_count, 32);
			uint32_t of_a = scan(a, a_count, key), of_b = scan(b, b_count, key);
			uint8_t depth, depth_a;

			assert_int_equal(ptree_lookup(both, key, &depth), of_a * 10 + of_b);
			assert_int_equal(ptree_lookup(mapped, key, &depth), map[of_a]);
			ptree_lookup(upper, key, &depth_a);
			assert_true(depth <= depth_a); // merging can only widen
		}
		ptree_free(upper);
		ptree_free(lower);
		ptree_free(both);
		ptree_free(mapped);
	}
}

struct walked {
	const struct ptree *tree;
	struct addr_key next; // where the next leaf must start
	uint32_t value;       // of the leaf before
	size_t leaves;
	uint8_t within;       // the length of the block that is walked
};

static void on_leaf(void *ctx, struct addr_key key, uint8_t depth, uint32_t value)
{
	struct walked *walked = ctx;
	struct addr_key last = key;
	uint8_t found;

	assert_true(key.hi == walked->next.hi && key.lo == walked->next.lo);
	assert_int_equal(ptree_lookup(walked->tree, key, &found), value);
	assert_int_equal(found > walked->within ? found : walked->within, depth);
	for (unsigned bit = depth; bit < 128; bit++)
		if (bit < 64)
			last.hi |= UINT64_C(1) << (63 - bit);
		else
			last.lo |= UINT64_C(1) << (127 - bit);
	walked->next = (struct addr_key){last.hi + (last.lo == UINT64_MAX), last.lo + 1};
	walked->leaves++;
}

// A walk gives every address once, in order, in the leaf that a lookup finds.
static void test_walk(void **state)
{
	(void)state;
	enum { MAX = 60 };
	struct ptree_entry entries[MAX];

	for (int round = 0; round < 400 / SLOWER; round++) {
		struct walked walked = {0};
		struct ptree *tree;

		assert_int_equal(ptree_build(entries, random_table(entries, MAX, round % 2 ? 32 : 128, 3), &tree), E_OK);
		walked.tree = tree;
		ptree_walk(tree, on_leaf, &walked);
		assert_true(walked.next.hi == 0 && walked.next.lo == 0); // past the last address
		assert_true(walked.leaves > ptree_nodes(tree));
		ptree_free(tree);
	}
}

// Part of a table: its blocks, cut to the part, follow one another from its first address to its last.
static void test_walk_block(void **state)
{
	enum { MAX = 60 };

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct ptree_entry entries[MAX];
		size_t count = random_table(entries, MAX, round % 2 ? 32 : 128, 3);
		struct addr_key key = random_key(entries, count, round % 2 ? 32 : 128);
		uint8_t len = (uint8_t)(rng() % (round % 2 ? 33 : 129));
		struct walked walked = {.leaves = 0};
		struct ptree *tree;
		struct addr_key end;

		key.hi = len == 0 ? 0 : len < 64 ? key.hi >> (64 - len) << (64 - len) : key.hi;
		key.lo = len <= 64 ? 0 : key.lo >> (128 - len) << (128 - len);
		end.lo = key.lo + (len > 64 ? UINT64_C(1) << (128 - len) : 0);
		end.hi = key.hi + (len == 0 || len > 64 ? end.lo < key.lo : UINT64_C(1) << (64 - len));
		assert_int_equal(ptree_build(entries, count, &tree), E_OK);
		walked.tree = tree;
		walked.next = key;
		walked.within = len;
		ptree_walk_block(tree, key, len, on_leaf, &walked);
		assert_true(walked.next.hi == end.hi && walked.next.lo == end.lo);
		ptree_free(tree);
	}
}

// A wide index finds what the usual one finds.
static void test_wide(void **state)
{
	enum { MAX = 60 };

	(void)state;
	for (int round = 0; round < 20; round++) {
		struct ptree_entry entries[MAX];
		size_t count = random_table(entries, MAX, 32, 3);
		struct ptree *tree;
		struct lpm usual, wide;

		assert_int_equal(ptree_build(entries, count, &tree), E_OK);
		assert_int_equal(lpm_freeze(tree, &usual), E_OK);
		assert_int_equal(lpm_freeze_wide(tree, &wide), E_OK);
		assert_true(lpm_bytes(&wide) > lpm_bytes(&usual));
		for (int i = 0; i < 2000; i++) {
			struct addr_key key = random_key(entries, count, 32);
			struct lpm_hit a = lpm_lookup(&usual, key), b = lpm_lookup(&wide, key);

			assert_int_equal(a.value, b.value);
			assert_int_equal(a.depth, b.depth);
		}
		lpm_wipe(&usual);
		lpm_wipe(&wide);
		ptree_free(tree);
	}
}

// Scattered hosts: what is stored depends on how many prefixes there are, not on how long they are.
static void test_hosts(void **state)
{
	(void)state;
	enum { HOSTS = 20000 };
	struct ptree_entry *entries = calloc(HOSTS, sizeof(*entries));
	struct ptree *tree;
	struct lpm lpm;

	assert_non_null(entries);
	for (size_t i = 0; i < HOSTS; i++)
		entries[i] = (struct ptree_entry){0x20010db800000000 | rng() >> 32, rng() << 1, 1 + i % 3, 128};
	assert_int_equal(ptree_build(entries, HOSTS, &tree), E_OK);
	assert_int_equal(ptree_nodes(tree), 2 * HOSTS); // no two are neighbours
	assert_int_equal(lpm_freeze(tree, &lpm), E_OK);
	assert_in_range(lpm_bytes(&lpm), 0, 150 * HOSTS);
	for (size_t i = 0; i < HOSTS; i++)
		for (int bit = 0; bit < 128; bit += 1 + (int)(rng() % 8)) { // and a neighbour that leaves its path at any bit
			struct addr_key key = {entries[i].hi, entries[i].lo};
			struct lpm_hit hit = lpm_lookup(&lpm, key);
			uint8_t depth;

			assert_int_equal(hit.value, entries[i].value);
			assert_int_equal(hit.depth, 128);
			key.hi ^= bit < 64 ? UINT64_C(1) << (63 - bit) : 0;
			key.lo ^= bit < 64 ? 0 : UINT64_C(1) << (127 - bit);
			hit = lpm_lookup(&lpm, key);
			assert_int_equal(hit.value, ptree_lookup(tree, key, &depth));
			assert_int_equal(hit.depth, depth);
		}
	lpm_wipe(&lpm);
	ptree_free(tree);
	free(entries);
}

static void test_empty(void **state)
{
	(void)state;

	struct ptree *tree;
	struct lpm lpm;
	uint8_t depth = 9;

	assert_int_equal(ptree_build(NULL, 0, &tree), E_OK);
	assert_int_equal(ptree_lookup(tree, (struct addr_key){1, 2}, &depth), 0);
	assert_int_equal(depth, 0);
	assert_int_equal(freeze_empty(&lpm), E_OK);
	assert_int_equal(lpm_lookup(&lpm, (struct addr_key){1, 2}).value, 0);
	assert_int_equal(lpm_lookup(&lpm, (struct addr_key){1, 2}).depth, 0);
	lpm_wipe(&lpm);
	ptree_free(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v4),
		cmocka_unit_test(test_v6),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_rfc_example),
		cmocka_unit_test(test_overlay_and_remap),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_walk_block),
		cmocka_unit_test(test_wide),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
