// An arena: memory that is taken piece by piece and given back whole. One per view, one per config. Grows in blocks up
// to the cap given at birth. Not thread-safe while it is being filled; a filled one may be read by all.
#pragma once

#include <stddef.h>

#include "base/attr.h"

struct arena;

// A new arena that will never hold more than `max_bytes`. NULL without memory.
struct arena *arena_new(size_t max_bytes) MUST_USE;
// Frees everything taken from it; takes NULL; returns NULL.
struct arena *arena_free(struct arena *arena);

// `size` zeroed bytes aligned for any type; NULL without memory or past the cap.
void *arena_take(struct arena *arena, size_t size) MUST_USE NONNULL(1);
// `count` zeroed elements of `size` bytes; NULL also when the product overflows.
void *arena_take_array(struct arena *arena, size_t count, size_t size) MUST_USE NONNULL(1);
// A copy of `len` bytes.
void *arena_copy(struct arena *arena, const void *bytes, size_t len) MUST_USE NONNULL(1);
// A copy of a string; NULL for NULL.
char *arena_strdup(struct arena *arena, const char *text) MUST_USE NONNULL(1);
