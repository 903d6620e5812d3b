// Memory that is given back in one piece: the texts of an object, the list of one round.
#pragma once

#include <stddef.h>

struct pool_block;

struct pool {
	struct pool_block *blocks; // NULL: empty
	size_t used, size;         // of the first block
};

// `len` octets, zeroed and aligned for any type; NULL when out of memory.
void *pool_alloc(struct pool *pool, size_t len);
// A copy of the text; NULL when out of memory.
const char *pool_text(struct pool *pool, const char *text);
const char *pool_printf(struct pool *pool, const char *fmt, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 2, 3)))
#endif
    ;
// Gives all of it back; the pool is empty afterwards.
void pool_free(struct pool *pool);
