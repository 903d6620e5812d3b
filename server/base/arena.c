// Block arena; see arena.h. Blocks double in size up to 1 MiB; an allocation larger than the next block gets a block of
// its own.
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

enum { FIRST_BLOCK = 4096, BIG_BLOCK = 1 << 20 };

struct block {
	struct block *next;
	size_t size;
	size_t used;
	alignas(max_align_t) unsigned char bytes[];
};

struct arena {
	struct block *head;
	size_t used;
	size_t max;
	size_t next_size;
};

struct arena *arena_new(size_t max_bytes)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (!arena)
		return NULL;
	arena->max = max_bytes;
	arena->next_size = FIRST_BLOCK;
	return arena;
}

struct arena *arena_free(struct arena *arena)
{
	if (!arena)
		return NULL;
	for (struct block *block = arena->head, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	free(arena);
	return NULL;
}

static struct block *block_for(struct arena *arena, size_t size)
{
	struct block *head = arena->head;

	if (head && head->size - head->used >= size)
		return head;

	size_t room = size > arena->next_size ? size : arena->next_size;
	struct block *block = calloc(1, sizeof(*block) + room);

	if (!block)
		return NULL;
	block->size = room;
	if (arena->next_size < BIG_BLOCK)
		arena->next_size *= 2;
	if (head && room == size) { // a block for this allocation only: keep filling the current one
		block->next = head->next;
		head->next = block;
	} else {
		block->next = head;
		arena->head = block;
	}
	return block;
}

void *arena_take(struct arena *arena, size_t size)
{
	const size_t align = alignof(max_align_t);

	if (size > SIZE_MAX - align)
		return NULL;
	size = (size + align - 1) & ~(align - 1);
	if (size == 0)
		size = align;
	must(arena->used <= arena->max);
	if (size > arena->max - arena->used)
		return NULL;

	struct block *block = block_for(arena, size);

	if (!block)
		return NULL;

	must(block->used <= block->size && size <= block->size - block->used);

	void *piece = block->bytes + block->used;

	block->used += size;
	arena->used += size;
	return piece;
}

void *arena_take_array(struct arena *arena, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return arena_take(arena, bytes);
}

void *arena_copy(struct arena *arena, const void *bytes, size_t len)
{
	void *copy = arena_take(arena, len);

	if (copy && len)
		memcpy(copy, bytes, len);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return text ? arena_copy(arena, text, strlen(text) + 1) : NULL;
}
