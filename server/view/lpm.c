// The frozen, 64-way form of a prefix tree; see lpm.h. A node covers six bits of the address: `inner` has a bit for
// every slot that goes on in another node, `leaf` one for every slot where a run of equal leaves begins. Children and
// leaves of a node are contiguous, so a slot's number is a base plus a count of bits (Asai and Ohara, "Poptrie",
// SIGCOMM 2015, is where the idea was seen).
#include "view/lpm.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/err.h"
#include "view/ptree.h"

enum { STRIDE = 6, SLOTS = 1 << STRIDE, DEPTH_SHIFT = 24 };

struct node {
	uint64_t inner, leaf;
	uint32_t inner_base, leaf_base;
};

_Static_assert(sizeof(struct node) == 24, "a lookup's step reads one cache line, rarely two");

struct lpm {
	struct node *nodes;
	uint32_t *leaves; // value, and depth in the top octet
	uint32_t node_count, leaf_count;
	uint32_t node_cap, leaf_cap;
};

struct lpm *lpm_free(struct lpm *lpm)
{
	if (lpm) {
		free(lpm->nodes);
		free(lpm->leaves);
	}
	free(lpm);
	return NULL;
}

size_t lpm_bytes(const struct lpm *lpm)
{
	return sizeof(*lpm) + lpm->node_count * sizeof(*lpm->nodes) + lpm->leaf_count * sizeof(*lpm->leaves);
}

// `array`, of elements of `size` octets, grown where needed to hold `more` beyond `count`. NULL without memory: `array`
// is then as it was.
static void *reserve(void *array, uint32_t count, uint32_t *cap, uint32_t more, size_t size)
{
	if (array && count + more <= *cap)
		return array;
	if (count > UINT32_MAX / 4)
		return NULL;

	uint32_t want = (count + more) + (count + more) / 2;
	void *grown = realloc(array, want * size);

	if (grown)
		*cap = want;
	return grown;
}

// One slot of a node while it is made: where six bits (or fewer) down from its subtree lead.
struct slot {
	uint32_t ref;   // a ptree reference
	unsigned depth; // of the leaf, where it is one
};

static void expand(const struct ptree *tree, uint32_t ref, unsigned depth, unsigned left, struct slot *slots)
{
	if (left == 0 || ptree_ref_is_leaf(ref)) {
		for (unsigned i = 0; i < 1u << left; i++)
			slots[i] = (struct slot){ref, depth};
		return;
	}
	expand(tree, ptree_child(tree, ref, 0), depth + 1, left - 1, slots);
	expand(tree, ptree_child(tree, ref, 1), depth + 1, left - 1, slots + (1u << (left - 1)));
}

// Room for one more node: its children, its leaves, its children's subtrees.
static bool make_room(struct lpm *lpm, struct slot **pending, uint32_t *pending_cap)
{
	struct node *nodes = reserve(lpm->nodes, lpm->node_count, &lpm->node_cap, SLOTS, sizeof(*nodes));

	lpm->nodes = nodes ? nodes : lpm->nodes;

	uint32_t *leaves = reserve(lpm->leaves, lpm->leaf_count, &lpm->leaf_cap, SLOTS, sizeof(*leaves));

	lpm->leaves = leaves ? leaves : lpm->leaves;

	struct slot *subtrees = reserve(*pending, lpm->node_count, pending_cap, SLOTS, sizeof(*subtrees));

	*pending = subtrees ? subtrees : *pending;
	return nodes && leaves && subtrees;
}

// Makes node `at` of the subtree `ref`, whose bits begin at `depth`. pending[] holds the subtree of every node not made
// yet: its children are appended there.
static int make_node(struct lpm *lpm, const struct ptree *tree, uint32_t at, uint32_t ref, unsigned depth,
                     struct slot **pending, uint32_t *pending_cap)
{
	struct slot slots[SLOTS];
	struct node node = {.inner_base = lpm->node_count, .leaf_base = lpm->leaf_count};
	uint32_t last = 0;
	bool any = false;

