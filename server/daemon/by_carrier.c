// Health by carrier; see by_carrier.h.
#include "daemon/by_carrier.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "base/names.h"
#include "daemon/merge.h"
#include "health/judge.h"
#include "steer/place.h"
#include "view/columns.h"
#include "view/live.h"
#include "view/view.h"

struct pair {
	uint32_t target;
	uint16_t carrier;
};

struct making {
	const struct merge *merge;
	struct pair *pairs;
	size_t count, room;
	int err;
};

static int make_room(struct making *making)
{
	size_t room = making->room ? making->room * 2 : 64;
	struct pair *pairs;

	if (making->count < making->room)
		return E_OK;
	pairs = making->count < COLUMNS_MAX ? realloc(making->pairs, room * sizeof(*pairs)) : NULL;
	if (!pairs)
		return E_NOMEM;
	making->pairs = pairs;
	making->room = room;
	return E_OK;
}

// What an operator forces is forced for everybody. A carrier without clients in the tables, or out of whose reach the target
// is, needs no column.
static void add(void *ctx, uint32_t target, const char *carrier, bool up)
{
	struct making *making = ctx;
	const struct view *view = merge_view(making->merge);
	int number = names_find(view->places->carriers, carrier, strlen(carrier));
	bool is_up = !(merge_state_of(making->merge, target) & TARGET_DOWN);

	if (number <= 0 || up == is_up || merge_forced(making->merge, target) ||
	    !site_reached_by(&view->sites[view->targets[target].site], (uint16_t)number))
		return;
	if (make_room(making) < 0)
		making->err = E_NOMEM;
	else
		making->pairs[making->count++] = (struct pair){target, (uint16_t)number};
}

int by_carrier_make(const struct merge *merge, struct judge *judge, struct columns **ret_columns)
{
	struct making making = {.merge = merge};
	struct columns *columns = NULL;

	judge_columns(judge, add, &making);
	if (making.err == E_OK && making.count > 0 && !(columns = columns_new(making.count)))
		making.err = E_NOMEM;
	for (size_t i = 0; columns && i < making.count; i++)
		columns_add(columns, making.pairs[i].target, making.pairs[i].carrier);
	free(making.pairs);
	if (making.err == E_OK)
		*ret_columns = columns;
	return making.err;
}

void by_carrier_mark(const struct columns *columns, struct target_states *states)
{
	for (uint32_t i = 0; columns && i <= columns->mask; i++) {
		uint64_t target = columns->keys[i] >> 16;

		must(target < states->count);
		if (columns->keys[i])
			states->octets[target] |= TARGET_BY_CARRIER;
	}
}
