// The inside of a state, for state.c, which changes what holds, and state_facts.c, which does not.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/afterwards.h"
#include "state/folder.h"
#include "state/job.h"
#include "state/loss.h"
#include "state/overrides.h"
#include "state/state_ops.h"

struct event;
struct lasthealth;
struct lastprovided;
struct state_backend;
struct writer;

struct state {
	struct folder folder;
	struct state_ops ops;
	const struct state_backend *backend;
	void *backend_ctx;
	struct writer *writer;
	struct lasthealth *health;
	struct lastprovided *provided;
	struct afterwards afterwards;
	struct overrides overrides;
	size_t volatile_count;   // of them, held in memory only
	struct event *save;      // while there are any
	uint64_t revision;       // counts changes of the set, from the store's revision on
	uint64_t committed;      // the store's revision, as far as its changes are in the set
	size_t outstanding;      // jobs that have been submitted and have not come back
	struct job *refused, **last_refused;
	struct event *refuse;
	struct job_spares spares;
	int64_t expire_s;        // rows that ran out by then are still to be deleted; 0: none
	bool expire_is_under_way;
	bool is_applying;        // inside changed() or committed()
	bool is_calling;         // inside any callback
	bool is_closing;         // the writer takes no more
	struct loss loss;
};
