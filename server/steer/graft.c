// Writes a trie's nodes; see graft.h. The first 18 bits index two levels of pages of 512 references; below them are nodes of
// six bits (stride.h), paths of which are whole nodes long, so that every node begins at a multiple of six bits and can be
// taken apart again.
//
// The depths of leaves need no more than the node that they are in: a block of one value that is a node's whole, or more, is
// a leaf further up. So nothing but the nodes on the way to a change is looked at.
#include "steer/graft.h"

#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "steer/ptree.h"
#include "steer/slots.h"
#include "steer/stride.h"
#include "steer/trie_change.h"
#include "steer/wordpool.h"

enum { PAGE_BITS = GRAFT_PAGE_BITS, PAGES_BITS = 2 * PAGE_BITS };

_Static_assert(WORDPOOL_PAGE == 1 << PAGE_BITS && (int)SLOTS_MAX == (int)WORDPOOL_PAGE, "a page has a reference for each slot");
_Static_assert(WORDPOOL_BLOCK_MAX == STRIDE_HEAD + STRIDE_SLOTS, "a node is a block");

struct edit {
	const struct trie_change *change;
	const uint32_t *from;             // words of the version that is changed
	struct wordpool_version *version; // that is made
	bool is_whole;                    // nothing is taken over, as it is in another pool
	int err;
	uint32_t nowhere[WORDPOOL_PAGE];  // where is written what is of no use, once there is no room
};

// A subtree of the version that is changed: a reference, and how many bits of the path that it leads to are passed.
struct subtree {
	uint32_t ref;
	unsigned passed;
};

// Blocks of the change.
struct span {
	size_t first, end;
};

// A subtree that is made. A node in which all is one leaf but one slot, or a path of those, is not written before it is
// known that it does not become part of a longer path.
struct made {
	uint32_t ref;            // only if `path.count` is 0
	uint32_t end;            // where the path leads
	struct stride_path path; // its depth is not set
};

static unsigned bits_at(unsigned depth)
{
	return depth < PAGES_BITS ? PAGE_BITS : STRIDE_BITS;
}

// ---- writing --------------------------------------------------------------------------------------------------------

static uint32_t *take(struct edit *e, size_t count, uint32_t *ret_ref)
{
	uint32_t at = e->err == E_OK ? wordpool_take(e->version, count) : 0;

	if (!at)
		e->err = E_LIMIT;
	*ret_ref = at;
	return at ? e->version->words + at : e->nowhere;
}

static uint32_t write_page(struct edit *e, const uint32_t *slots)
{
	uint32_t ref, *words = take(e, WORDPOOL_PAGE, &ref);

	memcpy(words, slots, WORDPOOL_PAGE * sizeof(*words));
	return ref;
}

static uint32_t write_node(struct edit *e, const uint32_t *slots)
{
	uint32_t runs[STRIDE_SLOTS], *words, ref;
	uint64_t starts = 0;
	size_t count = 0;

	for (unsigned i = 0; i < STRIDE_SLOTS; i++)
		if (i == 0 || slots[i] != slots[i - 1] || !stride_is_leaf(slots[i])) {
			starts |= UINT64_C(1) << i;
			runs[count++] = slots[i];
		}
	words = take(e, STRIDE_HEAD + count, &ref);
	memcpy(words, &starts, sizeof(starts));
	memcpy(words + STRIDE_HEAD, runs, count * sizeof(*runs));
	return ref;
}

// ---- what is there --------------------------------------------------------------------------------------------------

// The slots of a stride's node.
static void read_node(const uint32_t *node, uint32_t *slots)
{
	uint64_t starts = stride_starts(node);

	node += STRIDE_HEAD - 1;
	for (unsigned i = 0; i < STRIDE_SLOTS; i++) {
		node += starts >> i & 1;
		slots[i] = *node;
	}
}

static bool is_path(const uint32_t *node)
{
	return !(stride_starts(node) & 1);
}

// Fills in the slots of a subtree, as references of the version that is changed. Returns the slot in which a path goes on,
// with the rest of it; else -1.
static int read_slots(const struct edit *e, const struct subtree *subtree, unsigned bits, uint32_t *slots,
                      struct subtree *ret_rest)
{
	const uint32_t *node = stride_is_leaf(subtree->ref) ? NULL : e->from + subtree->ref;
	struct stride_path path;
	unsigned at;

