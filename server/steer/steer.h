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
//   SHARED   address -> class (all sets)     its ranks, compared by each query    all other sets without weights
//   MAPPED   address -> place (all sets)     an array: place -> ranking           all other sets with weights
enum steer_form { STEER_OWN, STEER_SHARED, STEER_MAPPED, STEER_FORMS };

struct steer {
	enum steer_form form;
	uint32_t ranking_count;         // OWN, MAPPED
	const struct lpm_pair *table;   // OWN: `own`
	const uint8_t *rankings;        // OWN, MAPPED: the rankings, each at a multiple of RANKING_UNIT octets. Owned
	size_t rankings_len;            // octets
	const uint32_t *of_places;      // MAPPED: by place, the position of its ranking in units. Owned
	const struct ranks_table *ranks; // SHARED. Borrowed
	const uint16_t *columns;        // SHARED: by slot, the site's column in `ranks`. Owned
	struct ranking_spec spec;       // its arrays are owned
	struct lpm_pair own;            // OWN: address -> position of its ranking, in units
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

// What a query learns about its client: the order of the sites, as one of the two, and the length in bits of the block
// that has it.
struct steer_hit {
	const struct ranking *ranking; // NULL: STEER_SHARED
	const struct ranks *ranks;     // NULL: another form
	uint8_t depth;
};

static inline const struct lpm *steer_table(const struct steer *steer, const struct addr *addr)
{
	return lpm_of(steer->table, addr->family);
}

static inline struct steer_hit steer_hit(const struct steer *steer, struct lpm_hit hit)
{
	uint32_t unit = hit.value;

	if (steer->form == STEER_SHARED)
		return (struct steer_hit){NULL, ranks_of_class(steer->ranks, hit.value), hit.depth};
	if (unlikely(steer->form == STEER_MAPPED))
		unit = steer->of_places[unit];
	dev_must((size_t)unit * RANKING_UNIT < steer->rankings_len);
	return (struct steer_hit){(const void *)(steer->rankings + (size_t)unit * RANKING_UNIT), NULL, hit.depth};
}

// Prefetches the start of an order.
static inline void steer_prefetch(const struct steer_hit *hit)
{
	__builtin_prefetch(hit->ranking ? (const void *)hit->ranking : hit->ranks);
}

// Looks up a single address.
static inline struct steer_hit steer_lookup(const struct steer *steer, const struct addr *addr)
{
	return steer_hit(steer, lpm_lookup(steer_table(steer, addr), addr_key(addr)));
}

static inline bool steer_hit_ignores_ecs(const struct steer_hit *hit)
{
	return hit->ranking ? hit->ranking->ecs_ignored : hit->ranks->ecs_ignored;
}
