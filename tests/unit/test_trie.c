// Tries that change a little at a time, against tables built from nothing after each of thousands of changes: values and
// depths, at random addresses and at the edges of what has changed, in all versions that are still there, whatever order they
// are left in; marks; that what was given up is used again; and readers on threads of their own.
#include "steer/trie.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/publish.h"
#include "steer/ptree.h"
#include "steer/wordpool.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { SLOWER = 4 };
#else
enum { SLOWER = 1 };
#endif

enum { BLOCKS_MAX = 24, VALUES = 5, KEPT = 6, ROUNDS = 4000 / SLOWER, KEYS = 40 };

static uint64_t seed;

static uint64_t rng(void)
{
	return hash_mix(++seed);
}

static struct addr_key cut(struct addr_key key, unsigned len)
{
	key.hi = len == 0 ? 0 : len >= 64 ? key.hi : key.hi & ~(~UINT64_C(0) >> len);
	key.lo = len <= 64 ? 0 : len == 128 ? key.lo : key.lo & ~(~UINT64_C(0) >> (len - 64));
	return key;
}

static bool is_same(struct addr_key a, struct addr_key b)
{
	return a.hi == b.hi && a.lo == b.lo;
}

static struct addr_key key_of(const struct ptree_entry *block)
{
	return (struct addr_key){block->hi, block->lo};
}

// In a part of the space that is small enough for blocks to meet.
static struct addr_key random_key(unsigned bits)
{
	uint64_t dense = rng() % 3 ? UINT64_C(0x0103070000000000) : ~UINT64_C(0);
	struct addr_key key = {rng() & (rng() % 8 ? dense | 0xf : ~UINT64_C(0)), rng() & (rng() % 3 ? 0xf00000000000000f : ~UINT64_C(0))};

	return bits == 32 ? (struct addr_key){key.hi >> 32 << 32, 0} : key;
}

static unsigned random_len(unsigned bits)
{
	static const uint8_t v4[] = {24, 24, 24, 24, 24, 24, 32, 23, 16, 18, 9, 30}, v6[] = {48, 48, 48, 48, 64, 128, 56, 47, 32, 20};

	if (rng() % 50 == 0)
		return (unsigned)(rng() % (bits + 1));
	return bits == 32 ? v4[rng() % ARRAY_LEN(v4)] : v6[rng() % ARRAY_LEN(v6)];
}

static int compare(const void *a, const void *b)
{
	const struct ptree_entry *x = a, *y = b;

	return x->hi != y->hi ? (x->hi > y->hi) - (x->hi < y->hi) : x->lo != y->lo ? (x->lo > y->lo) - (x->lo < y->lo)
	                                                                        : (int)x->len - (int)y->len;
}

// In order, and none within another.
static size_t random_blocks(struct ptree_entry *blocks, unsigned bits, const struct ptree_entry *last, size_t last_count)
{
	size_t count = 1 + rng() % (rng() % 4 ? 3 : BLOCKS_MAX), used = 0;

	if (rng() % 150 == 0) { // from nothing again
		blocks[0] = (struct ptree_entry){0};
		return 1;
	}
	for (size_t i = 0; i < count; i++) {
		unsigned len = random_len(bits);
		struct addr_key key = random_key(bits);

		if (last_count > 0 && rng() % 3 == 0) { // one of the last change again, or its neighbour
			const struct ptree_entry *again = &last[rng() % last_count];

			len = again->len;
			key = key_of(again);
			if (len > 0 && rng() % 2) {
				key.hi ^= len <= 64 ? UINT64_C(1) << (64 - len) : 0;
				key.lo ^= len > 64 ? UINT64_C(1) << (128 - len) : 0;
			}
		}
		key = cut(key, len);
		blocks[i] = (struct ptree_entry){key.hi, key.lo, rng() % 3 ? 2 * (uint32_t)(rng() % VALUES) : 0, (uint8_t)len};
	}
	qsort(blocks, count, sizeof(*blocks), compare);
	for (size_t i = 0; i < count; i++)
		if (used == 0 || !is_same(cut(key_of(&blocks[i]), blocks[used - 1].len), key_of(&blocks[used - 1])))
			blocks[used++] = blocks[i];
	return used;
}

static uint32_t lay_over(void *ctx, uint32_t upper, uint32_t lower)
{
	(void)ctx;
	return upper ? upper - 1 : lower;
}

// The table with the blocks laid over it.
static struct ptree *with(struct ptree *table, const struct ptree_entry *blocks, size_t count)
{
	struct ptree_entry entries[BLOCKS_MAX];
	struct ptree *upper, *result;

	for (size_t i = 0; i < count; i++) {
		entries[i] = blocks[i];
		entries[i].value++;
	}
	assert_int_equal(ptree_build(entries, count, &upper), E_OK);
	assert_int_equal(ptree_overlay(upper, table, lay_over, NULL, &result), E_OK);
	ptree_free(upper);
	return result;
}

