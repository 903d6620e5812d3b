// Steering, the part that is paid before the query: the table from address to ranking for one set of sites. Apps with the
// same sites, weights and tie share one struct steer.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "steer/lpm.h"
#include "steer/ranking.h"

// What an app answers when no target that the client can reach is left.
enum last_resort { LAST_RESORT_SERVFAIL, LAST_RESORT_ADDRESSES };

struct steer {
	struct lpm v4, v6;         // address -> its ranking, in units of RANKING_UNIT octets into `rankings`
	const uint8_t *rankings;
	size_t rankings_len;       // octets
	uint32_t ranking_count;
	struct ranking_spec spec;
};

// Makes the rankings and the tables. E_NOMEM, E_LIMIT. `spec` is copied.
int steer_build(const struct steer_input *in, const struct ranking_spec *spec, struct steer **ret_steer) MUST_USE;
struct steer *steer_free(struct steer *steer);
size_t steer_bytes(const struct steer *steer);

// What the query learns of its client: which ranking, and the length of the block that has it.
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
	return (struct steer_hit){(const void *)(steer->rankings + (size_t)hit.value * RANKING_UNIT), hit.depth};
}

// One address, by itself.
static inline struct steer_hit steer_lookup(const struct steer *steer, const struct addr *addr)
{
	return steer_hit(steer, lpm_lookup(steer_table(steer, addr), addr_key(addr)));
}
