// Longest-prefix match for the hot path: a prefix tree frozen into an index of the first bits and 64-way nodes, each a
// bitmap and its references, so that an IPv4 lookup takes one to six small reads and an entry costs a few bytes. A leaf
// holds its value and its depth, which is the exact scope.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"

struct ptree;

enum { LPM_VALUE_MAX = 0x7fffff };

// Owns `words`. Read only by lpm.c; it is here so that it can be embedded.
struct lpm {
	uint32_t *words;      // the root's references, then the nodes
	uint32_t count, cap;  // words
	unsigned root_bits;   // the number of bits of an address that index the root
};

struct lpm_hit {
	uint32_t value;
	uint8_t depth; // length of the widest aligned block around the address that has this value
};

// Freezes a tree whose values are at most LPM_VALUE_MAX into *ret_lpm, which lpm_wipe() frees. E_NOMEM; *ret_lpm is
// then empty.
int lpm_freeze(const struct ptree *tree, struct lpm *ret_lpm) MUST_USE;
// The same with an index as large as can be (1 MiB), from which one step leads to an IPv4 /24: for tables of scattered
// prefixes that are searched besides another, by lpm_lookup(): a few such searches the processor overlaps by itself.
int lpm_freeze_wide(const struct ptree *tree, struct lpm *ret_lpm) MUST_USE;
// Frees its contents and leaves it empty; an empty one is fine.
void lpm_wipe(struct lpm *lpm);

// The tables of both address families.
struct lpm_pair {
	struct lpm v4, v6;
};

// Freezes both trees with every value v replaced by map[v]; NULL: as they are. The values are at most LPM_VALUE_MAX.
// E_NOMEM; *ret_pair is then empty.
int lpm_pair_freeze(const struct ptree *v4, const struct ptree *v6, const uint32_t *map,
                    struct lpm_pair *ret_pair) MUST_USE;
// Frees its contents and leaves it empty; an empty one is fine.
void lpm_pair_wipe(struct lpm_pair *pair);

static inline const struct lpm *lpm_of(const struct lpm_pair *pair, uint8_t family)
{
	return family == ADDR_V4 ? &pair->v4 : &pair->v6;
}

// The leaf of an address. `lpm` is not empty.
struct lpm_hit lpm_lookup(const struct lpm *lpm, struct addr_key key) HOT PURE NONNULL(1);

// One of several searches made together, so that their waits for memory overlap.
struct lpm_search {
	const struct lpm *lpm;
	struct addr_key key; // overwritten
	struct lpm_hit hit;  // out
};

enum { LPM_SEARCHES_MAX = 16 };

// Fills in every hit. `count` is at most LPM_SEARCHES_MAX.
void lpm_lookup_all(struct lpm_search *searches, unsigned count) HOT;
// Memory used besides the struct itself, in octets.
size_t lpm_bytes(const struct lpm *lpm) PURE;
size_t lpm_pair_bytes(const struct lpm_pair *pair) PURE;