struct list {
	struct ptree_entry *blocks;
	size_t count, cap;
};

static void add_leaf(void *ctx, struct addr_key key, uint8_t depth, uint32_t value)
{
	struct list *list = ctx;

	if (list->count == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 64;
		list->blocks = reallocarray(list->blocks, list->cap, sizeof(*list->blocks));
		assert_non_null(list->blocks);
	}
	list->blocks[list->count++] = (struct ptree_entry){key.hi, key.lo, value, depth};
}

static bool is_drawn(const void *ctx, struct addr_key key, uint8_t depth)
{
	return hash_mix(*(const uint64_t *)ctx ^ hash_mix(key.hi ^ hash_mix(key.lo + depth))) % 4 == 0;
}

// A trie of the table in one change.
static void build(const struct ptree *table, const uint64_t *marks, struct trie *ret_trie)
{
	struct list list = {0};
	struct trie empty;

	ptree_walk(table, add_leaf, &list);
	assert_int_equal(trie_empty(&empty), E_OK);
	assert_int_equal(trie_change(&empty, &(struct trie_change){list.blocks, list.count, false, marks ? is_drawn : NULL, marks},
	                             ret_trie), E_OK);
	trie_wipe(&empty);
	free(list.blocks);
}

// ---- the property ---------------------------------------------------------------------------------------------------

struct version {
	struct trie trie;
	struct ptree *table;
	uint64_t marks;
};

static unsigned marked, markable;

static void check_key(const struct version *version, const struct trie *whole, struct addr_key key)
{
	struct lpm_hit hit = trie_lookup(&version->trie, key), again = whole ? trie_lookup(whole, key) : hit;
	uint8_t depth;
	uint32_t value = ptree_lookup(version->table, key, &depth);

	assert_int_equal(hit.value & ~1u, value);
	assert_int_equal(hit.depth, depth);
	assert_int_equal(again.value, hit.value); // with its mark
	assert_int_equal(again.depth, hit.depth);
	if (value && is_drawn(&version->marks, cut(key, depth), depth)) {
		markable++;
		marked += hit.value & 1;
	} else {
		assert_int_equal(hit.value & 1, 0);
	}
}

static void check_keys(const struct version *version, const struct trie *whole, unsigned bits,
                       const struct ptree_entry *blocks, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct addr_key first = key_of(&blocks[i]), before = first, rest = cut((struct addr_key){~UINT64_C(0), ~UINT64_C(0)}, blocks[i].len);

		rest = (struct addr_key){bits == 32 ? ~rest.hi >> 32 << 32 : ~rest.hi, bits == 32 ? 0 : ~rest.lo};
		before.hi -= bits == 32 ? UINT64_C(1) << 32 : before.lo == 0;
		before.lo -= bits == 32 ? 0 : 1;
		check_key(version, whole, first);
		check_key(version, whole, before);
		check_key(version, whole, (struct addr_key){first.hi | rest.hi, first.lo | rest.lo});
		check_key(version, whole, (struct addr_key){first.hi | (rest.hi & rng()), first.lo | (rest.lo & rng())});
	}
	for (unsigned i = 0; i < KEYS; i++)
		check_key(version, whole, random_key(bits));
}

// With one that is built from nothing, too.
static void check_whole(const struct version *version, unsigned bits, const struct ptree_entry *blocks, size_t count)
{
	struct trie whole;

	build(version->table, &version->marks, &whole);
	check_keys(version, &whole, bits, blocks, count);
	trie_wipe(&whole);
}

static void leave(struct version *version)
{
	trie_wipe(&version->trie);
	version->table = ptree_free(version->table);
}

// A few versions are kept; each round makes one from the latest.
static void check_family(unsigned bits)
{
	static const struct ptree_entry everything = {0};
	struct ptree_entry blocks[2][BLOCKS_MAX];
	struct version kept[KEPT] = {0};
	size_t counts[2] = {0}, latest = 0;

	assert_int_equal(trie_empty(&kept[0].trie), E_OK);
	assert_int_equal(ptree_build(NULL, 0, &kept[0].table), E_OK);
	for (unsigned round = 1; round <= ROUNDS; round++) {
		struct ptree_entry *now = blocks[round % 2];
		size_t count = random_blocks(now, bits, blocks[1 - round % 2], counts[1 - round % 2]), next = (latest + 1 + rng() % (KEPT - 1)) % KEPT;
		bool is_whole = rng() % 100 == 0;

		if (kept[next].table)
			leave(&kept[next]);
		kept[next].table = with(kept[latest].table, now, count);
		kept[next].marks = kept[latest].marks + is_whole;
		assert_int_equal(trie_change(&kept[latest].trie, &(struct trie_change){now, count, is_whole, is_drawn, &kept[next].marks},
		                             &kept[next].trie), E_OK);
		latest = next;
		counts[round % 2] = count;
		check_keys(&kept[latest], NULL, bits, now, count);
		if (round % 16 == 0)
			for (unsigned i = 0; i < KEPT; i++)
				if (kept[i].table)
					check_whole(&kept[i], bits, now, count);
	}
	for (unsigned i = 0; i < KEPT; i++)
		if (i != latest && kept[i].table)
			leave(&kept[i]);

	// Without all that was there, and without the earlier version, what is left is a page.
	struct trie last;

	assert_int_equal(trie_change(&kept[latest].trie, &(struct trie_change){&everything, 1, false, NULL, NULL}, &last), E_OK);
	leave(&kept[latest]);
	assert_int_equal(wordpool_taken(last.version), WORDPOOL_PAGE);
	assert_int_equal(trie_lookup(&last, (struct addr_key){0, 0}).depth, 0);
	trie_wipe(&last);
}

