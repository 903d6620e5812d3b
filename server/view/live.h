// The live part: what moves with health, drains and forces. Immutable as well, swapped more often than the view it
// indexes. Readers load one pointer and have a matching pair: the live part and its view.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/publish.h"

struct view;

// What stands in the way of a target. Nothing: it may be answered.
enum target_state {
	TARGET_DOWN = 1 << 0,    // unhealthy, or forced down; fail-open ignores it
	TARGET_DRAINED = 1 << 1, // an operator's order; nothing ignores it
};

// One of `states` for people: "up", "down", "drained", "drained, down".
const char *live_state_text(uint8_t state);

struct live {
	const struct view *view;
	uint64_t epoch;       // counts publications from 1
	uint32_t count;       // of states: view->target_count
	uint8_t states[];     // enum target_state, by target number
};

// A new live part with every target in state 0, for the slow side to fill before it publishes. NULL without memory.
struct live *live_new(const struct view *view) MUST_USE;

// Publishes `live` (ownership passes) and retires what was there: the old live part, and its view as well when the new
// one has another. Main thread only.
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
