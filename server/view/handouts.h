// How often each target was answered: a counter for each worker and target. The counters outlive the views, so that a
// reload does not reset them; a view's targets point to theirs. Slots are allocated on the builder's thread, one build
// at a time.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/attr.h"

struct handouts;
struct view;

// The distance between two workers' counters of the same target, in counters.
enum { HANDOUTS_SHIFT = 10, HANDOUTS_CHUNK = 1 << HANDOUTS_SHIFT };

// Counters for `workers` workers. NULL when out of memory.
struct handouts *handouts_new(unsigned workers) MUST_USE;
// To be called after every bound view has been freed. Takes NULL; returns NULL.
struct handouts *handouts_free(struct handouts *handouts);

// Assigns counters to every target of `view`: those of the matching target in `previous` (the view in use; NULL: none),
// else new ones that start at 0. old_of_new[i] is the number in `previous` of target i, or UINT32_MAX. Later calls
// reuse the slots that neither view has. E_NOMEM: the view must not be published.
int handouts_bind(struct handouts *handouts, struct view *view, const struct view *previous,
                  const uint32_t *old_of_new) MUST_USE;

// The number of answers with the target, of all workers. From any thread.
uint64_t handouts_of(const struct handouts *handouts, const _Atomic uint64_t *counters) PURE;

// Counts one answer. Called only by the worker with that number.
static inline void handouts_count(_Atomic uint64_t *counters, uint32_t worker)
{
	_Atomic uint64_t *counter = counters + ((uint64_t)worker << HANDOUTS_SHIFT);

	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1, memory_order_relaxed);
}
