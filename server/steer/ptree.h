// A prefix table of one address family: every address has one value. Read as a binary tree it is "leaf-pushed" (every
// address is in exactly one leaf) and "merged" (no two sibling leaves have the same value), so the depth of an address's
// leaf is the length of the widest aligned block around it that has a single value: the exact ECS scope (RFC 7871
// section 7.2.1). Stored as runs of equal values in address order. Built once from a list and never edited; the slow
// side's form, compact and easy to combine. The hot path reads a struct lpm made from it.
//
// Values are 0..PTREE_VALUE_MAX; addresses that no prefix covers have value 0.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"

enum { PTREE_VALUE_MAX = 0x7fffffff, PTREE_NODES_MAX = 0x7fffffff };

struct ptree;

struct ptree_entry {
	uint64_t hi, lo; // the prefix's address as struct addr_key; bits past `len` zero
	uint32_t value;
	uint8_t len;
};

// Builds the tree of `count` entries; of nested prefixes the longest wins. Sorts `entries` in place (stably: of two
// equal prefixes the later one wins) and does not keep them. The caller frees *ret_tree with ptree_free(). E_NOMEM.
int ptree_build(struct ptree_entry *entries, size_t count, struct ptree **ret_tree) MUST_USE;
// Takes NULL; returns NULL.
struct ptree *ptree_free(struct ptree *tree);

// The value of an address and, in *ret_depth, the depth of its leaf (0..128 bits).
uint32_t ptree_lookup(const struct ptree *tree, struct addr_key key, uint8_t *ret_depth) NONNULL(1, 3);

// A new tree in which every address has the value combine(ctx, its value in `upper`, its value in `lower`). `upper` and
// `lower` stay the caller's. For equal arguments combine() must return equal values; it returns PTREE_VALUE_MAX + 1 to
// give up (E_NOMEM).
int ptree_overlay(const struct ptree *upper, const struct ptree *lower,
                  uint32_t (*combine)(void *ctx, uint32_t upper, uint32_t lower), void *ctx,
                  struct ptree **ret_tree) MUST_USE;

// A new tree in which every value v is replaced by map[v]. E_NOMEM.
int ptree_remap(const struct ptree *tree, const uint32_t *map, struct ptree **ret_tree) MUST_USE;

// Calls leaf() for every leaf in address order, with the first address and the length of its block.
void ptree_walk(const struct ptree *tree, void (*leaf)(void *ctx, struct addr_key key, uint8_t depth, uint32_t value),
                void *ctx);

// The same for the part of the table that lies in the block of `len` bits that starts at `key`.
void ptree_walk_block(const struct ptree *tree, struct addr_key key, uint8_t len,
                      void (*leaf)(void *ctx, struct addr_key key, uint8_t depth, uint32_t value), void *ctx);

// The number of addresses at which the value changes, of 24 bytes each.
size_t ptree_nodes(const struct ptree *tree) PURE;

// For code that builds another form of the tree (lpm.c). A reference is a leaf (its value) or an inner node (a number
// that stands for it at its own depth). `depth` is that of `inner`; the root's is 0.
uint32_t ptree_root(const struct ptree *tree) PURE;
uint32_t ptree_child(const struct ptree *tree, uint32_t inner, unsigned depth, unsigned bit) PURE;
static inline bool ptree_ref_is_leaf(uint32_t ref)
{
	return (ref >> 31) != 0;
}
static inline uint32_t ptree_ref_value(uint32_t ref)
{
	return ref & PTREE_VALUE_MAX;
}
