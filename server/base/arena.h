// An arena: memory allocated piece by piece and freed all at once. One per view, one per config. Grows in blocks up to
// the cap it was created with. Not thread-safe while it is being filled; once filled, any thread may read from it.
#pragma once

#include <stddef.h>

#include "base/attr.h"

struct arena;

// A new arena that never allocates more than `max_bytes`. NULL when out of memory. The caller frees it with
// arena_free().
struct arena *arena_new(size_t max_bytes) MUST_USE;
// Frees everything taken from it; takes NULL; returns NULL.
struct arena *arena_free(struct arena *arena);

// `size` zeroed bytes aligned for any type, owned by the arena; NULL when out of memory or past the cap. The same holds
// for the functions below.
void *arena_take(struct arena *arena, size_t size) MUST_USE NONNULL(1);
// `count` zeroed elements of `size` bytes; NULL also when the product overflows.
void *arena_take_array(struct arena *arena, size_t count, size_t size) MUST_USE NONNULL(1);
// A copy of `len` bytes.
void *arena_copy(struct arena *arena, const void *bytes, size_t len) MUST_USE NONNULL(1);
// A copy of a string; NULL also for NULL.
char *arena_strdup(struct arena *arena, const char *text) MUST_USE NONNULL(1);
