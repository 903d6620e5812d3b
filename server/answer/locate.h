// Where a client is: the address that stands for it, and what an app's table says of that address. The one place that knows
// how; queries, the way behind a CNAME and explain all come here.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "steer/ranking.h"
#include "wire/query.h"

struct app;
struct live;

struct location {
	const struct addr *client;      // the ECS address or the transport's, wherever the caller keeps them
	const struct ranking *ranking;  // the app's candidates for it; the view's
	uint8_t depth;                  // of the client's leaf: the length of the block that has this ranking
	uint8_t scope;                  // ECS scope of an answer made from it; 0: the query has no ECS that counts
	bool by_ecs;                    // `client` is from ECS
};

// Truth table (DESIGN sections 2.1 and 2.6); first row that applies:
//
//   ECS in the query             its address in `ecs-ignore`     client      scope
//   none, or source length 0     any                             transport   0
//   source length above 0        no                              ECS         the leaf's depth; where a hash may decide,
//                                                                            at least the length the hash looks at
//   source length above 0        yes (RFC 7871 section 11.3)     transport   the depth of the ECS address's leaf
//
// The scope depends on the tables alone, never on health or drains: otherwise two caches would hold overlapping blocks.
struct locate_request {
	const struct app *app;
	const struct query_ecs *ecs;    // NULL or not present: none
	const struct addr *source;      // the transport's
	struct location *ret_location;
};

enum { LOCATE_MAX = 16 };

// Locates up to LOCATE_MAX clients together: they wait for memory at the same time, not one after another.
void locate_all(const struct live *live, struct locate_request *requests, unsigned count) HOT;
// Locates one.
struct location locate_client(const struct live *live, const struct app *app, const struct query_ecs *ecs,
                              const struct addr *source);

// The length of the client's prefix that a hash among equals looks at: the app's, or the leaf's where that is longer.
uint8_t locate_hash_len(const struct app *app, const struct location *location) PURE;
