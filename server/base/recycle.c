// Large blocks that are kept; see recycle.h.
#include "base/recycle.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

enum {
	KEPT_MAX = 8,           // blocks
	KEPT_FROM = 128 << 10,  // octets: smaller ones come from the heap, where they are kept anyway
#ifdef __SANITIZE_ADDRESS__
	KEPT_UP_TO = 0,         // it would not see the use of one that has been given back
#else
	KEPT_UP_TO = 4 << 20,
#endif
};

struct block {
	size_t size;
	_Alignas(max_align_t) unsigned char octets[];
};

static _Atomic(struct block *) kept[KEPT_MAX]; // NULL: an empty place

void *recycle_take(size_t size)
{
	struct block *block = NULL;

	for (int i = 0; i < KEPT_MAX && size >= KEPT_FROM; i++) {
		block = atomic_exchange(&kept[i], NULL);
		if (block && block->size == size)
			return block->octets;
		free(block ? atomic_exchange(&kept[i], block) : NULL);
	}
	if (size > SIZE_MAX - sizeof(*block))
		return NULL;
	block = malloc(sizeof(*block) + size);
	if (!block)
		return NULL;
	block->size = size;
	return block->octets;
}

// Where all places are taken it takes the place of one, by turns, so that those that nobody wants any more go.
static void keep(struct block *block)
{
	static _Atomic unsigned turn;

	for (int i = 0; i < KEPT_MAX; i++) {
		struct block *none = NULL;

		if (atomic_compare_exchange_strong(&kept[i], &none, block))
			return;
	}
	free(atomic_exchange(&kept[turn++ % KEPT_MAX], block));
}

void recycle_put(void *octets)
{
	struct block *block = octets ? (struct block *)((char *)octets - offsetof(struct block, octets)) : NULL;

	if (block && block->size >= KEPT_FROM && block->size <= KEPT_UP_TO)
		keep(block);
	else
		free(block);
}

void recycle_clear(void)
{
	for (int i = 0; i < KEPT_MAX; i++)
		free(atomic_exchange(&kept[i], NULL));
}
