// Publish and retire: how the slow side hands immutable objects to readers that never wait. liburcu's QSBR underneath,
// and this is its only door. A reader thread registers once, goes online around each batch of work and offline while it
// blocks; what it loaded with publish_load() stays valid until it goes offline. A writer
// stores the new object, then retires the old one: it is freed when no reader can still hold it, in liburcu's own
// thread, so the writer never waits either.
#pragma once

#include <stdatomic.h>

#include "base/attr.h"

// A published pointer. Zero-initialised is a valid, empty one.
struct published {
	_Atomic(const void *) pointer;
};

// Reader. Every thread that loads must be registered and online at that moment.
void publish_register_reader(void);
void publish_unregister_reader(void);
void publish_online(void);
void publish_offline(void);

static inline const void *publish_load(const struct published *published)
{
	return atomic_load_explicit(&published->pointer, memory_order_acquire);
}

// Writer (one thread). Stores `object` and returns what was there: the caller now owns it and retires it.
const void *publish_swap(struct published *published, const void *object) MUST_USE;

// Calls free_object(object) in a background thread after every present reader has moved on. NULL object: nothing. The
// calling thread is registered as well, and offline.
void publish_retire(const void *object, void (*free_object)(void *object));
// Waits until everything retired so far is freed. For an orderly exit and for tests; never on the main loop's way.
void publish_drain(void);
