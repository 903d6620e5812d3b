// Longest-prefix match for the hot path: a prefix tree frozen into an index of the first bits and 64-way nodes of a bitmap
// and its references, so that an IPv4 address takes one to six small reads and an entry costs a few bytes. A leaf holds
// its value and its depth, the exact scope.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"

struct ptree;

enum { LPM_VALUE_MAX = 0x7fffff };

// Owns `words`; who holds it need not look inside.
struct lpm {
	uint32_t *words;      // the root's references, then the nodes
	uint32_t count, cap;  // words
	unsigned root_bits;   // of an address: they index the root
};

struct lpm_hit {
	uint32_t value;
	uint8_t depth; // length of the widest aligned block around the address that has this value
};

// Freezes a tree whose values are at most LPM_VALUE_MAX into *ret_lpm. E_NOMEM; *ret_lpm is then empty.
int lpm_freeze(const struct ptree *tree, struct lpm *ret_lpm) MUST_USE;
// Frees what it holds; it is then empty.
void lpm_wipe(struct lpm *lpm);

struct lpm_hit lpm_lookup(const struct lpm *lpm, struct addr_key key) HOT PURE NONNULL(1);

// A search of many that are made together: they wait for memory at the same time, not one after another.
struct lpm_search {
	const struct lpm *lpm;
	struct addr_key key; // used up
	struct lpm_hit hit;  // out
};

enum { LPM_SEARCHES_MAX = 16 };

// Fills every hit. `count` is at most LPM_SEARCHES_MAX.
void lpm_lookup_all(struct lpm_search *searches, unsigned count) HOT;

// Octets besides the struct itself.
size_t lpm_bytes(const struct lpm *lpm) PURE;
