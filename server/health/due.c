// Two queues, in the order in which probes came due; see due.h.
#include "health/due.h"

#include <stddef.h>

#include "base/must.h"
#include "health/watchlist.h"

void due_init(struct due *due)
{
	*due = (struct due){0};
	TAILQ_INIT(&due->doubtful);
	TAILQ_INIT(&due->sure);
}

void due_add(struct due *due, struct watch *watch, bool in_doubt)
{
	must(!watch->due);
	watch->due = in_doubt ? &due->doubtful : &due->sure;
	TAILQ_INSERT_TAIL(watch->due, watch, queued);
	due->count++;
}

void due_remove(struct due *due, struct watch *watch)
{
	if (!watch->due)
		return;
	must(due->count > 0);
	TAILQ_REMOVE(watch->due, watch, queued);
	watch->due = NULL;
	due->count--;
}

struct watch *due_take(struct due *due, bool all_known)
{
	struct watch *doubtful = TAILQ_FIRST(&due->doubtful), *sure = TAILQ_FIRST(&due->sure);

	due->sure_next = !due->sure_next && all_known;

	struct watch *watch = sure && (due->sure_next || !doubtful) ? sure : doubtful;

	if (watch)
		due_remove(due, watch);
	return watch;
}