	if (!node || bits == PAGE_BITS) {
		for (unsigned i = 0; i < 1u << bits; i++)
			slots[i] = node ? node[i] : subtree->ref;
		return -1;
	}
	if (!is_path(node)) {
		read_node(node, slots);
		return -1;
	}
	path = stride_path(node);
	must(subtree->passed < path.count);
	at = path.bits << subtree->passed >> (64 - STRIDE_BITS);
	for (unsigned i = 0; i < STRIDE_SLOTS; i++)
		slots[i] = slots_leaf(path.value);
	*ret_rest = (struct subtree){subtree->ref, subtree->passed + STRIDE_BITS};
	if (ret_rest->passed < path.count)
		return (int)at;
	slots[at] = node[STRIDE_PATH_WORDS - 1];
	return -1;
}

static void give_up(struct edit *e, uint32_t ref, unsigned bits)
{
	uint32_t at = ref;

	if (e->is_whole)
		return;
	wordpool_give_up(e->version, at, bits == PAGE_BITS ? WORDPOOL_PAGE : is_path(e->from + at) ? STRIDE_PATH_WORDS :
	                 STRIDE_HEAD + (size_t)__builtin_popcountll(stride_starts(e->from + at)));
}

// Gives up all of a subtree.
static void give_up_all(struct edit *e, uint32_t ref, unsigned depth)
{
	unsigned bits = bits_at(depth);
	const uint32_t *node;
	size_t count;

	if (stride_is_leaf(ref) || e->is_whole)
		return;
	node = e->from + ref;
	if (bits == STRIDE_BITS && is_path(node)) {
		give_up_all(e, node[STRIDE_PATH_WORDS - 1], depth + stride_path(node).count);
	} else {
		count = bits == PAGE_BITS ? WORDPOOL_PAGE : (size_t)__builtin_popcountll(stride_starts(node));
		for (size_t i = 0; i < count; i++)
			give_up_all(e, node[i + (bits == PAGE_BITS ? 0 : STRIDE_HEAD)], depth + bits);
	}
	give_up(e, ref, bits);
}

// The same, of a slot that begins at `depth`. A path that is passed in part was given up at its beginning.
static void give_up_slot(struct edit *e, struct subtree gone, unsigned depth)
{
	const uint32_t *node;

	if (gone.passed == 0) {
		give_up_all(e, gone.ref, depth);
		return;
	}
	node = e->from + gone.ref;
	give_up_all(e, node[STRIDE_PATH_WORDS - 1], depth - gone.passed + stride_path(node).count);
}

// ---- paths ----------------------------------------------------------------------------------------------------------

// Writes what is made at `spot`, if it is not written yet.
static uint32_t written(struct edit *e, struct made made, const struct slots_spot *spot)
{
	uint32_t slots[STRIDE_SLOTS], *words, ref;

	if (made.path.count == 0)
		return made.ref;
	if (made.path.count > STRIDE_BITS) {
		made.path.depth = spot->depth;
		words = take(e, STRIDE_PATH_WORDS, &ref);
		stride_put_path(words, &made.path);
		words[STRIDE_PATH_WORDS - 1] = made.end;
		return ref;
	}
	for (unsigned i = 0; i < STRIDE_SLOTS; i++)
		slots[i] = i == made.path.bits >> (64 - STRIDE_BITS) ? made.end : slots_leaf(made.path.value);
	must(!slots_settle(e->change, slots, STRIDE_BITS, spot));
	return write_node(e, slots);
}

// As made, what is there already: a path, or a node that can be part of one, or else its reference. Only where nothing is
// written anew.
static struct made taken_over(const struct edit *e, uint32_t ref)
{
	struct made made = {.ref = ref};
	uint32_t slots[STRIDE_SLOTS];
	const uint32_t *node;
	int lone;

	if (stride_is_leaf(ref))
		return made;
	node = e->from + ref;
	if (is_path(node)) {
		made.path = stride_path(node);
		made.end = node[STRIDE_PATH_WORDS - 1];
		return made;
	}
	if (__builtin_popcountll(stride_starts(node)) > 2 * STRIDE_BITS + 1)
		return made;
	read_node(node, slots);
	lone = slots_lone(slots);
	if (lone >= 0) {
		made.end = slots[lone];
		made.path = (struct stride_path){(uint64_t)lone << (64 - STRIDE_BITS), STRIDE_BITS, 0, slots_plain(slots[lone == 0])};
	}
	return made;
}

