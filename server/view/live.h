// The live part: everything that changes while a view is served. A small struct of pointers to immutable parts, each
// with a lifetime of its own: the next publication shares those that did not change, and retires the others. Readers
// load one pointer and get a consistent set of parts.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/must.h"
#include "base/publish.h"

struct columns;
struct learned;
struct notes;
struct view;
struct wanted;

// Why a target may not be answered; 0: it may be.
enum target_state {
	TARGET_DOWN = 1 << 0,    // unhealthy, or forced down; fail-open ignores it
	TARGET_DRAINED = 1 << 1, // by an operator's override; never ignored
	TARGET_EMPTY = 1 << 2,   // it has no address; never ignored
	TARGET_LEAVING = 1 << 3, // for a part of its clients: an operator's drain that is under way; never ignored
	TARGET_EASED = 1 << 4,   // for a part of its clients: they take it only if nobody else is open to them
	TARGET_BY_CARRIER = 1 << 5, // whether it is DOWN is the opposite for clients of some carrier, see columns.h
	TARGET_ADOPTED = 1 << 6, // its app steers a part of its clients; the others get any of its targets, by weight
};

#define TARGET_CLOSED (TARGET_DOWN | TARGET_DRAINED | TARGET_EMPTY) // for all clients
#define TARGET_PARTS (TARGET_LEAVING | TARGET_EASED)

// Whether it is answered to healthy clients, or to a part of them.
static inline bool live_state_is_up(uint8_t state)
{
	return !(state & TARGET_CLOSED);
}

// Whether some of its clients take it, and others do not.
static inline bool live_state_is_part(uint8_t state)
{
	return state & TARGET_PARTS && !(state & (TARGET_DRAINED | TARGET_EMPTY));
}

// A target's state as text: "up", "down", "no address" (up or down), "drained", "drained, down", "drained, no address";
// with TARGET_LEAVING "draining" in the place of "drained", else with TARGET_EASED "up in part" in the place of "up".
const char *live_state_text(uint8_t state);

// The part that health and overrides change: the state of each target of one view, by number. Read only by
// live_state().
struct target_states {
	uint32_t count;       // view->target_count
	uint8_t octets[];     // enum target_state
};

// All targets in state 0, for the slow side to fill in before it is published. If it never is, the caller frees it with
// free(). NULL when out of memory.
struct target_states *live_states_new(uint32_t count) MUST_USE;
// Sets memory aside for publications of `count` states, so that one more can always be made, at the latest when what
// was published before has been retired (publish_drain() waits for that). E_NOMEM.
int live_reserve(uint32_t count) MUST_USE;

// The part of its clients that a target takes where it does not take all: each client has a number of its own below
// SHARE_ALL, the same for all targets, and is among those that a target takes if it is below the target's share. So
// clients that leave one site of several that are emptied at the same pace do not meet at another, and none comes back.
enum { SHARE_ALL = 1 << 16 };

struct target_share {
	uint16_t staying;  // with TARGET_LEAVING: of SHARE_ALL; else not looked at
	uint16_t eased;    // the same with TARGET_EASED
	uint16_t steered;  // with TARGET_ADOPTED, of an app's first target: which of the app's clients (answer/share.h)
};

// By target number: a query reads what it needs at once, and filling it costs as little as copying the states.
struct target_shares {
	uint32_t count;    // view->target_count
	struct target_share of[];
};

// For the slow side to fill in. If it is never published, the caller frees it with free(). NULL when out of memory.
struct target_shares *live_shares_new(uint32_t count) MUST_USE;
// Gives back what was made and is not published: it may have been set aside. Any thread. Takes NULL.
void live_shares_put(const struct target_shares *shares);
// Sets memory aside for publications of `count` shares, as live_reserve(). E_NOMEM.
int live_reserve_shares(uint32_t count) MUST_USE;
// To add a part, add a pointer here and a line in replace() in live.c.
struct live {
	const struct view *view;
	const struct target_states *states;
	const struct target_shares *shares; // NULL: no target has one of TARGET_PARTS or TARGET_ADOPTED
	const struct learned *learned; // for the view's tables; NULL: nothing is learned
	const struct wanted *wanted; // NULL: nobody is asked about
	const struct columns *columns; // of targets with TARGET_BY_CARRIER; NULL: there are none
	struct notes *samples; // borrowed: in which workers leave a sample of the queries; NULL: in none
	uint64_t epoch;       // counts publications from 1
};

// A copy of what is published now (empty at first), in which the caller replaces parts. Owned by the caller until
// live_publish(); if it is never published, the caller frees it, but not its parts, with free(). NULL when out of
// memory.
struct live *live_next(void) MUST_USE;
// Publishes `live`, taking ownership of it and its new parts, and retires the parts that it no longer has. Every target
// of live->view must have a state, and what is learned be made for its tables. Main thread only.
void live_publish(struct live *live);
// What is published now; NULL before the first publication. Only for the main thread, which alone retires it; readers
// use live_read().
const struct live *live_current(void);
// Publishes nothing and retires everything, when serving has stopped. Main thread only.
void live_withdraw(void);

// Private to live_read() and live.c.
extern struct published live_published;

// For readers, which must be online. NULL before the first publication.
static inline const struct live *live_read(void)
{
	return publish_load(&live_published);
}

// Which part of its clients the target takes, of SHARE_ALL, were it not closed.
uint32_t live_share(const struct live *live, uint32_t target) PURE;

// The state of a target of live->view, by its number.
static inline uint8_t live_state(const struct live *live, uint32_t target)
{
	dev_must(target < live->states->count);
	return live->states->octets[target];
}
