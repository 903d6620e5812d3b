// Notes that workers leave of queries: of clients that a service could be asked about, and, as a sample of what is asked, of
// any. A ring for each worker, bounded, without locks.
// One that is full drops, and counts. A worker looks at one query in so many only (`every`), so that it
// costs next to nothing however much is asked; that leaves the weights of prefixes as they are.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/must.h"

enum { NOTES_RING = 2048, NOTES_WORKERS_MAX = 1024, NOTES_EVERY_MAX = 1 << 20 };

struct note {
	struct addr client, sender;
	uint16_t sender_port_be16; // 0: not known
	uint32_t app;         // number in the view
	uint32_t generation;  // of the view, its low bits
	bool by_ecs;          // the client is not the sender
	uint8_t source_len;   // of its subnet, bits; 0 without one
};

// Written by one worker, read by one reader; each index on a line of its own.
struct notes_ring {
	_Alignas(64) _Atomic uint32_t head; // the worker's: how many it has put
	uint32_t left;                      // queries that it still lets pass
	_Atomic uint32_t every;             // one query in this many is looked at; the reader's to set
	_Atomic uint64_t looked;            // how many were
	_Atomic uint64_t dropped;
	_Alignas(64) _Atomic uint32_t tail; // the reader's: how many it has taken
	struct note list[NOTES_RING];
};

struct notes {
	struct notes_ring *rings; // by worker
	unsigned workers, next;   // `next`: the ring that is read next
};

// NULL when out of memory.
struct notes *notes_new(unsigned workers) MUST_USE;
// No worker uses it any more. Takes NULL; returns NULL.
struct notes *notes_free(struct notes *notes);

// The ring of a worker, for that worker alone.
static inline struct notes_ring *notes_ring(struct notes *notes, uint32_t worker)
{
	dev_must(worker < notes->workers);
	return &notes->rings[worker];
}

// Leaves a note.
void notes_put(struct notes_ring *ring, const struct note *note);

// Takes the oldest note of some worker. False: there is none. One reader.
bool notes_take(struct notes *notes, struct note *ret_note);
// How many were dropped, and how many queries were looked at. Any thread.
uint64_t notes_dropped(const struct notes *notes);
uint64_t notes_looked(const struct notes *notes);
// From now on workers look at one query in `every`; at first at each.
void notes_set_every(struct notes *notes, uint32_t every);

// How many looks a second its reader wants, kept by the reader; zero-initialised at first.
struct notes_pace {
	uint64_t looked;
	int64_t second_ms;
	uint32_t every; // 0: not set yet, so 1
};

// To be called several times a second: workers look at fewer queries where there are more of them.
void notes_keep_pace(struct notes *notes, struct notes_pace *pace, uint64_t looks_a_second, int64_t now_ms);
// For how many queries a note stands.
static inline uint32_t notes_every(const struct notes_pace *pace)
{
	return pace->every ? pace->every : 1;
}

// Counts a look, for the ring's worker.
static inline void notes_look(struct notes_ring *ring)
{
	atomic_store_explicit(&ring->looked, atomic_load_explicit(&ring->looked, memory_order_relaxed) + 1,
	                      memory_order_relaxed);
	ring->left += atomic_load_explicit(&ring->every, memory_order_relaxed);
}
