// Prefix tables as sorted runs; see ptree.h. Every operation is one pass over the runs of its arguments, so that time
// and memory depend on the number of prefixes and not on their lengths: as a binary tree, a table of scattered /128
// would have a hundred nodes for each.
#include "steer/ptree.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"

#define LEAF_BIT 0x80000000u

enum { DEPTH_MAX = 128 }; // bits of the longest address

// The addresses from `hi`, `lo` to the start of the next run.
struct run {
	uint64_t hi, lo;
	uint32_t value;
};

struct ptree {
	struct run *runs; // ascending; the first starts at zero; neighbours differ in value
	size_t count, cap;
};

static uint32_t leaf_ref(uint32_t value)
{
	must(value <= PTREE_VALUE_MAX);
	return value | LEAF_BIT;
}

// ---- keys ----

static int key_compare(uint64_t a_hi, uint64_t a_lo, uint64_t b_hi, uint64_t b_lo)
{
	if (a_hi != b_hi)
		return a_hi < b_hi ? -1 : 1;
	return (a_lo > b_lo) - (a_lo < b_lo);
}

static struct addr_key key_of(const struct run *run)
{
	return (struct addr_key){run->hi, run->lo};
}

static struct addr_key key_before(struct addr_key key)
{
	return (struct addr_key){key.hi - (key.lo == 0), key.lo - 1};
}

// How many leading bits two different keys share.
static unsigned shared_bits(struct addr_key a, struct addr_key b)
{
	if (a.hi != b.hi)
		return (unsigned)__builtin_clzll(a.hi ^ b.hi);
	must(a.lo != b.lo);
	return 64 + (unsigned)__builtin_clzll(a.lo ^ b.lo);
}

// The key with the bits from `depth` on cleared.
static struct addr_key key_cut(struct addr_key key, unsigned depth)
{
	if (depth < 64)
		return (struct addr_key){depth == 0 ? 0 : key.hi >> (64 - depth) << (64 - depth), 0};
	return (struct addr_key){key.hi, depth == 64 ? 0 : key.lo >> (128 - depth) << (128 - depth)};
}

// The first address after the block of `depth` bits that starts at `key`. False: the block is the last one.
static bool key_after(struct addr_key key, unsigned depth, struct addr_key *ret_key)
{
	struct addr_key step = {0, 0}, next;

	if (depth == 0)
		return false;
	if (depth <= 64)
		step.hi = UINT64_C(1) << (64 - depth);
	else
		step.lo = UINT64_C(1) << (128 - depth);
	next.lo = key.lo + step.lo;
	next.hi = key.hi + step.hi + (next.lo < key.lo);
	*ret_key = next;
	return key_compare(next.hi, next.lo, key.hi, key.lo) > 0;
}

// ---- runs ----

struct ptree *ptree_free(struct ptree *tree)
{
	if (tree)
		free(tree->runs);
	free(tree);
	return NULL;
}

// A table for about `cap` runs, which grows when there are more.
static struct ptree *tree_new(size_t cap)
{
	struct ptree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return NULL;
	tree->cap = cap + 1;
	tree->runs = calloc(tree->cap, sizeof(*tree->runs));
	return tree->runs ? tree : ptree_free(tree);
}

// From `key` on the value is `value`. Keys never descend; the last word on a key counts.
static int append(struct ptree *tree, struct addr_key key, uint32_t value)
{
	must(value <= PTREE_VALUE_MAX);
	if (tree->count > 0) {
		const struct run *last = &tree->runs[tree->count - 1];
		int order = key_compare(last->hi, last->lo, key.hi, key.lo);

		must(order <= 0);
		tree->count -= order == 0;
	}
	if (tree->count > 0 && tree->runs[tree->count - 1].value == value)
		return E_OK;
	if (tree->count == tree->cap) {
		size_t cap = tree->cap + tree->cap / 2 + 1;
		struct run *runs = cap <= PTREE_NODES_MAX ? realloc(tree->runs, cap * sizeof(*runs)) : NULL;

		if (!runs)
			return E_NOMEM;
		tree->runs = runs;
		tree->cap = cap;
	}
	tree->runs[tree->count++] = (struct run){key.hi, key.lo, value};
	return E_OK;
}