	if (!make_room(lpm, pending, pending_cap))
		return E_NOMEM;
	expand(tree, ref, depth, STRIDE, slots);
	for (unsigned i = 0; i < SLOTS; i++) {
		if (!ptree_ref_is_leaf(slots[i].ref)) {
			node.inner |= UINT64_C(1) << i;
			(*pending)[lpm->node_count++] = (struct slot){slots[i].ref, depth + STRIDE};
			continue;
		}

		uint32_t leaf = ptree_ref_value(slots[i].ref) | (uint32_t)slots[i].depth << DEPTH_SHIFT;

		if (any && leaf == last)
			continue;
		node.leaf |= UINT64_C(1) << i;
		lpm->leaves[lpm->leaf_count++] = leaf;
		last = leaf;
		any = true;
	}
	lpm->nodes[at] = node;
	return E_OK;
}

int lpm_freeze(const struct ptree *tree, struct lpm **ret_lpm)
{
	struct lpm *lpm = calloc(1, sizeof(*lpm));
	struct slot *pending = NULL;
	uint32_t pending_cap = 0;
	int err = E_NOMEM;

	if (!lpm || !(pending = reserve(NULL, 0, &pending_cap, 1, sizeof(*pending))))
		goto out;
	pending[lpm->node_count++] = (struct slot){ptree_root(tree), 0};
	for (uint32_t at = 0; at < lpm->node_count; at++) { // breadth first: the top of the tree stays together
		err = make_node(lpm, tree, at, pending[at].ref, pending[at].depth, &pending, &pending_cap);
		if (err < 0)
			goto out;
	}

	struct node *nodes = realloc(lpm->nodes, lpm->node_count * sizeof(*nodes));
	uint32_t *leaves = realloc(lpm->leaves, lpm->leaf_count * sizeof(*leaves));

	lpm->nodes = nodes ? nodes : lpm->nodes;
	lpm->leaves = leaves ? leaves : lpm->leaves;
	*ret_lpm = lpm;
	lpm = NULL;
	err = E_OK;
out:
	free(pending);
	lpm_free(lpm);
	return err;
}

// The search itself, compiled twice on x86-64: counting bits is one instruction on every processor of the last fifteen
// years, but not in the baseline the compiler must assume.
static inline __attribute__((always_inline)) struct lpm_hit search(const struct lpm *lpm, struct addr_key key)
{
	const struct node *node = lpm->nodes;

	for (;;) {
		unsigned slot = (unsigned)(key.hi >> (64 - STRIDE));
		uint64_t bit = UINT64_C(1) << slot;

		if (!(node->inner & bit)) {
			// Runs begin at set bits; the slot's run is the last one at or before it.
			uint64_t runs = node->leaf & (bit | (bit - 1));
			uint32_t leaf = lpm->leaves[node->leaf_base + (unsigned)__builtin_popcountll(runs) - 1];

			return (struct lpm_hit){leaf & LPM_VALUE_MAX, (uint8_t)(leaf >> DEPTH_SHIFT)};
		}
		node = &lpm->nodes[node->inner_base + (unsigned)__builtin_popcountll(node->inner & (bit - 1))];
		key.hi = key.hi << STRIDE | key.lo >> (64 - STRIDE);
		key.lo <<= STRIDE;
	}
}

#if defined(__x86_64__) && !defined(__POPCNT__)
__attribute__((target("popcnt"))) static struct lpm_hit search_popcnt(const struct lpm *lpm, struct addr_key key)
{
	return search(lpm, key);
}

struct lpm_hit lpm_lookup(const struct lpm *lpm, struct addr_key key)
{
	return likely(__builtin_cpu_supports("popcnt")) ? search_popcnt(lpm, key) : search(lpm, key);
}
#else
struct lpm_hit lpm_lookup(const struct lpm *lpm, struct addr_key key)
{
	return search(lpm, key);
}
#endif
