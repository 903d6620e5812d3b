// The part of steering that is done before any query, for one set of sites: how an address leads to the order of the
// set's sites. Apps with the same sites, weights and tie share one struct steer.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/must.h"
#include "steer/lpm.h"
#include "steer/ranking.h"
#include "steer/ranks.h"

// What an app answers when no target is left that the client can reach.
enum last_resort { LAST_RESORT_SERVFAIL, LAST_RESORT_ADDRESSES };

// How an address leads to an order. All three give every client the same order; they differ in memory and in scopes.
//
//   form     table (owner)                   then                                 for
//   OWN      address -> ranking (the set)    nothing                              the sets of most apps: shortest scopes
//   SHARED   address -> class (of a rule)    its ranks, compared by each query    all other sets without weights
//   MAPPED   address -> place (all sets)     an array: place -> ranking           all other sets with weights, or whose
//                                                                                 rule for unknown metros is `sole`
enum steer_form { STEER_OWN, STEER_SHARED, STEER_MAPPED, STEER_FORMS };

struct steer {
	const struct lpm_pair *table;  // address -> number of its order; of its place for MAPPED
	const uint8_t *orders;         // all orders, each a struct ranking, or for SHARED a struct ranks
	uint32_t order_unit;           // octets: order number N is at N * order_unit
	enum steer_form form;
	const uint32_t *of_places;     // MAPPED: the number of the order, by place. Owned; NULL for the other forms
	const uint16_t *columns;       // SHARED: by slot, the site's column in the ranks. Owned
	struct ranking_spec spec;      // its arrays are owned
	const uint16_t *slots;         // by hash of a site's number: slot + 1, 0: empty; see steer_slot_of(). Owned
	unsigned slots_bits;           // there are 2 to the power of this many
	uint8_t *rankings;             // OWN, MAPPED: `orders`. Owned
	size_t rankings_len;           // octets
	uint32_t ranking_count;
	struct lpm_pair own;           // OWN: `table`
};

// Makes the rankings and the table of a set. `in` is borrowed during the call, `spec` is copied; the caller frees the
// contents of *ret_steer, which has to stay where it is, with steer_wipe(). E_NOMEM; E_LIMIT when there are too many
// rankings. *ret_steer is then empty.
int steer_build_own(const struct steer_input *in, const struct ranking_spec *spec, struct steer *ret_steer) MUST_USE;
// The same for a set that shares `ranks`, in which its sites have columns, or the table of places (address -> number in
// in->places->table). These are borrowed until steer_wipe().
int steer_build_shared(const struct ranks_table *ranks, const struct ranking_spec *spec,
                       struct steer *ret_steer) MUST_USE;
int steer_build_mapped(const struct steer_input *in, const struct lpm_pair *places, const struct ranking_spec *spec,
                       struct steer *ret_steer) MUST_USE;
// Frees its contents and leaves it empty; an empty one is fine.
void steer_wipe(struct steer *steer);
// Memory used besides the struct itself, what is shared, and the array by place, in octets.
size_t steer_bytes(const struct steer *steer) PURE;

// What a query learns about its client: the order of the sites, and the length in bits of the block that has it.
struct steer_hit {
	const struct order *order; // owned by the steer
	uint8_t depth;
};

static inline const struct lpm *steer_table(const struct steer *steer, const struct addr *addr)
{
	return lpm_of(steer->table, addr->family);
}

static inline struct steer_hit steer_hit(const struct steer *steer, struct lpm_hit hit)
{
	size_t number = unlikely(steer->of_places) ? steer->of_places[hit.value] : hit.value;

	return (struct steer_hit){(const void *)(steer->orders + number * steer->order_unit), hit.depth};
}

// Looks up a single address.
static inline struct steer_hit steer_lookup(const struct steer *steer, const struct addr *addr)
{
	return steer_hit(steer, lpm_lookup(steer_table(steer, addr), addr_key(addr)));
}

static inline uint32_t steer_slot_hash(uint16_t site, unsigned bits)
{
	return site * 0x9e3779b1u >> (32 - bits);
}

// The slot of a site of the view in the set; -1: the set has not got it.
static inline int steer_slot_of(const struct steer *steer, uint16_t site)
{
	uint32_t mask = (1u << steer->slots_bits) - 1, at = steer_slot_hash(site, steer->slots_bits);
	uint16_t slot;

	while ((slot = steer->slots[at]) != 0 && steer->spec.sites[slot - 1] != site)
		at = (at + 1) & mask;
	return slot - 1;
}

// The order as what it is in this form.
static inline const struct ranking *steer_ranking(const struct steer *steer, const struct order *order)
{
	dev_must(steer->form != STEER_SHARED);
	return (const void *)order;
}

static inline const struct ranks *steer_ranks(const struct steer *steer, const struct order *order)
{
	dev_must(steer->form == STEER_SHARED);
	return (const void *)order;
}