// A node in which all is one leaf but the slot `lone`, where `below` is made; `is_old`: that is taken over.
static struct made lengthened(struct edit *e, const uint32_t *slots, unsigned lone, struct made below, bool is_old,
                              const struct slots_spot *spot)
{
	uint32_t value = slots_plain(slots[lone == 0]);
	struct made made = {.path = {(uint64_t)lone << (64 - STRIDE_BITS), STRIDE_BITS, 0, value}};

	if (below.path.count > 0 && below.path.value == value && below.path.count + STRIDE_BITS <= STRIDE_PATH_BITS) {
		made.path.bits |= below.path.bits >> STRIDE_BITS;
		made.path.count += below.path.count;
		made.end = below.end;
		if (is_old)
			give_up(e, below.ref, STRIDE_BITS);
		return made;
	}
	made.end = is_old ? below.ref : written(e, below, spot);
	return made;
}

// ---- the change -----------------------------------------------------------------------------------------------------

static struct made make(struct edit *e, const struct subtree *subtree, const struct slots_spot *spot, struct span span);

// The blocks of a span that begin in the first `depth` bits of `key`, from its first on.
static struct span part_of(const struct edit *e, struct span span, struct addr_key key, unsigned depth)
{
	const struct ptree_entry *blocks = e->change->blocks;
	struct span part = {span.first, span.first};

	must(depth <= 128);
	for (; part.end < span.end; part.end++) {
		uint64_t hi = blocks[part.end].hi ^ key.hi, lo = blocks[part.end].lo ^ key.lo;

		if ((depth >= 64 ? hi : depth > 0 ? hi >> (64 - depth) : 0) || (depth > 64 && lo >> (128 - depth)))
			break;
	}
	return part;
}

// The one slot whose subtree is not written yet, as it may become part of a path.
struct pending {
	int slot; // -1: none
	struct made made;
};

// Makes a slot's subtree. What is pending is written once there is another one: no path is left then.
static void make_slot(struct edit *e, uint32_t *slots, unsigned at, const struct subtree *subtree, const struct slots_spot *spot,
                      struct span span, struct pending *pending, const struct slots_spot *parent)
{
	struct made made = make(e, subtree, spot, span);

	slots[at] = made.ref;
	if (made.path.count == 0)
		return;
	if (pending->slot >= 0) {
		unsigned bits = bits_at(parent->depth);
		struct slots_spot there = {slots_key(parent, bits, (uint64_t)pending->slot), parent->depth + bits};

		slots[pending->slot] = written(e, pending->made, &there);
	}
	slots[at] = 0; // not a leaf, whatever it will be
	*pending = (struct pending){(int)at, made};
}

// A block's address without the first bits, those of `spot`.
static uint64_t bits_of(const struct slots_spot *spot, const struct ptree_entry *block)
{
	if (spot->depth >= 64)
		return block->lo << (spot->depth - 64);
	return spot->depth > 0 ? block->hi << spot->depth | block->lo >> (64 - spot->depth) : block->hi;
}

// A subtree's slots as they are to be: those that blocks of the change cover get their value, in others it goes on.
static struct pending make_slots(struct edit *e, const struct subtree *subtree, const struct slots_spot *spot, struct span span,
                                 uint32_t *slots)
{
	unsigned bits = bits_at(spot->depth), below = spot->depth + bits, next, covered;
	struct pending pending = {.slot = -1};
	struct subtree rest = {0};
	int going = read_slots(e, subtree, bits, slots, &rest);

	for (unsigned i = 0; i < 1u << bits; i += covered) {
		const struct ptree_entry *block = span.first < span.end ? &e->change->blocks[span.first] : NULL;
		struct subtree old = (int)i == going ? rest : (struct subtree){slots[i], 0};

		next = block ? (unsigned)(bits_of(spot, block) >> (64 - bits)) : 1u << bits;
		covered = 1;
		if (i == next && block->len <= below) {
			covered = 1u << (below - block->len);
			for (unsigned k = i; k < i + covered; k++) {
				give_up_slot(e, (int)k == going ? rest : (struct subtree){slots[k], 0}, below);
				slots[k] = slots_leaf(block->value);
			}
			span.first++;
		} else if (i == next || old.passed > 0 || (e->is_whole && !stride_is_leaf(old.ref))) {
			struct slots_spot there = {slots_key(spot, bits, i), below};
			struct span part = i == next ? part_of(e, span, there.key, below) : (struct span){span.first, span.first};

			span.first = part.end;
			make_slot(e, slots, i, &old, &there, part, &pending, spot);
		}
	}
	must(span.first == span.end);
	return pending;
}

