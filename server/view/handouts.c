// Counters in chunks that never move; see handouts.h. A chunk has HANDOUTS_CHUNK counters for each worker, worker by
// worker.
#include "view/handouts.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/must.h"
#include "view/view.h"

struct handouts {
	unsigned workers;
	_Atomic uint64_t **chunks;
	uint64_t *used_by;      // by slot: the generation of the last view that uses it; 0: none
	uint32_t chunk_count;
	uint32_t next;          // slot from which to search for a free one
};

struct handouts *handouts_new(unsigned workers)
{
	struct handouts *handouts = calloc(1, sizeof(*handouts));

	if (handouts)
		handouts->workers = workers;
	return handouts;
}

struct handouts *handouts_free(struct handouts *handouts)
{
	if (!handouts)
		return NULL;
	for (uint32_t i = 0; i < handouts->chunk_count; i++)
		free(handouts->chunks[i]);
	free(handouts->chunks);
	free(handouts->used_by);
	free(handouts);
	return NULL;
}

static int add_chunk(struct handouts *handouts)
{
	uint32_t count = handouts->chunk_count;
	_Atomic uint64_t **chunks = realloc(handouts->chunks, (count + 1) * sizeof(*chunks));

	if (!chunks)
		return E_NOMEM;
	handouts->chunks = chunks;

	uint64_t *used_by = realloc(handouts->used_by, (size_t)(count + 1) * HANDOUTS_CHUNK * sizeof(*used_by));

	if (!used_by)
		return E_NOMEM;
	handouts->used_by = used_by;
	chunks[count] = calloc((size_t)handouts->workers << HANDOUTS_SHIFT, sizeof(*chunks[count]));
	if (!chunks[count])
		return E_NOMEM;
	for (uint32_t i = 0; i < HANDOUTS_CHUNK; i++)
		used_by[((size_t)count << HANDOUTS_SHIFT) + i] = 0;
	handouts->chunk_count++;
	return E_OK;
}

static _Atomic uint64_t *counters_of(const struct handouts *handouts, uint32_t slot)
{
	must(slot >> HANDOUTS_SHIFT < handouts->chunk_count);
	return handouts->chunks[slot >> HANDOUTS_SHIFT] + (slot & (HANDOUTS_CHUNK - 1));
}

// Takes a slot that neither generation uses, and zeroes its counters.
static int take_slot(struct handouts *handouts, uint64_t generation, uint64_t previous, uint32_t *ret_slot)
{
	uint32_t slot = handouts->next, count = handouts->chunk_count << HANDOUTS_SHIFT;

	while (slot < count && (handouts->used_by[slot] == generation || (previous && handouts->used_by[slot] == previous)))
		slot++;
	if (slot == count && add_chunk(handouts) < 0)
		return E_NOMEM;
	handouts->next = slot + 1;
	for (unsigned i = 0; i < handouts->workers; i++)
		atomic_store_explicit(counters_of(handouts, slot) + ((size_t)i << HANDOUTS_SHIFT), 0, memory_order_relaxed);
	*ret_slot = slot;
	return E_OK;
}

int handouts_bind(struct handouts *handouts, struct view *view, const struct view *previous, const uint32_t *old_of_new)
{
	struct target *targets = (struct target *)view->targets; // not published yet, so still writable

	must(!previous || previous->generation < view->generation);
	view->handouts = handouts;
	view->handout_slots = malloc(((size_t)view->target_count + 1) * sizeof(*view->handout_slots));
	if (!view->handout_slots)
		return E_NOMEM;
	// The slots of the view in use are not free, even where a failed build has overwritten their generation.
	for (uint32_t i = 0; previous && i < previous->target_count; i++)
		handouts->used_by[previous->handout_slots[i]] = previous->generation;
	handouts->next = 0;
	for (uint32_t i = 0; i < view->target_count; i++) {
		uint32_t slot;

		if (previous && old_of_new[i] != UINT32_MAX) {
			must(old_of_new[i] < previous->target_count);
			slot = previous->handout_slots[old_of_new[i]];
		} else if (take_slot(handouts, view->generation, previous ? previous->generation : 0, &slot) < 0) {
			return E_NOMEM;
		}
		handouts->used_by[slot] = view->generation;
		view->handout_slots[i] = slot;
		targets[i].handouts = counters_of(handouts, slot);
	}
	return E_OK;
}

uint64_t handouts_of(const struct handouts *handouts, const _Atomic uint64_t *counters)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < handouts->workers; i++)
		sum += atomic_load_explicit(counters + ((size_t)i << HANDOUTS_SHIFT), memory_order_relaxed);
	return sum;
}
