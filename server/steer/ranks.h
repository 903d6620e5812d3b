// The table that sets of sites with one rule for unknown metros share: from address to the *ranks* of all their sites
// at once. A set needs nothing of its own then: each query takes the best ranked of its app's sites that it may
// answer. Places with the same ranks are one place class, and the table's blocks are those of classes: no wider than
// the blocks of any one set, so that scopes may be longer than necessary, but are never false and never overlap.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "steer/lpm.h"
#include "steer/ranking.h"

// Ranks besides those of sites with a known cost, which count from 0. Sites of equal cost have equal ranks: their order
// is the app's.
enum { RANK_UNKNOWN_PREFERRED = UINT16_MAX - 3, RANK_UNKNOWN_PUBLIC, RANK_UNKNOWN_CARRIER, RANK_UNREACHABLE };

_Static_assert(RANK_UNREACHABLE == UINT16_MAX && (int)SITES_MAX < (int)RANK_UNKNOWN_PREFERRED, "ranks fit 16 bits");

// A row of the table: the ranks in one place class.
struct ranks {
	struct order order;    // never hashed
	uint16_t of[];         // by column
};

// Owns what it points to.
struct ranks_table {
	struct lpm_pair classes;   // address -> place class
	uint16_t *rows;            // `class_count` rows of `row_len` numbers, each a struct ranks
	uint16_t *columns;         // by site: its column; only sites of the sets that share the table have one
	size_t class_count, row_len;
};

// Ranks the sites marked in `is_wanted` (by site) for all places by one rule for clients of unknown metro (not `sole`,
// which depends on the set), on all processors. `in` is borrowed during the call;
// ranks_wipe() frees the contents of *ret_table. E_NOMEM; E_LIMIT when there are too many classes, or their rows
// would take more than RANKS_BYTES_MAX. *ret_table is then empty.
int ranks_build(const struct steer_input *in, enum metro_rule rule, size_t site_count, const bool *is_wanted,
                struct ranks_table *ret_table) MUST_USE;
enum { RANKS_BYTES_MAX = 1 << 30 };
// Frees its contents and leaves it empty; an empty one is fine.
void ranks_wipe(struct ranks_table *table);
// Memory used besides the struct itself, in octets.
size_t ranks_bytes(const struct ranks_table *table) PURE;
