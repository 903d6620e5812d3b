// Second best sites for a few; see explore.h. Every row has a twin with its first two sites swapped, or without its only one,
// and the blocks that are drawn lead to that.
#include "view/explore.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"
#include "view/learned.h"

struct explorer {
	uint32_t share, twins; // twins: the number of the first one
	uint64_t seed;
};

static uint32_t draw(void *ctx, struct addr_key key, uint8_t depth, uint32_t value)
{
	const struct explorer *e = ctx;
	uint64_t chance = hash_mix(e->seed ^ hash_mix(key.hi ^ hash_mix(key.lo + depth))) >> 32;

	return value == 0 || chance * EXPLORE_ALL >> 32 >= e->share ? value : value + e->twins;
}

int explore_some(struct learned *learned, uint32_t share, uint64_t seed)
{
	size_t count = learned->row_count;
	struct explorer e = {share, (uint32_t)count, seed};
	struct learned_row *rows;

	must(share <= EXPLORE_ALL && count >= 1);
	if (2 * count > LPM_VALUE_MAX)
		return E_LIMIT;
	rows = reallocarray(learned->rows, 2 * count, sizeof(*rows));
	if (!rows)
		return E_NOMEM;
	for (size_t i = 0; i < count; i++) {
		rows[count + i] = rows[i];
		rows[count + i].sites[0] = rows[i].sites[1];
		rows[count + i].sites[1] = rows[i].sites[0];
		if (rows[i].site_count == 1)
			rows[count + i].site_count = 0;
	}
	learned->rows = rows;
	learned->row_count = learned->row_cap = 2 * count;
	lpm_change(&learned->table.v4, draw, &e);
	lpm_change(&learned->table.v6, draw, &e);
	return E_OK;
}