// How long the path to the block is, if that is the only one and around it is a leaf; else 0.
static unsigned way_to(const struct edit *e, const struct subtree *subtree, const struct slots_spot *spot, struct span span)
{
	unsigned left = e->change->blocks[span.first].len - spot->depth;

	if (!stride_is_leaf(subtree->ref) || span.end != span.first + 1 || spot->depth < PAGES_BITS)
		return 0;
	return left >= STRIDE_BITS && left < STRIDE_PATH_BITS + STRIDE_BITS ? left / STRIDE_BITS * STRIDE_BITS : 0;
}

// As make() would have it, of a way that is not 0: nearly all of what is learned is a lone block.
static struct made make_way(struct edit *e, const struct subtree *subtree, const struct slots_spot *spot, struct span span,
                            unsigned count)
{
	const struct ptree_entry *block = &e->change->blocks[span.first];
	struct slots_spot there = {.depth = spot->depth + count};
	struct made made = {.path = {.count = count, .value = slots_plain(subtree->ref)}, .end = slots_leaf(block->value)};

	if (block->value == made.path.value)
		return (struct made){.ref = made.end};
	made.path.bits = bits_of(spot, block) >> (64 - count) << (64 - count);
	there.key = (struct addr_key){block->hi, block->lo};
	if (block->len == there.depth) {
		slots_set_leaf(e->change, &made.end, 1, &there);
		return made;
	}
	if (there.depth < 64)
		there.key = (struct addr_key){block->hi >> (64 - there.depth) << (64 - there.depth), 0};
	else
		there.key.lo = there.depth == 64 ? 0 : block->lo >> (128 - there.depth) << (128 - there.depth);
	made.end = written(e, make(e, subtree, &there, span), &there);
	return made;
}

// A subtree with the blocks of the span, all of which are longer than `spot`.
static struct made make(struct edit *e, const struct subtree *subtree, const struct slots_spot *spot, struct span span)
{
	unsigned bits = bits_at(spot->depth);
	uint32_t slots[WORDPOOL_PAGE];
	struct pending pending;
	unsigned way = span.first < span.end ? way_to(e, subtree, spot, span) : 0;
	int lone;

	must(spot->depth < 128);
	if (way > 0)
		return make_way(e, subtree, spot, span, way);
	if (!stride_is_leaf(subtree->ref) && subtree->passed == 0)
		give_up(e, subtree->ref, bits);
	pending = make_slots(e, subtree, spot, span, slots);
	if (slots_settle(e->change, slots, bits, spot)) {
		if (spot->depth > 0)
			return (struct made){.ref = slots_leaf(slots_plain(slots[0]))};
		slots_set_leaf(e->change, slots, WORDPOOL_PAGE, spot);
	}
	lone = bits == STRIDE_BITS ? slots_lone(slots) : -1;
	if (lone >= 0) {
		struct slots_spot there = {slots_key(spot, bits, (uint64_t)lone), spot->depth + bits};
		bool is_old = pending.slot < 0 && !e->is_whole;

		return lengthened(e, slots, (unsigned)lone, pending.slot >= 0 ? pending.made : is_old ? taken_over(e, slots[lone]) :
		                  (struct made){.ref = slots[lone]}, is_old, &there);
	}
	if (pending.slot >= 0) {
		struct slots_spot there = {slots_key(spot, bits, (uint64_t)pending.slot), spot->depth + bits};

		slots[pending.slot] = written(e, pending.made, &there);
	}
	return (struct made){.ref = bits == PAGE_BITS ? write_page(e, slots) : write_node(e, slots)};
}

int graft_write(const struct trie_change *change, const uint32_t *from, uint32_t top, struct wordpool_version *version,
                bool is_whole, uint32_t *ret_top)
{
	static const struct slots_spot everywhere;
	struct edit e = {.change = change, .from = from, .version = version, .is_whole = is_whole};
	struct made made = make(&e, &(struct subtree){top, 0}, &everywhere, (struct span){0, change->count});

	if (e.err == E_OK)
		*ret_top = made.ref;
	return e.err;
}
