// The live part: everything that moves while a view is served. A small struct of pointers to immutable parts, each of
// which lives on its own: what did not change is shared by the next publication, and what did is retired alone. Readers
// load one pointer and have parts that belong together.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/must.h"
#include "base/publish.h"

struct view;

// What stands in the way of a target. Nothing: it may be answered.
enum target_state {
	TARGET_DOWN = 1 << 0,    // unhealthy, or forced down; fail-open ignores it
	TARGET_DRAINED = 1 << 1, // an operator's override; nothing ignores it
};

// One target's state for people: "up", "down", "drained", "drained, down".
const char *live_state_text(uint8_t state);

// The part that health and overrides move: the state of each target of one view, by its number. Read by live_state() only.
struct target_states {
	uint32_t count;       // view->target_count
	uint8_t octets[];     // enum target_state
};

// All in state 0, for the slow side to fill before it is published. free() gives back what never was. NULL without memory.
struct target_states *live_states_new(uint32_t count) MUST_USE;

// A further part is a pointer here and a line in live.c's replace().
struct live {
	const struct view *view;
	const struct target_states *states;
	uint64_t epoch;       // counts publications from 1
};

// What is published next: a copy of what is published now (of nothing, at first), whose parts the caller replaces. Owned
// by the caller until live_publish(); free() gives it back, not the parts. NULL without memory.
struct live *live_next(void) MUST_USE;
// Publishes `live` (it and the parts that are new become the publication's) and retires the parts that it has no more.
// Every target of live->view must have a state. Main thread only.
void live_publish(struct live *live);
// What is published now; NULL before the first. For the main thread, which alone retires it; readers use live_read().
const struct live *live_current(void);
// The end: nothing is served any more; retires what is there.
void live_withdraw(void);

extern struct published live_published;

// Reader: online thread only. NULL before the first publication.
static inline const struct live *live_read(void)
{
	return publish_load(&live_published);
}

// The state of a target of live->view, by its number.
static inline uint8_t live_state(const struct live *live, uint32_t target)
{
	dev_must(target < live->states->count);
	return live->states->octets[target];
}
