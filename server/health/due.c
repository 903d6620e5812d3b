// Two queues, in the order in which probes came due; see due.h.
#include "health/due.h"

#include <stddef.h>

#include "base/must.h"
#include "health/watch.h"

void due_init(struct due *due)
{
	*due = (struct due){0};
	TAILQ_INIT(&due->doubtful);
	TAILQ_INIT(&due->sure);
}

void due_add(struct due *due, struct endpoint *endpoint, bool in_doubt)
{
	must(!endpoint->due);
	endpoint->due = in_doubt ? &due->doubtful : &due->sure;
	TAILQ_INSERT_TAIL(endpoint->due, endpoint, queued);
	due->count++;
}

void due_remove(struct due *due, struct endpoint *endpoint)
{
	if (!endpoint->due)
		return;
	must(due->count > 0);
	TAILQ_REMOVE(endpoint->due, endpoint, queued);
	endpoint->due = NULL;
	due->count--;
}

struct endpoint *due_take(struct due *due, bool all_known)
{
	struct endpoint *doubtful = TAILQ_FIRST(&due->doubtful), *sure = TAILQ_FIRST(&due->sure);

	due->sure_next = !due->sure_next && all_known;

	struct endpoint *endpoint = sure && (due->sure_next || !doubtful) ? sure : doubtful;

	if (endpoint)
		due_remove(due, endpoint);
	return endpoint;
}
