// Leaf-pushed, sibling-merged prefix trees; see ptree.h. A tree is one array of inner nodes of two references each;
// parents come before their children, so that a walk from the root reads forwards.
#include "steer/ptree.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"

#define LEAF_BIT 0x80000000u

enum { DEPTH_MAX = 128 }; // bits of the longest address

struct inner {
	uint32_t child[2];
};

_Static_assert(sizeof(struct inner) == 8, "ptree.h promises 8 bytes a node");

struct ptree {
	struct inner *inner;
	size_t count, cap;
	uint32_t root;
	bool failed; // out of memory while building
};

static uint32_t leaf_ref(uint32_t value)
{
	must(value <= PTREE_VALUE_MAX);
	return value | LEAF_BIT;
}

static unsigned key_bit(uint64_t hi, uint64_t lo, unsigned at)
{
	return (unsigned)(at < 64 ? hi >> (63 - at) : lo >> (127 - at)) & 1;
}

static struct ptree *tree_new(void)
{
	return calloc(1, sizeof(struct ptree));
}

struct ptree *ptree_free(struct ptree *tree)
{
	if (tree)
		free(tree->inner);
	free(tree);
	return NULL;
}

// Takes a node whose children are not known yet, and returns its number. After a failure it keeps returning node 0, so
// that recursive callers need no error path; finish() then discards the tree.
static uint32_t inner_take(struct ptree *tree)
{
	if (tree->failed)
		return 0;
	if (tree->count == tree->cap) {
		size_t cap = tree->cap ? tree->cap + tree->cap / 2 : 1024;
		struct inner *inner = tree->cap < PTREE_NODES_MAX ? realloc(tree->inner, cap * sizeof(*inner)) : NULL;

		if (!inner) {
			tree->failed = true;
			return 0;
		}
		tree->inner = inner;
		tree->cap = cap;
	}
	return (uint32_t)tree->count++;
}

// Sets the children of node `at`, or returns the node when they are equal leaves; no node was taken after it then,
// since leaves take none.
static uint32_t inner_settle(struct ptree *tree, uint32_t at, uint32_t left, uint32_t right)
{
	if (tree->failed)
		return leaf_ref(0);
	if (left == right && ptree_ref_is_leaf(left)) {
		must(tree->count == (size_t)at + 1);
		tree->count--;
		return left;
	}
	must(at < tree->count);
	tree->inner[at] = (struct inner){{left, right}};
	return at;
}

static int finish(struct ptree *tree, uint32_t root, struct ptree **ret_tree)
{
	if (tree->failed) {
		ptree_free(tree);
		return E_NOMEM;
	}
	must(ptree_ref_is_leaf(root) || root < tree->count);
	tree->root = root;
	if (tree->count < tree->cap) {
		struct inner *inner = realloc(tree->inner, (tree->count ? tree->count : 1) * sizeof(*inner));

		if (inner)
			tree->inner = inner;
	}
	*ret_tree = tree;
	return E_OK;
}

