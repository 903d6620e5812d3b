// The overlay: what edge-discovery services say of the clients in a prefix, as a query reads it. A second table beside
// the prefix table, and a part of struct live. It is made for the sites and places of one struct tables, off the main
// thread, and immutable: a change makes another one, which shares with it what is the same (steer/trie.h), so that it costs
// what changes and not what is learned.
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
#include "base/users.h"
#include "steer/trie.h"
#include "view/explore.h"

struct learned_store;
struct tables;

enum {
	LEARNED_SITES_MAX = 4,
	LEARNED_FACTS_MAX = 1 << 20,
	LEARNED_BLOCKS_MAX = 4 << 20, // that the prefixes of all facts are divided into
};

// What was learned of a prefix, in the numbers of a struct tables. One that says nothing leaves a gap.
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
	struct users users;
	struct tables *tables;     // used
	struct trie v4, v6;        // address -> row; 0: nothing is known there, and its depth is the gap's
	const struct learned_row *rows; // of the store: each, and with an odd number behind it its twin, for those who explore
	struct learned_store *store; // used, with versions before and after it
	struct explore explore;
};

// Makes the overlay of `count` facts; where prefixes are nested the longest counts, of equal ones the last. The caller
// frees it with learned_free(). Any thread. E_LIMIT: too many facts or blocks; E_NOMEM.
int learned_build(struct tables *tables, const struct learned_fact *facts, size_t count, struct explore explore,
                  struct learned **ret_learned) MUST_USE;
// The overlay after `learned`, which stays as it is: each fact takes the place of what was learned of its prefix. None of
// them, nor of those that are in it, lies in another. Each is made from the one that was made last. E_LIMIT: it has to be
// built anew; E_NOMEM.
int learned_change(const struct learned *learned, const struct learned_fact *facts, size_t count,
                   struct learned **ret_learned) MUST_USE;
// The same facts, with others that explore.
int learned_explore(const struct learned *learned, struct explore explore, struct learned **ret_learned) MUST_USE;
// One user more. Any thread that has one.
struct learned *learned_use(struct learned *learned);
// One user less; the last one frees it. Any thread. Takes NULL; returns NULL.
struct learned *learned_free(struct learned *learned);
// Memory used, in octets, with that of the overlays before and after it that are still there.
size_t learned_bytes(const struct learned *learned);

// Whether it is a gap from end to end.
bool learned_is_empty(const struct learned *learned) PURE;

// Calls each() for every row that holds somewhere, more than once for most. Costs a walk over all.
void learned_each_row(const struct learned *learned, void (*each)(void *ctx, const struct learned_row *row), void *ctx);

// Looks up a single address.
static inline struct lpm_hit learned_lookup(const struct learned *learned, const struct addr *addr)
{
	return trie_lookup(addr->family == ADDR_V4 ? &learned->v4 : &learned->v6, addr_key(addr));
}

// The row of a search's result; NULL: a gap.
static inline const struct learned_row *learned_row_of(const struct learned *learned, struct lpm_hit hit)
{
	return hit.value ? &learned->rows[hit.value] : NULL;
}
