// The decision for one client and one app: locate the client, take the order made for its place, and the first
// candidate that health and drains allow. Returns a value and writes no packet; queries and explain both call it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "steer/steer.h"
#include "wire/query.h"

struct app;
struct live;
struct target;

// First row that applies (DESIGN section 2.4); "reachable" is what the order holds, nothing else is ever looked at.
//
//   a reachable target neither drained nor down      PICK_HEALTHY      the first in order, or by weight among its equals
//   a reachable target not drained                   PICK_FAIL_OPEN    likewise, health ignored
//   reachable targets, all drained                   PICK_DRAINED      the app's last resort
//   none reachable                                   PICK_UNREACHABLE  the app's last resort
enum pick_outcome { PICK_HEALTHY, PICK_FAIL_OPEN, PICK_DRAINED, PICK_UNREACHABLE };

struct pick {
	enum pick_outcome outcome;
	const struct target *target; // NULL for PICK_DRAINED and PICK_UNREACHABLE
	uint32_t target_number;      // in the view; only with a target
	const struct order *order;   // what it was chosen from
	struct addr client;          // the address that was located: the ECS one or the transport's
	uint8_t depth;               // of the client's leaf
	uint8_t scope;               // ECS scope of the answer; 0 when the query has no usable ECS
	bool by_ecs;                 // `client` is from ECS
	bool hashed;                 // a hash decided among equals
};

// DESIGN section 2.1: the address that stands for the client is the ECS one when it has a source length above 0, else the
// transport's. `ecs` may be NULL or not present.
static inline const struct addr *pick_client(const struct query_ecs *ecs, const struct addr *source)
{
	return ecs && ecs->present && ecs->source_len > 0 ? &ecs->addr : source;
}

// The scope depends on the table alone, never on health or drains.
struct pick pick_target(const struct live *live, const struct app *app, const struct query_ecs *ecs,
                        const struct addr *source) HOT;
// The same where pick_client() has been searched for already; `hit` is what app->steer has for it.
struct pick pick_target_at(const struct live *live, const struct app *app, const struct query_ecs *ecs,
                           const struct addr *source, struct steer_hit hit) HOT;

const char *pick_outcome_text(enum pick_outcome outcome);