static int finish(struct ptree *tree, int err, struct ptree **ret_tree)
{
	if (err < 0) {
		ptree_free(tree);
		return err;
	}
	must(tree->count > 0 && tree->runs[0].hi == 0 && tree->runs[0].lo == 0);

	struct run *runs = realloc(tree->runs, tree->count * sizeof(*runs));

	if (runs) {
		tree->runs = runs;
		tree->cap = tree->count;
	}
	*ret_tree = tree;
	return E_OK;
}

// ---- construction ----

static int compare(const struct ptree_entry *a, const struct ptree_entry *b)
{
	int order = key_compare(a->hi, a->lo, b->hi, b->lo);

	return order ? order : (int)a->len - (int)b->len;
}

// Stable merge sort, skipped when the list is already sorted, as large ones are.
static int sort(struct ptree_entry *entries, size_t count)
{
	size_t sorted = 1;

	while (sorted < count && compare(&entries[sorted - 1], &entries[sorted]) <= 0)
		sorted++;
	if (sorted >= count)
		return E_OK;

	struct ptree_entry *spare = malloc(count * sizeof(*spare)), *from = entries, *to = spare;

	if (!spare)
		return E_NOMEM;
	for (size_t width = 1; width < count; width *= 2) {
		for (size_t low = 0; low < count; low += 2 * width) {
			size_t mid = low + width < count ? low + width : count;
			size_t high = low + 2 * width < count ? low + 2 * width : count;

			for (size_t i = low, j = mid, out = low; out < high; out++) {
				bool left = i < mid && (j >= high || compare(&from[i], &from[j]) <= 0);

				to[out] = left ? from[i++] : from[j++];
			}
		}

		struct ptree_entry *swap = from;

		from = to;
		to = swap;
	}
	if (from != entries)
		memcpy(entries, from, count * sizeof(*entries));
	free(spare);
	return E_OK;
}

// The prefixes that contain the address reached so far, the widest first.
struct nest {
	const struct ptree_entry *stack[DEPTH_MAX + 1];
	unsigned depth;
};

static struct addr_key entry_key(const struct ptree_entry *entry)
{
	return (struct addr_key){entry->hi, entry->lo};
}

// Leaves the innermost prefix: after it the value is that of the one around it.
static int leave(struct ptree *tree, struct nest *nest)
{
	const struct ptree_entry *inner = nest->stack[--nest->depth];
	struct addr_key after;

	if (!key_after(entry_key(inner), inner->len, &after))
		return E_OK;
	return append(tree, after, nest->depth > 0 ? nest->stack[nest->depth - 1]->value : 0);
}

static bool entry_contains(const struct ptree_entry *outer, struct addr_key key)
{
	struct addr_key cut = key_cut(key, outer->len);

	return cut.hi == outer->hi && cut.lo == outer->lo;
}

// `entries` are sorted, so a prefix comes after those that contain it.
static int build(struct ptree *tree, const struct ptree_entry *entries, size_t count)
{
	struct nest nest = {.depth = 0};
	int err = append(tree, (struct addr_key){0, 0}, 0);

	for (size_t i = 0; i < count && err == E_OK; i++) {
		const struct ptree_entry *entry = &entries[i];

		must(entry->len <= DEPTH_MAX);
		while (err == E_OK && nest.depth > 0 && !entry_contains(nest.stack[nest.depth - 1], entry_key(entry)))
			err = leave(tree, &nest);
		if (nest.depth > 0 && nest.stack[nest.depth - 1]->len == entry->len)
			nest.depth--; // the same prefix again
		must(nest.depth < ARRAY_LEN(nest.stack));
		nest.stack[nest.depth++] = entry;
		if (err == E_OK)
			err = append(tree, entry_key(entry), entry->value);
	}
	while (err == E_OK && nest.depth > 0)
		err = leave(tree, &nest);
	return err;
}

