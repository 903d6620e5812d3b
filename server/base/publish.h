// Publish and retire: how the slow side passes immutable objects to readers that never wait. The only user of liburcu
// (QSBR). A reader thread registers once, is online around each batch of work and offline while it blocks; what it
// loaded with publish_load() stays valid until it goes offline, its quiescent state. A writer publishes the new object,
// then retires the old one, which a thread of its own, the reclaimer, frees after a grace period; so the writer does not
// wait either.
#pragma once

#include <stdatomic.h>

#include "base/attr.h"

// A published pointer. Zero-initialised, it is valid and holds NULL.
struct published {
	_Atomic(const void *) pointer;
};

// For readers. A thread must be registered and online while it loads a published pointer and uses the object. It is offline when it
// has been registered.
void publish_register_reader(void);
void publish_unregister_reader(void);
void publish_online(void);
void publish_offline(void);

static inline const void *publish_load(const struct published *published)
{
	return atomic_load_explicit(&published->pointer, memory_order_acquire);
}

// For the writer (one thread). Publishes `object` and returns the previous one, which the caller now owns and retires.
const void *publish_swap(struct published *published, const void *object) MUST_USE;

// Calls free_object(object) on the reclaimer's thread after a grace period; in the calling thread, which waits for that
// period, when out of memory. Does nothing for a NULL object. The calling thread must not be an online reader.
void publish_retire(const void *object, void (*free_object)(void *object));
// Waits until everything retired so far has been freed: some milliseconds. For an orderly exit, for tests, and where
// memory has run out; else never from the main loop.
void publish_drain(void);