static int compare(const struct ptree_entry *a, const struct ptree_entry *b)
{
	if (a->hi != b->hi)
		return a->hi < b->hi ? -1 : 1;
	if (a->lo != b->lo)
		return a->lo < b->lo ? -1 : 1;
	return (int)a->len - (int)b->len;
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

struct build {
	struct ptree *tree;
	const struct ptree_entry *entries;
};

// The subtree of the block of `depth` bits that contains entries [low, high); its value is `inherited` where no longer
// prefix overrides it. Sorting puts the block's own prefix, if any, first.
static uint32_t build(struct build *b, size_t low, size_t high, unsigned depth, uint32_t inherited)
{
	while (low < high && b->entries[low].len == depth)
		inherited = b->entries[low++].value;
	if (low == high)
		return leaf_ref(inherited);

	must(depth < DEPTH_MAX);

	size_t first = low, end = high; // the first entry whose bit at `depth` is set

	while (first < end) {
		size_t mid = first + (end - first) / 2;

		if (key_bit(b->entries[mid].hi, b->entries[mid].lo, depth))
			end = mid;
		else
			first = mid + 1;
	}

	uint32_t at = inner_take(b->tree);
	uint32_t left = build(b, low, first, depth + 1, inherited);
	uint32_t right = build(b, first, high, depth + 1, inherited);

	return inner_settle(b->tree, at, left, right);
}

int ptree_build(struct ptree_entry *entries, size_t count, struct ptree **ret_tree)
{
	struct build b = {.tree = tree_new(), .entries = entries};

	if (!b.tree)
		return E_NOMEM;
	if (sort(entries, count) < 0) {
		ptree_free(b.tree);
		return E_NOMEM;
	}
	return finish(b.tree, build(&b, 0, count, 0, 0), ret_tree);
}

uint32_t ptree_lookup(const struct ptree *tree, struct addr_key key, uint8_t *ret_depth)
{
	uint32_t ref = tree->root;
	unsigned depth = 0;

	for (; !ptree_ref_is_leaf(ref); depth++) {
		must(depth < DEPTH_MAX);
		ref = tree->inner[ref].child[key_bit(key.hi, key.lo, depth)];
	}
	*ret_depth = (uint8_t)depth;
	return ptree_ref_value(ref);
}

struct overlay {
	struct ptree *tree;
	const struct ptree *upper, *lower;
	uint32_t (*combine)(void *ctx, uint32_t upper, uint32_t lower);
	void *ctx;
};

static uint32_t child_or_same(const struct ptree *tree, uint32_t ref, unsigned bit)
{
	return ptree_ref_is_leaf(ref) ? ref : tree->inner[ref].child[bit];
}

static uint32_t overlay(struct overlay *o, uint32_t upper, uint32_t lower)
{
	if (ptree_ref_is_leaf(upper) && ptree_ref_is_leaf(lower)) {
		uint32_t value = o->combine(o->ctx, ptree_ref_value(upper), ptree_ref_value(lower));

		if (value > PTREE_VALUE_MAX) {
			o->tree->failed = true;
			value = 0;
		}
		return leaf_ref(value);
	}

	uint32_t at = inner_take(o->tree);
	uint32_t left = overlay(o, child_or_same(o->upper, upper, 0), child_or_same(o->lower, lower, 0));
	uint32_t right = overlay(o, child_or_same(o->upper, upper, 1), child_or_same(o->lower, lower, 1));

	return inner_settle(o->tree, at, left, right);
}

int ptree_overlay(const struct ptree *upper, const struct ptree *lower,
                  uint32_t (*combine)(void *ctx, uint32_t upper, uint32_t lower), void *ctx, struct ptree **ret_tree)
{
	struct overlay o = {tree_new(), upper, lower, combine, ctx};

	if (!o.tree)
		return E_NOMEM;
	return finish(o.tree, overlay(&o, upper->root, lower->root), ret_tree);
}

static uint32_t remap(struct ptree *out, const struct ptree *tree, uint32_t ref, const uint32_t *map)
{
	if (ptree_ref_is_leaf(ref))
		return leaf_ref(map[ptree_ref_value(ref)]);

	uint32_t at = inner_take(out);
	uint32_t left = remap(out, tree, tree->inner[ref].child[0], map);
	uint32_t right = remap(out, tree, tree->inner[ref].child[1], map);

	return inner_settle(out, at, left, right);
}

int ptree_remap(const struct ptree *tree, const uint32_t *map, struct ptree **ret_tree)
{
	struct ptree *out = tree_new();

	if (!out)
		return E_NOMEM;
	return finish(out, remap(out, tree, tree->root, map), ret_tree);
}

struct walk {
	const struct ptree *tree;
	void (*leaf)(void *ctx, struct addr_key key, uint8_t depth, uint32_t value);
	void *ctx;
};

static void walk(const struct walk *w, uint32_t ref, struct addr_key key, unsigned depth)
{
	if (ptree_ref_is_leaf(ref)) {
		w->leaf(w->ctx, key, (uint8_t)depth, ptree_ref_value(ref));
		return;
	}
	must(depth < DEPTH_MAX);
	walk(w, w->tree->inner[ref].child[0], key, depth + 1);
	if (depth < 64)
		key.hi |= UINT64_C(1) << (63 - depth);
	else
		key.lo |= UINT64_C(1) << (127 - depth);
	walk(w, w->tree->inner[ref].child[1], key, depth + 1);
}

void ptree_walk(const struct ptree *tree, void (*leaf)(void *ctx, struct addr_key key, uint8_t depth, uint32_t value),
                void *ctx)
{
	walk(&(struct walk){tree, leaf, ctx}, tree->root, (struct addr_key){0, 0}, 0);
}

size_t ptree_nodes(const struct ptree *tree)
{
	return tree->count;
}

uint32_t ptree_root(const struct ptree *tree)
{
	return tree->root;
}

uint32_t ptree_child(const struct ptree *tree, uint32_t inner, unsigned bit)
{
	must(inner < tree->count && bit < 2);
	return tree->inner[inner].child[bit];
}