int ptree_build(struct ptree_entry *entries, size_t count, struct ptree **ret_tree)
{
	struct ptree *tree = tree_new(count);
	int err = tree ? sort(entries, count) : E_NOMEM;

	if (err == E_OK)
		err = build(tree, entries, count);
	return finish(tree, err, ret_tree);
}

int ptree_overlay(const struct ptree *upper, const struct ptree *lower,
                  uint32_t (*combine)(void *ctx, uint32_t upper, uint32_t lower), void *ctx, struct ptree **ret_tree)
{
	struct ptree *tree = tree_new(upper->count + lower->count);
	const struct run *u = upper->runs, *u_end = u + upper->count;
	const struct run *l = lower->runs, *l_end = l + lower->count;
	struct addr_key at = {0, 0};
	int err = tree ? E_OK : E_NOMEM;

	// `u` and `l` are the runs that contain `at`.
	while (err == E_OK) {
		uint32_t value = combine(ctx, u->value, l->value);
		bool more_u = u + 1 < u_end, more_l = l + 1 < l_end;

		err = value <= PTREE_VALUE_MAX ? append(tree, at, value) : E_NOMEM;
		if (!more_u && !more_l)
			break;

		int order = !more_u ? 1 : !more_l ? -1 : key_compare(u[1].hi, u[1].lo, l[1].hi, l[1].lo);

		u += order <= 0;
		l += order >= 0;
		at = order <= 0 ? key_of(u) : key_of(l);
	}
	return finish(tree, err, ret_tree);
}

int ptree_remap(const struct ptree *tree, const uint32_t *map, struct ptree **ret_tree)
{
	struct ptree *out = tree_new(tree->count);
	int err = out ? E_OK : E_NOMEM;

	for (size_t i = 0; i < tree->count && err == E_OK; i++)
		err = append(out, key_of(&tree->runs[i]), map[tree->runs[i].value]);
	return finish(out, err, ret_tree);
}

// ---- reading ----

// The first run after number `from` that starts past `key`; the number of runs if none does. Searches with growing
// steps, as callers descend towards runs nearby.
static size_t run_past(const struct ptree *tree, size_t from, struct addr_key key)
{
	size_t low = from, step = 1; // run `low` starts at or before the key

	must(from < tree->count);
	while (low + step < tree->count &&
	       key_compare(tree->runs[low + step].hi, tree->runs[low + step].lo, key.hi, key.lo) <= 0) {
		low += step;
		step *= 2;
	}

	size_t high = low + step < tree->count ? low + step : tree->count;

	while (low + 1 < high) {
		size_t mid = low + (high - low) / 2;

		if (key_compare(tree->runs[mid].hi, tree->runs[mid].lo, key.hi, key.lo) <= 0)
			low = mid;
		else
			high = mid;
	}
	return high;
}

uint32_t ptree_lookup(const struct ptree *tree, struct addr_key key, uint8_t *ret_depth)
{
	size_t next = run_past(tree, 0, key);
	unsigned depth = 0;

	// The widest block around the address that reaches into neither neighbour.
	if (next > 1)
		depth = shared_bits(key, key_before(key_of(&tree->runs[next - 1]))) + 1;
	if (next < tree->count) {
		unsigned of_next = shared_bits(key, key_of(&tree->runs[next])) + 1;

		depth = of_next > depth ? of_next : depth;
	}
	*ret_depth = (uint8_t)depth;
	return tree->runs[next - 1].value;
}

// Of a key that is not zero.
static unsigned trailing_zeros(struct addr_key key)
{
	must(key.hi || key.lo);
	return (unsigned)(key.lo ? __builtin_ctzll(key.lo) : 64 + __builtin_ctzll(key.hi));
}

