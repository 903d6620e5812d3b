// The endpoints whose probes are due and have not started, and which of them is next; for health.c. Main thread only.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/attr.h"

struct endpoint;

TAILQ_HEAD(due_queue, endpoint);

struct due {
	struct due_queue doubtful, sure; // the state is in doubt, or not
	bool sure_next;
	uint64_t count;                  // of both
};

void due_init(struct due *due);
// `in_doubt`: its state is. The endpoint must not be due already.
void due_add(struct due *due, struct endpoint *endpoint, bool in_doubt);
// It may be due or not.
void due_remove(struct due *due, struct endpoint *endpoint);
// Removes the next one and returns it; NULL: none is due. When probes are late, states in doubt come first: they are
// confirmed at the check's own pace. Once every state is known (`all_known`), every other start is for the rest, or many
// flapping ones would keep the others from being probed.
struct endpoint *due_take(struct due *due, bool all_known) MUST_USE;
