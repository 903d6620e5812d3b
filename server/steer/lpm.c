// The frozen form of a prefix tree; see lpm.h. The first bits of an address index the root. Below it each node covers
// six bits (stride.h): `starts` has a bit for every slot where a run of equal references starts, followed by one reference
// per run, so that counting bits leads from a slot to its reference and most steps read one cache line. (Replacing a large
// array by a popcount is from Asai and Ohara, "Poptrie", SIGCOMM 2015.) A path past which all is one value, such as
// that to a lone /128, is one node.
#include "steer/lpm.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "steer/ptree.h"
#include "steer/stride.h"

enum {
	ROOT_BITS_MIN = 6,
	ROOT_BITS_MAX = 18, // one more node then reaches the /24s
	LINE_WORDS = CACHE_LINE / sizeof(uint32_t),
	WORDS_MAX = 0x7fffffff,
};

_Static_assert((int)LPM_VALUE_MAX == (int)STRIDE_VALUE_MAX, "a leaf's value leaves room for its depth");

void lpm_wipe(struct lpm *lpm)
{
	free(lpm->words);
	*lpm = (struct lpm){0};
}

size_t lpm_bytes(const struct lpm *lpm)
{
	return lpm->cap * sizeof(*lpm->words);
}

// Where STRIDE_BITS (for the root, root_bits) lead from a subtree.
struct slot {
	uint32_t subtree; // a ptree reference
	unsigned depth;   // of `subtree`
};

// A subtree whose node has yet to be made.
struct pending {
	struct slot slot;
	uint32_t at; // index in `words` of the reference to it
};

// Nodes are made breadth first, so that the top of the tree is close together in memory.
struct freezer {
	const struct ptree *tree;
	struct lpm *lpm;
	struct pending *queue;
	size_t first, count, cap; // of the queue
};

static int resize(struct lpm *lpm, size_t cap)
{
	size_t lines = (cap + LINE_WORDS - 1) / LINE_WORDS;
	uint32_t *words = cap <= WORDS_MAX ? aligned_alloc(CACHE_LINE, lines * CACHE_LINE) : NULL;

	if (!words)
		return E_NOMEM;
	must(lines * LINE_WORDS >= lpm->count);
	if (lpm->words)
		memcpy(words, lpm->words, lpm->count * sizeof(*words));
	free(lpm->words);
	lpm->words = words;
	lpm->cap = (uint32_t)(lines * LINE_WORDS);
	return E_OK;
}

// Takes `count` words, aligned to span as few cache lines as possible. E_NOMEM.
static int take(struct lpm *lpm, size_t count, uint32_t *ret_at)
{
	size_t at = lpm->count, lines = (count + LINE_WORDS - 1) / LINE_WORDS;

	must(lpm->count <= lpm->cap);
	if (at % LINE_WORDS + count > lines * LINE_WORDS)
		at += LINE_WORDS - at % LINE_WORDS;
	if (at + count > lpm->cap && resize(lpm, (at + count) + (at + count) / 2) < 0)
		return E_NOMEM;
	memset(lpm->words + lpm->count, 0, (at - lpm->count) * sizeof(*lpm->words));
	lpm->count = (uint32_t)(at + count);
	*ret_at = (uint32_t)at;
	return E_OK;
}

static void expand(const struct ptree *tree, struct slot slot, unsigned left, struct slot *slots)
{
	if (left == 0 || ptree_ref_is_leaf(slot.subtree)) {
		for (unsigned i = 0; i < 1u << left; i++)
			slots[i] = slot;
		return;
	}
	for (unsigned bit = 0; bit < 2; bit++)
		expand(tree, (struct slot){ptree_child(tree, slot.subtree, slot.depth, bit), slot.depth + 1}, left - 1,
		       slots + (bit << (left - 1)));
}

static bool is_same_run(const struct slot *a, const struct slot *b)
{
	return ptree_ref_is_leaf(a->subtree) && a->subtree == b->subtree && a->depth == b->depth;
}

// Writes the reference to what a slot leads to: now if that is a leaf, else when its node is made.
static int refer(struct freezer *f, const struct slot *slot, size_t at)
{
	must(at < f->lpm->count && slot->depth <= 128);
	if (ptree_ref_is_leaf(slot->subtree)) {
		must(ptree_ref_value(slot->subtree) <= LPM_VALUE_MAX);
		f->lpm->words[at] = stride_leaf(ptree_ref_value(slot->subtree), slot->depth);
		return E_OK;
	}
	if (f->count == f->cap) {
		size_t cap = f->cap ? f->cap * 2 : 1024;
		struct pending *queue = realloc(f->queue, cap * sizeof(*queue));

		if (!queue)
			return E_NOMEM;
		f->queue = queue;
		f->cap = cap;
	}
	f->queue[f->count++] = (struct pending){*slot, (uint32_t)at};
	return E_OK;
}

