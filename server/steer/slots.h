// The slots of a trie's nodes while they are made (graft.c): which are one leaf, and how deep that is. A leaf's lowest bit is
// a mark, see trie.h.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "steer/stride.h"

enum { SLOTS_MAX = 512, SLOTS_MARK = 1 };

struct trie_change;

// The block of all addresses that begin with the first `depth` bits of a key.
struct slots_spot {
	struct addr_key key;
	unsigned depth;
};

// A leaf's value without its mark.
static inline uint32_t slots_plain(uint32_t leaf)
{
	return stride_value(leaf) & ~(uint32_t)SLOTS_MARK;
}

// A leaf whose depth does not count yet.
static inline uint32_t slots_leaf(uint32_t value)
{
	return stride_leaf(value, 0);
}

// The key with the slot's `bits` bits after the first ones, those of the spot; those past the address's end are dropped.
struct addr_key slots_key(const struct slots_spot *spot, unsigned bits, uint64_t slot) PURE;

// Makes slots one leaf, that of the first of them, of the block at `spot`, with the mark that the change gives it.
void slots_set_leaf(const struct trie_change *change, uint32_t *slots, size_t count, const struct slots_spot *spot);
// Gives leaves in the 1 << bits slots of a node at `spot` their depths. True: they are all one leaf, whose depth is yet to be
// known.
bool slots_settle(const struct trie_change *change, uint32_t *slots, unsigned bits, const struct slots_spot *spot);
// Of a stride's slots, the only one that is not the same leaf as all others; -1: there is none, or there are more.
int slots_lone(const uint32_t *slots) PURE;
