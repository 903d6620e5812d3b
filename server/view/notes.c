// The workers' notes; see notes.h.
#include "view/notes.h"

#include <stdlib.h>

#include "base/must.h"

struct notes *notes_new(unsigned workers)
{
	struct notes *notes = calloc(1, sizeof(*notes));

	must(workers >= 1 && workers <= NOTES_WORKERS_MAX);
	if (!notes)
		return NULL;
	notes->workers = workers;
	notes->rings = aligned_alloc(_Alignof(struct notes_ring), workers * sizeof(*notes->rings));
	if (!notes->rings)
		return notes_free(notes);
	for (unsigned i = 0; i < workers; i++) {
		struct notes_ring *ring = &notes->rings[i];

		atomic_init(&ring->head, 0);
		atomic_init(&ring->tail, 0);
		atomic_init(&ring->dropped, 0);
		atomic_init(&ring->every, 1);
		atomic_init(&ring->looked, 0);
		ring->left = 0;
	}
	return notes;
}

struct notes *notes_free(struct notes *notes)
{
	if (notes)
		free(notes->rings);
	free(notes);
	return NULL;
}

void notes_put(struct notes_ring *ring, const struct note *note)
{
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

	if (head - atomic_load_explicit(&ring->tail, memory_order_acquire) == NOTES_RING) {
		atomic_store_explicit(&ring->dropped, atomic_load_explicit(&ring->dropped, memory_order_relaxed) + 1,
		                      memory_order_relaxed);
		return;
	}
	ring->list[head % NOTES_RING] = *note;
	atomic_store_explicit(&ring->head, head + 1, memory_order_release);
}

bool notes_take(struct notes *notes, struct note *ret_note)
{
	for (unsigned i = 0; i < notes->workers; i++) {
		struct notes_ring *ring = &notes->rings[notes->next];
		uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

		if (tail != atomic_load_explicit(&ring->head, memory_order_acquire)) {
			*ret_note = ring->list[tail % NOTES_RING];
			atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
			return true;
		}
		notes->next = (notes->next + 1) % notes->workers;
	}
	return false;
}

uint64_t notes_dropped(const struct notes *notes)
{
	uint64_t dropped = 0;

	for (unsigned i = 0; i < notes->workers; i++)
		dropped += atomic_load_explicit(&notes->rings[i].dropped, memory_order_relaxed);
	return dropped;
}

uint64_t notes_looked(const struct notes *notes)
{
	uint64_t looked = 0;

	for (unsigned i = 0; i < notes->workers; i++)
		looked += atomic_load_explicit(&notes->rings[i].looked, memory_order_relaxed);
	return looked;
}

void notes_set_every(struct notes *notes, uint32_t every)
{
	must(every >= 1);
	for (unsigned i = 0; i < notes->workers; i++)
		atomic_store_explicit(&notes->rings[i].every, every, memory_order_relaxed);
}

void notes_keep_pace(struct notes *notes, struct notes_pace *pace, uint64_t looks_a_second, int64_t now_ms)
{
	uint64_t looked, looks;

	if (now_ms - pace->second_ms < 1000)
		return;
	looked = notes_looked(notes);
	looks = looked - pace->looked;
	pace->second_ms = now_ms;
	pace->looked = looked;
	pace->every = notes_every(pace);
	if (looks > looks_a_second && pace->every < NOTES_EVERY_MAX)
		pace->every *= 2;
	else if (looks < looks_a_second / 4 && pace->every > 1)
		pace->every /= 2;
	notes_set_every(notes, pace->every);
}
