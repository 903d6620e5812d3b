// Building the set of what differs by carrier; see columns.h.
#include "view/columns.h"

#include <stdlib.h>

#include "base/must.h"

_Static_assert(offsetof(struct columns, carriers) % sizeof(uint64_t) == 0, "the keys are behind an even number of them");

struct columns *columns_new(size_t count)
{
	size_t size = 4;
	struct columns *columns;

	must(count <= COLUMNS_MAX);
	while (size < count * 2)
		size *= 2;
	columns = calloc(1, sizeof(*columns) + size * (sizeof(columns->keys[0]) + sizeof(columns->carriers[0])));
	if (!columns)
		return NULL;
	columns->mask = (uint32_t)size - 1;
	columns->keys = (uint64_t *)&columns->carriers[size]; // so that it is one piece of memory
	return columns;
}

void columns_add(struct columns *columns, uint32_t target, uint16_t carrier)
{
	uint64_t key = columns_key(target, carrier);
	uint32_t at = (uint32_t)hash_mix(key) & columns->mask;

	must(carrier != 0 && columns->count < (columns->mask + 1) / 2);
	while (columns->keys[at])
		at = (at + 1) & columns->mask;
	columns->keys[at] = key;
	columns->carriers[target & columns->mask] |= place_carrier_bit(carrier);
	columns->count++;
}
