// How many use a thing that is freed with its last user. Any thread.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/must.h"

struct users {
	_Atomic uint32_t count;
};

// The maker is the first user.
static inline void users_start(struct users *users)
{
	atomic_init(&users->count, 1);
}

// One more, by somebody who knows that there is one.
static inline void users_add(struct users *users)
{
	atomic_fetch_add_explicit(&users->count, 1, memory_order_relaxed);
}

// One less. True: it was the last one, who sees all that the others did, and frees the thing.
static inline bool users_leave(struct users *users)
{
	uint32_t before = atomic_fetch_sub_explicit(&users->count, 1, memory_order_acq_rel);

	must(before > 0);
	return before == 1;
}
