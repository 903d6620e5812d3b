// Memory that is given back in one piece; see pool.h.
#include "pool.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Blocks double up to the largest, so that small objects are small and long lists take few calls.
enum { BLOCK_MIN = 256, BLOCK_MAX = 256 << 10 };

struct pool_block {
	alignas(max_align_t) struct pool_block *next;
	alignas(max_align_t) char bytes[];
};

void *pool_alloc(struct pool *pool, size_t len)
{
	const size_t align = alignof(max_align_t);

	if (len > SIZE_MAX / 4)
		return NULL;
	len = (len + align - 1) / align * align;
	if (!pool->blocks || pool->size - pool->used < len) {
		size_t size = !pool->blocks ? BLOCK_MIN : pool->size < BLOCK_MAX ? pool->size * 2 : BLOCK_MAX;

		if (size < len)
			size = len;

		struct pool_block *block = calloc(1, sizeof(*block) + size);

		if (!block)
			return NULL;
		block->next = pool->blocks;
		pool->blocks = block;
		pool->size = size;
		pool->used = 0;
	}
	pool->used += len;
	return pool->blocks->bytes + pool->used - len;
}

const char *pool_text(struct pool *pool, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = pool_alloc(pool, size);

	return copy ? memcpy(copy, text, size) : NULL;
}

const char *pool_printf(struct pool *pool, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);

	char *text = len < 0 ? NULL : pool_alloc(pool, (size_t)len + 1);

	if (!text)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(text, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return text;
}

void pool_free(struct pool *pool)
{
	for (struct pool_block *block = pool->blocks, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	*pool = (struct pool){0};
}