// About as many references as the tree has nodes, within limits: the nodes this saves are larger than the root it
// makes.
static unsigned choose_root_bits(const struct ptree *tree)
{
	unsigned bits = ROOT_BITS_MIN;

	while (bits < ROOT_BITS_MAX && ptree_nodes(tree) >> (bits + 1) > 0)
		bits++;
	return bits;
}

static int make_root(struct freezer *f, unsigned bits)
{
	size_t count = (size_t)1 << bits;
	struct slot *slots = calloc(count, sizeof(*slots));
	uint32_t at;
	int err = slots ? take(f->lpm, count, &at) : E_NOMEM;

	if (err == E_OK) {
		f->lpm->root_bits = bits;
		expand(f->tree, (struct slot){ptree_root(f->tree), 0}, bits, slots);
	}
	for (size_t i = 0; i < count && err == E_OK; i++)
		err = refer(f, &slots[i], at + i);
	free(slots);
	return err;
}

// Follows the only way down from a slot on which all that branches off is leaves of one value, up to STRIDE_PATH_BITS
// bits. Returns their number; fills in the bits, where they lead and that value.
static unsigned find_path(const struct ptree *tree, struct slot slot, uint64_t *ret_bits, struct slot *ret_end,
                          uint32_t *ret_outside)
{
	uint32_t outside = 0; // a leaf; 0 is none
	unsigned count = 0;

	*ret_bits = 0;
	for (; count < STRIDE_PATH_BITS && !ptree_ref_is_leaf(slot.subtree); count++) {
		uint32_t child[2] = {ptree_child(tree, slot.subtree, slot.depth, 0),
		                     ptree_child(tree, slot.subtree, slot.depth, 1)};

		if (count == 0)
			outside = ptree_ref_is_leaf(child[0]) ? child[0] : child[1];
		if (!ptree_ref_is_leaf(outside) || (child[0] != outside && child[1] != outside))
			break;

		uint64_t bit = child[0] == outside;

		*ret_bits |= bit << (63 - count);
		slot = (struct slot){child[bit], slot.depth + 1};
	}
	*ret_end = slot;
	*ret_outside = ptree_ref_value(outside);
	return count;
}

static int make_path(struct freezer *f, const struct pending *pending, unsigned count, uint64_t bits,
                     const struct slot *end, uint32_t outside)
{
	const struct stride_path path = {bits, count, pending->slot.depth, outside};
	uint32_t at;

	must(outside <= LPM_VALUE_MAX);
	if (take(f->lpm, STRIDE_PATH_WORDS, &at) < 0)
		return E_NOMEM;
	must(pending->at < at);
	f->lpm->words[pending->at] = at;
	stride_put_path(f->lpm->words + at, &path);
	return refer(f, end, at + STRIDE_PATH_WORDS - 1);
}

static int make_node(struct freezer *f, const struct pending *pending)
{
	struct slot slots[STRIDE_SLOTS];
	unsigned runs[STRIDE_SLOTS], count = 0; // where they start
	uint64_t starts = 0;
	uint32_t at;

	expand(f->tree, pending->slot, STRIDE_BITS, slots);
	for (unsigned i = 0; i < STRIDE_SLOTS; i++)
		if (i == 0 || !is_same_run(&slots[i - 1], &slots[i])) {
			starts |= UINT64_C(1) << i;
			runs[count++] = i;
		}
	if (take(f->lpm, STRIDE_HEAD + count, &at) < 0)
		return E_NOMEM;
	must(pending->at < at); // parents come before their children
	f->lpm->words[pending->at] = at;
	memcpy(f->lpm->words + at, &starts, sizeof(starts));
	for (unsigned i = 0; i < count; i++)
		if (refer(f, &slots[runs[i]], at + STRIDE_HEAD + i) < 0)
			return E_NOMEM;
	return E_OK;
}

static int freeze(const struct ptree *tree, unsigned root_bits, struct lpm *ret_lpm)
{
	struct freezer f = {.tree = tree, .lpm = ret_lpm};
	int err;

	*ret_lpm = (struct lpm){0};
	err = make_root(&f, root_bits);
	while (err == E_OK && f.first < f.count) {
		struct pending pending = f.queue[f.first++]; // a copy: the queue moves when it grows
		struct slot end;
		uint64_t bits;
		uint32_t outside;
		unsigned count = find_path(tree, pending.slot, &bits, &end, &outside);

		err = count > STRIDE_BITS ? make_path(&f, &pending, count, bits, &end, outside) : make_node(&f, &pending);
	}
	if (err == E_OK)
		err = resize(f.lpm, f.lpm->count);
	if (err < 0)
		lpm_wipe(f.lpm);
	free(f.queue);
	return err;
}

int lpm_freeze(const struct ptree *tree, struct lpm *ret_lpm)
{
	return freeze(tree, choose_root_bits(tree), ret_lpm);
}

int lpm_freeze_wide(const struct ptree *tree, struct lpm *ret_lpm)
{
	return freeze(tree, ROOT_BITS_MAX, ret_lpm);
}

