// The overlay: what edge-discovery services say of the clients in a prefix, as a query reads it. A second table beside
// the prefix table, and a part of struct live. It is made for the sites and places of one struct tables, off the main
// thread, and immutable.
//
// Reach is decided when it is made, so that no query needs the place of its client. The carrier and the class that count
// are those that were learned, and where nothing was learned of one of them the prefix table's; a prefix of which the
// prefix table says several things becomes several blocks. The truth table, for each of these blocks:
//
//   learned carrier   learned class   the block's carrier                     sites of it
//   C                 edge            C                                       the learned ones that C's clients reach
//   C                 other           none                                    the public ones
//   C                 not learned     C where the table's class is edge or    the same
//                                     not stated, else none
//   not learned       edge            the table's                             the same
//   not learned       other           none                                    the same
//   not learned       not learned     the table's, none if its class is       the same
//                                     not edge
//
// A block for which nothing follows (no site left, and neither carrier nor class learned) is a gap.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "steer/lpm.h"

struct notes;
struct ptree;
struct tables;

enum {
	LEARNED_SITES_MAX = 4,
	LEARNED_FACTS_MAX = 1 << 20,
	LEARNED_BLOCKS_MAX = 4 << 20, // that the prefixes of all facts are divided into
};

// What was learned of a prefix, in the numbers of a struct tables.
struct learned_fact {
	struct prefix prefix;
	uint16_t sites[LEARNED_SITES_MAX]; // best first
	uint8_t site_count;
	bool has_carrier, has_class; // something was learned
	bool is_edge;                // that the class is the one carriers' sites serve
	uint16_t carrier;            // number in places->carriers; 0: one that no site and no place has
};

// What holds in a block.
struct learned_row {
	uint16_t sites[LEARNED_SITES_MAX]; // best first; every one within reach
	uint16_t site_count;
	uint16_t carrier;                  // as site_reached_by() takes it: which of the prefix table's sites are in reach
};

struct learned {
	struct tables *tables;     // used
	struct lpm_pair table;     // address -> row; 0: nothing is known there, and its depth is the gap's
	struct learned_row *rows;
	size_t row_count, row_cap;
	// For those who learn; set by learned_want().
	struct lpm_pair wanted;    // address -> 1: a service could be asked about it and nothing fresh is known; else 0
	struct notes *notes;       // borrowed; NULL: nobody learns
};

// Makes the overlay of `count` facts; where prefixes are nested the longest counts, of equal ones the last. The caller
// frees it with learned_free(). Any thread. E_LIMIT: too many facts or blocks; E_NOMEM.
int learned_build(struct tables *tables, const struct learned_fact *facts, size_t count,
                  struct learned **ret_learned) MUST_USE;
// Adds what workers are to leave notes of: the addresses of `regions` (a tree by family, values 0 and 1) except those
// in one of the `count` prefixes. E_NOMEM.
int learned_want(struct learned *learned, const struct ptree *regions_v4, const struct ptree *regions_v6,
                 const struct prefix *known, size_t count, struct notes *notes) MUST_USE;
// Takes NULL; returns NULL.
struct learned *learned_free(struct learned *learned);
// Memory used, in octets.
size_t learned_bytes(const struct learned *learned) PURE;

// Looks up a single address.
static inline struct lpm_hit learned_lookup(const struct learned *learned, const struct addr *addr)
{
	return lpm_lookup(lpm_of(&learned->table, addr->family), addr_key(addr));
}

// The row of a search's result; NULL: a gap.
static inline const struct learned_row *learned_row_of(const struct learned *learned, struct lpm_hit hit)
{
	return hit.value ? &learned->rows[hit.value] : NULL;
}
