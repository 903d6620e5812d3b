// Interning; see intern.h.
#include "base/intern.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/must.h"

enum { SLOTS_MIN = 64 };

struct intern_slot {
	uint32_t hash;   // its upper half
	uint32_t number; // + 1; 0: empty
};

static size_t slot_of(const struct intern *intern, uint32_t hash)
{
	return hash & (intern->slot_count - 1);
}

int64_t intern_find(const struct intern *intern, uint64_t hash, intern_equal *equal, const void *ctx, const void *key)
{
	uint32_t upper = (uint32_t)(hash >> 32);

	if (!intern->slot_count)
		return -1;
	for (size_t at = slot_of(intern, upper); intern->slots[at].number; at = (at + 1) & (intern->slot_count - 1))
		if (intern->slots[at].hash == upper && equal(ctx, intern->slots[at].number - 1, key))
			return intern->slots[at].number - 1;
	return -1;
}

static void put(struct intern *intern, struct intern_slot slot)
{
	size_t at = slot_of(intern, slot.hash);

	while (intern->slots[at].number)
		at = (at + 1) & (intern->slot_count - 1);
	intern->slots[at] = slot;
}

int intern_add(struct intern *intern, uint64_t hash, uint32_t number)
{
	must(number < UINT32_MAX);
	if (2 * (intern->count + 1) > intern->slot_count) {
		struct intern bigger = {.count = intern->count};

		bigger.slot_count = intern->slot_count ? 2 * intern->slot_count : SLOTS_MIN;
		bigger.slots = calloc(bigger.slot_count, sizeof(*bigger.slots));
		if (!bigger.slots)
			return E_NOMEM;
		for (size_t i = 0; i < intern->slot_count; i++)
			if (intern->slots[i].number)
				put(&bigger, intern->slots[i]);
		free(intern->slots);
		*intern = bigger;
	}
	put(intern, (struct intern_slot){(uint32_t)(hash >> 32), number + 1});
	intern->count++;
	return E_OK;
}

void intern_wipe(struct intern *intern)
{
	free(intern->slots);
	*intern = (struct intern){0};
}