static int remap_and_freeze(const struct ptree *tree, const uint32_t *map, struct lpm *ret_lpm)
{
	struct ptree *mapped;
	int err;

	if (!map)
		return lpm_freeze(tree, ret_lpm);
	err = ptree_remap(tree, map, &mapped);
	if (err < 0)
		return err;
	err = lpm_freeze(mapped, ret_lpm);
	ptree_free(mapped);
	return err;
}

int lpm_pair_freeze(const struct ptree *v4, const struct ptree *v6, const uint32_t *map, struct lpm_pair *ret_pair)
{
	int err;

	*ret_pair = (struct lpm_pair){0};
	err = remap_and_freeze(v4, map, &ret_pair->v4);
	if (err == E_OK)
		err = remap_and_freeze(v6, map, &ret_pair->v6);
	if (err < 0)
		lpm_pair_wipe(ret_pair);
	return err;
}

void lpm_pair_wipe(struct lpm_pair *pair)
{
	lpm_wipe(&pair->v4);
	lpm_wipe(&pair->v6);
}

size_t lpm_pair_bytes(const struct lpm_pair *pair)
{
	return lpm_bytes(&pair->v4) + lpm_bytes(&pair->v6);
}

// ---- the search ----

// Prefetches the node at `ref`; for a leaf, which has none, the start of `words`, as that is cheaper than a branch.
static ALWAYS_INLINE void prefetch(const uint32_t *words, uint32_t ref)
{
	__builtin_prefetch(words + (stride_is_leaf(ref) ? 0 : ref));
}

static ALWAYS_INLINE struct lpm_hit hit_of(uint32_t leaf)
{
	return (struct lpm_hit){stride_value(leaf), stride_depth(leaf)};
}

static ALWAYS_INLINE struct lpm_hit search(const struct lpm *lpm, struct addr_key key)
{
	dev_must(lpm->words && lpm->root_bits >= ROOT_BITS_MIN && lpm->root_bits <= ROOT_BITS_MAX);

	uint32_t ref = lpm->words[key.hi >> (64 - lpm->root_bits)];

	key = stride_skip(key, lpm->root_bits);
	while (!stride_is_leaf(ref))
		ref = stride_step(lpm->words, ref, &key);
	return hit_of(ref);
}

// Each round takes every search that has not reached its leaf one step down, and prefetches its next node.
static ALWAYS_INLINE void search_all(struct lpm_search *searches, unsigned count)
{
	uint32_t refs[LPM_SEARCHES_MAX];
	uint8_t going[LPM_SEARCHES_MAX]; // indexes of the searches that have not reached their leaf
	unsigned left = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct lpm *lpm = searches[i].lpm;

		__builtin_prefetch(&lpm->words[searches[i].key.hi >> (64 - lpm->root_bits)]);
	}
	for (unsigned i = 0; i < count; i++) {
		struct lpm_search *one = &searches[i];

		refs[i] = one->lpm->words[one->key.hi >> (64 - one->lpm->root_bits)];
		one->key = stride_skip(one->key, one->lpm->root_bits);
		going[left] = (uint8_t)i;
		left += !stride_is_leaf(refs[i]);
		prefetch(one->lpm->words, refs[i]);
	}
	while (left > 0) {
		unsigned before = left;

		left = 0;
		for (unsigned k = 0; k < before; k++) {
			unsigned i = going[k];
			struct lpm_search *one = &searches[i];

			refs[i] = stride_step(one->lpm->words, refs[i], &one->key);
			going[left] = (uint8_t)i;
			left += !stride_is_leaf(refs[i]);
			prefetch(one->lpm->words, refs[i]);
		}
	}
	for (unsigned i = 0; i < count; i++)
		searches[i].hit = hit_of(refs[i]);
}

#ifdef STRIDE_POPCNT
// Not cloned: with the same arguments, lpm_lookup() just jumps here.
STRIDE_POPCNT __attribute__((noclone)) static struct lpm_hit search_popcnt(const struct lpm *lpm, struct addr_key key)
{
	return search(lpm, key);
}

STRIDE_POPCNT static void search_all_popcnt(struct lpm_search *searches, unsigned count)
{
	search_all(searches, count);
}
#else
#define search_popcnt search
#define search_all_popcnt search_all
#endif

struct lpm_hit lpm_lookup(const struct lpm *lpm, struct addr_key key)
{
	return likely(stride_has_popcnt()) ? search_popcnt(lpm, key) : search(lpm, key);
}

void lpm_lookup_all(struct lpm_search *searches, unsigned count)
{
	dev_must(count <= LPM_SEARCHES_MAX);
	if (count == 1) // no other search to overlap with
		searches->hit = lpm_lookup(searches->lpm, searches->key);
	else if (likely(stride_has_popcnt()))
		search_all_popcnt(searches, count);
	else
		search_all(searches, count);
}