static void test_property(void **state)
{
	(void)state;
	marked = markable = 0;
	check_family(32);
	check_family(128);
	assert_true(marked > markable / 2);
}

// ---- what a change costs --------------------------------------------------------------------------------------------

// 100 of 100,000 prefixes, again and again: memory stays what it is, as what was given up is used again.
static void test_room(void **state)
{
	enum { PREFIXES = 100000 / SLOWER, CHANGED = 100, CHANGES = 300 };
	static struct ptree_entry blocks[CHANGED];
	struct list list = {0};
	struct ptree *table;
	struct trie trie, next;
	size_t bytes;

	(void)state;
	for (unsigned i = 0; i < PREFIXES; i++) {
		struct addr_key key = cut((struct addr_key){hash_mix(i), 0}, 24);

		add_leaf(&list, key, 24, 2 + 2 * (i % VALUES));
	}
	assert_int_equal(ptree_build(list.blocks, list.count, &table), E_OK);
	build(table, NULL, &trie);
	bytes = trie_bytes(&trie);
	for (unsigned round = 0; round < CHANGES; round++) {
		for (unsigned i = 0; i < CHANGED; i++) {
			blocks[i] = list.blocks[(uint64_t)i * list.count / CHANGED + rng() % (list.count / CHANGED)]; // in their order
			blocks[i].value = rng() % 4 ? 2 * (uint32_t)(rng() % VALUES) : 0;
		}
		assert_int_equal(trie_change(&trie, &(struct trie_change){blocks, CHANGED, false, NULL, NULL}, &next), E_OK);
		trie_wipe(&trie);
		trie = next;
	}
	assert_true(trie_bytes(&trie) < bytes + bytes / 4);
	assert_true(trie_bytes(&trie) < 6 << 20);
	trie_wipe(&trie);
	ptree_free(table);
	free(list.blocks);
}

// ---- readers --------------------------------------------------------------------------------------------------------

static struct published published;
static _Atomic bool is_to_stop;
static _Atomic unsigned wrong;

// Every version has one value in the blocks that are looked at: all of them, or none.
static void *read_versions(void *ctx)
{
	publish_register_reader();
	while (!is_to_stop) {
		uint32_t first = 0;

		publish_online();
		for (unsigned i = 0; i < 64; i++) {
			const struct trie *trie = publish_load(&published);

			first = trie_lookup(trie, (struct addr_key){UINT64_C(0x0a00000000000000), 0}).value;
			wrong += trie_lookup(trie, (struct addr_key){UINT64_C(0x0a00000000000000) | (uint64_t)i << 44, 0}).value != first;
		}
		publish_offline();
	}
	publish_unregister_reader();
	return ctx;
}

static void free_trie(void *trie)
{
	trie_wipe(trie);
	free(trie);
}

static void test_readers(void **state)
{
	enum { READERS = 2, CHANGES = 2000 / SLOWER };
	pthread_t threads[READERS];
	struct ptree_entry blocks[64];
	struct trie *trie = calloc(1, sizeof(*trie));

	(void)state;
	assert_non_null(trie);
	assert_int_equal(trie_empty(trie), E_OK);
	(void)!publish_swap(&published, trie);
	for (unsigned i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_versions, NULL), 0);
	for (unsigned round = 1; round <= CHANGES; round++) {
		struct trie *next = calloc(1, sizeof(*next));

		assert_non_null(next);
		for (unsigned i = 0; i < 64; i++) // not neighbours
			blocks[i] = (struct ptree_entry){UINT64_C(0x0a00000000000000) | (uint64_t)i << 44, 0, 2 * (round % 9), 24};
		assert_int_equal(trie_change(trie, &(struct trie_change){blocks, 64, false, NULL, NULL}, next), E_OK);
		publish_retire(publish_swap(&published, next), free_trie);
		trie = next;
	}
	is_to_stop = true;
	for (unsigned i = 0; i < READERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	publish_retire(publish_swap(&published, NULL), free_trie);
	publish_drain();
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_property),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