// Calls leaf() for the blocks of the run from `at` to before `end` (zero: to the last address): at each address, the
// widest block that starts there and ends in the run.
static void walk_run(struct addr_key at, struct addr_key end, uint32_t value,
                     void (*leaf)(void *ctx, struct addr_key key, uint8_t depth, uint32_t value), void *ctx)
{
	static const struct addr_key zero;

	for (;;) {
		struct addr_key left = {end.hi - at.hi - (end.lo < at.lo), end.lo - at.lo};
		// Zero addresses left means all of them.
		unsigned fits = left.hi || left.lo ? shared_bits(left, zero) + 1 : 0;
		unsigned starts = at.hi || at.lo ? DEPTH_MAX - trailing_zeros(at) : 0;
		unsigned depth = fits > starts ? fits : starts;

		leaf(ctx, at, (uint8_t)depth, value);
		if (!key_after(at, depth, &at) || (at.hi == end.hi && at.lo == end.lo))
			return;
	}
}

void ptree_walk(const struct ptree *tree, void (*leaf)(void *ctx, struct addr_key key, uint8_t depth, uint32_t value),
                void *ctx)
{
	for (size_t i = 0; i < tree->count; i++) {
		struct addr_key end = i + 1 < tree->count ? key_of(&tree->runs[i + 1]) : (struct addr_key){0, 0};

		walk_run(key_of(&tree->runs[i]), end, tree->runs[i].value, leaf, ctx);
	}
}

void ptree_walk_block(const struct ptree *tree, struct addr_key key, uint8_t len,
                      void (*leaf)(void *ctx, struct addr_key key, uint8_t depth, uint32_t value), void *ctx)
{
	struct addr_key at = key, end = {0, 0}, next;
	bool has_end = key_after(key, len, &end), goes_on = true;

	if (!has_end)
		end = (struct addr_key){0, 0};
	for (size_t i = run_past(tree, 0, key) - 1; goes_on; i++, at = next) {
		goes_on = i + 1 < tree->count;
		if (goes_on)
			next = key_of(&tree->runs[i + 1]);
		goes_on = goes_on && (!has_end || key_compare(next.hi, next.lo, end.hi, end.lo) < 0);
		walk_run(at, goes_on ? next : end, tree->runs[i].value, leaf, ctx);
	}
}

size_t ptree_nodes(const struct ptree *tree)
{
	return tree->count - 1;
}

// ---- as a tree ----
// An inner node is the number of the first run that starts inside its block, which tells the block too: where that run
// starts, cut to the block's depth.

// The node of a block in which `first` is the first run to start past the block's own first address.
static uint32_t block_ref(const struct ptree *tree, size_t first, struct addr_key key, unsigned depth)
{
	if (first < tree->count) {
		struct addr_key cut = key_cut(key_of(&tree->runs[first]), depth);

		if (cut.hi == key.hi && cut.lo == key.lo)
			return (uint32_t)first;
	}
	return leaf_ref(tree->runs[first - 1].value);
}

uint32_t ptree_root(const struct ptree *tree)
{
	return block_ref(tree, 1, (struct addr_key){0, 0}, 0);
}

uint32_t ptree_child(const struct ptree *tree, uint32_t inner, unsigned depth, unsigned bit)
{
	must(inner > 0 && inner < tree->count && depth < DEPTH_MAX && bit < 2);

	struct addr_key key = key_cut(key_of(&tree->runs[inner]), depth);

	if (bit == 0)
		return block_ref(tree, inner, key, depth + 1);
	if (depth < 64)
		key.hi |= UINT64_C(1) << (63 - depth);
	else
		key.lo |= UINT64_C(1) << (127 - depth);
	return block_ref(tree, run_past(tree, inner - 1, key), key, depth + 1);
}
