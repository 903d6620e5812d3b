// The part of steering that is done before any query: the table from address to ranking for one set of sites. Apps with
// the same sites, weights and tie share one struct steer.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/must.h"
#include "steer/lpm.h"
#include "steer/ranking.h"

// What an app answers when no target is left that the client can reach.
enum last_resort { LAST_RESORT_SERVFAIL, LAST_RESORT_ADDRESSES };

struct steer {
	struct lpm v4, v6;         // address -> position of its ranking in `rankings`, in units of RANKING_UNIT octets
	const uint8_t *rankings;
	size_t rankings_len;       // octets
	uint32_t ranking_count;
	struct ranking_spec spec;
};

// Makes the rankings and the tables. `in` is borrowed during the call, `spec` is copied; the caller frees *ret_steer
// with steer_free(). E_NOMEM; E_LIMIT when there are too many rankings.
int steer_build(const struct steer_input *in, const struct ranking_spec *spec, struct steer **ret_steer) MUST_USE;
// Takes NULL; returns NULL.
struct steer *steer_free(struct steer *steer);
// Memory used, in octets.
size_t steer_bytes(const struct steer *steer);

// What a query learns about its client: its ranking, and the length in bits of the block that has that ranking.
struct steer_hit {
	const struct ranking *ranking;
	uint8_t depth;
};

static inline const struct lpm *steer_table(const struct steer *steer, const struct addr *addr)
{
	return addr->family == ADDR_V4 ? &steer->v4 : &steer->v6;
}

static inline struct steer_hit steer_hit(const struct steer *steer, struct lpm_hit hit)
{
	dev_must((size_t)hit.value * RANKING_UNIT < steer->rankings_len);
	return (struct steer_hit){(const void *)(steer->rankings + (size_t)hit.value * RANKING_UNIT), hit.depth};
}

// Looks up a single address.
static inline struct steer_hit steer_lookup(const struct steer *steer, const struct addr *addr)
{
	return steer_hit(steer, lpm_lookup(steer_table(steer, addr), addr_key(addr)));
}
