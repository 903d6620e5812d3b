// Locates clients: the address that represents a client, and the order of an app's sites for it. The only code that does:
// queries, steps behind a CNAME and `explain` all use it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "steer/steer.h"
#include "view/app.h"
#include "view/live.h"
#include "wire/query.h"

struct learned_row;

struct location {
	const struct addr *client;      // the ECS address or the transport's; owned by the caller
	struct steer_hit hit;           // the order of the app's sites for it, owned by the view, and the length in bits of the
	                                // block in which that and `learned` hold
	const struct learned_row *learned; // of its prefix, owned by the live part; NULL: nothing, the order alone counts
	uint8_t scope;                  // ECS scope of an answer made from it, bits; 0: the query has no usable ECS
	bool by_ecs;                    // `client` is from ECS
};

// Truth table (DESIGN sections 2.1 and 2.6); the first row that applies:
//
//   ECS in the query             its address in `ecs-ignore`     client      scope
//   none, or source length 0     any                             transport   0
//   source length above 0        no                              ECS         the leaf's depth; where a hash may decide,
//                                                                            at least the length that is hashed
//   source length above 0        yes (RFC 7871 section 11.3)     transport   the depth of the ECS address's leaf
//
// Where prefixes are learned there are two tables, and the leaf's depth is that of the longer of the two leaves, whether
// the second has something there or a gap: the blocks are those of both tables laid over one another, so that none
// overlap. The scope depends only on the tables, never on health or drains: caches would otherwise get overlapping blocks.
// The exception is what locate_lengthen() is for.
struct locate_request {
	const struct app *app;
	const struct query_ecs *ecs;    // NULL or not present: none
	const struct addr *source;      // the transport's
	struct location *ret_location;
};

enum { LOCATE_MAX = 16 };

// For locate_all(): by the table alone, and by what is learned too. `count`: 1..LOCATE_MAX.
void locate_by_table(struct locate_request *requests, unsigned count) HOT;
void locate_by_both(const struct learned *learned, struct locate_request *requests, unsigned count);

// Locates up to LOCATE_MAX clients together, so that their waits for memory overlap. Most servers have learned nothing.
static ALWAYS_INLINE void locate_all(const struct live *live, struct locate_request *requests, unsigned count)
{
	if (unlikely(live->learned))
		locate_by_both(live->learned, requests, count);
	else
		locate_by_table(requests, count);
}
// Locates a single client.
struct location locate_client(const struct live *live, const struct app *app, const struct query_ecs *ecs,
                              const struct addr *source);

// The answer holds for a block of `depth` bits, where that is less than the location's: pick.c has come to a target whose state
// is not the same for all clients of the block. All of them come to it, so at any moment the block is divided as a whole;
// since that begins and ends with the state of targets, caches may hold overlapping blocks for one TTL thereafter, as when
// what is learned changes.
static inline void locate_lengthen(struct location *location, uint8_t depth)
{
	if (location->by_ecs && depth > location->scope)
		location->scope = depth;
}

// The length in bits of the client's prefix that is hashed within a group: the app's, or the leaf's where that is
// longer.
static inline uint8_t locate_hash_len(const struct app *app, const struct location *location)
{
	const struct ranking_spec *spec = &app->steer->spec;
	uint8_t len = location->client->family == ADDR_V4 ? spec->hash_v4 : spec->hash_v6;

	return len > location->hit.depth ? len : location->hit.depth;
}

