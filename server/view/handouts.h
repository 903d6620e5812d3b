// How often each target was handed out: a counter for each worker and target that outlives the views, so that a reload
// takes nothing away. A view's targets point at theirs. Slots are given out on the builder's thread, one build at a time.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/attr.h"

struct handouts;
struct view;

// Between two workers' counters of one target lie so many counters.
enum { HANDOUTS_SHIFT = 10, HANDOUTS_CHUNK = 1 << HANDOUTS_SHIFT };

// For so many workers. NULL without memory.
struct handouts *handouts_new(unsigned workers) MUST_USE;
// After every view that was bound is gone. Takes NULL; returns NULL.
struct handouts *handouts_free(struct handouts *handouts);

// Gives every target of `view` its counters: those of `previous` (the view in use; NULL: none) where it has the same app
// and site, else new ones that begin at 0. old_of_new[i] is the number that target i has in `previous`, or UINT32_MAX.
// What neither view has is given out again by a later call. E_NOMEM: the view must not be used.
int handouts_bind(struct handouts *handouts, struct view *view, const struct view *previous,
                  const uint32_t *old_of_new) MUST_USE;

// Answers that held the target, of all workers. From any thread.
uint64_t handouts_of(const struct handouts *handouts, const _Atomic uint64_t *counters) PURE;

// One answer more. Only the worker of that number calls it.
static inline void handouts_count(_Atomic uint64_t *counters, uint32_t worker)
{
	_Atomic uint64_t *counter = counters + ((uint64_t)worker << HANDOUTS_SHIFT);

	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1, memory_order_relaxed);
}
