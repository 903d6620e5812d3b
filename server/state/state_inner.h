// The inside of a state, for state.c, which changes what holds, and state_facts.c, which does not.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/util.h>

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
	struct overrides removed; // copies of those that were removed in memory only, by a revision of its own
	uint64_t removed_revision;
	struct event *save;      // while there are any of the one or the other
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

// Hands a job with its change to the writer; on_committed() gets it back.
void state_submit(struct state *state, struct job *job);
// Counts a change of the set, and tells the owner: override_changed() of state_ops.h. `old` is not in the set any more, or
// is `next`.
void state_report(struct state *state, const struct override *old, const struct override *next);
// Removes those that go from the set and reports each. Returns how many; they are left behind the set's rows, and are the
// caller's.
size_t state_sweep(struct state *state, bool (*goes)(const void *ctx, const struct override *override), const void *ctx);

// state_due.c: it takes effect if its start has come, and is stepped. Whether it has begun, now or before.
bool state_begin_if_due(struct override *override);
// The same for all, as the state is opened; those whose time was up while no daemon ran are where they would be on their way
// back.
void state_begin_all(struct state *state);

// state_unsaved.c: hands what can be saved to the writer, and sees to it that it is tried again while there is anything left.
// Not from inside a callback of the state's owner.
void state_save(struct state *state);
// A removal that was not written has taken it out of the set. There is room, see state_remove().
void state_note_removed(struct state *state, const struct override *gone);
// The files do not have it any more, or have another one in its place.
void state_forget_removed(struct state *state, const struct override *like);
// The event `save`, whose argument is the state.
void state_on_save(evutil_socket_t fd, short what, void *arg);
