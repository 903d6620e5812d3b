// The outstanding queries of one socket, found by their DNS ID. IDs are assigned in sequence, so a ring indexed by the
// number of the query suffices: there is no search, and lost queries are always at the tail. Owned by a lane.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

enum { FLIGHT_MAX = 1 << 16 };

struct flight_slot {
	int64_t due_ns; // when the query was scheduled; monotonic clock
	uint32_t client;
	uint32_t name : 31; // its number
	uint32_t open : 1;
};

struct flight {
	struct flight_slot *slots;
	uint32_t mask;
	uint32_t tail, head; // numbers of the oldest query in the ring and of the next one; they wrap around
	uint32_t open;       // sent, neither answered nor given up
};

// Room for at least `wanted` queries, at most FLIGHT_MAX. E_NOMEM.
int flight_init(struct flight *flight, uint32_t wanted) MUST_USE;
void flight_done(struct flight *flight);

// How many more can be sent. A lost query at the tail takes up room until it is given up.
static inline uint32_t flight_room(const struct flight *flight)
{
	return flight->mask + 1 - (flight->head - flight->tail);
}

// The ID of the query that is added after `ahead` others.
static inline uint16_t flight_id(const struct flight *flight, uint32_t ahead)
{
	return (uint16_t)(flight->head + ahead);
}

// Adds the query with flight_id(flight, 0), which has been sent; there must be room.
static inline void flight_add(struct flight *flight, int64_t due_ns, uint32_t client, uint32_t name)
{
	flight->slots[flight->head & flight->mask] = (struct flight_slot){due_ns, client, name & INT32_MAX, 1};
	flight->head++;
	flight->open++;
}

// The query with an answer's ID, until the next call that changes the ring. NULL: there is none (already answered, given
// up, or never sent).
struct flight_slot *flight_find(struct flight *flight, uint16_t id) MUST_USE;
// Removes a query that was found, since it is answered.
void flight_close(struct flight *flight, struct flight_slot *slot);

// Gives up queries that were due before `before_ns`, oldest first; returns how many.
uint32_t flight_expire(struct flight *flight, int64_t before_ns);
