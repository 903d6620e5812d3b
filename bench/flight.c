// The ring of outstanding queries; see flight.h.
#include "flight.h"

#include <stdlib.h>

#include "base/err.h"

int flight_init(struct flight *flight, uint32_t wanted)
{
	uint32_t size = 1;

	while (size < wanted && size < FLIGHT_MAX)
		size *= 2;
	*flight = (struct flight){.mask = size - 1};
	flight->slots = calloc(size, sizeof(*flight->slots));
	return flight->slots ? 0 : E_NOMEM;
}

void flight_done(struct flight *flight)
{
	free(flight->slots);
	*flight = (struct flight){0};
}

static void skip_closed(struct flight *flight)
{
	while (flight->tail != flight->head && !flight->slots[flight->tail & flight->mask].open)
		flight->tail++;
}

struct flight_slot *flight_find(struct flight *flight, uint16_t id)
{
	// The only number in the ring with these low bits, as the ring never has more queries than there are IDs.
	uint32_t ahead = (uint16_t)(id - (uint16_t)flight->tail);

	if (ahead >= flight->head - flight->tail)
		return NULL;

	struct flight_slot *slot = &flight->slots[(flight->tail + ahead) & flight->mask];

	return slot->open ? slot : NULL;
}

void flight_close(struct flight *flight, struct flight_slot *slot)
{
	slot->open = 0;
	flight->open--;
	skip_closed(flight);
}

uint32_t flight_expire(struct flight *flight, int64_t before_ns)
{
	uint32_t given_up = 0;

	while (flight->tail != flight->head) {
		struct flight_slot *slot = &flight->slots[flight->tail & flight->mask];

		if (slot->open && slot->due_ns >= before_ns)
			break;
		if (slot->open) {
			slot->open = 0;
			flight->open--;
			given_up++;
		}
		flight->tail++;
	}
	return given_up;
}
