// The thread that writes: the main loop never waits for a disk. Jobs go to it through a queue, in order, and come back
// over the event base. Called by the main thread only.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "state/backend.h"
#include "state/job.h"

struct event_base;
struct writer;

struct writer_ops {
	void *ctx;
	// On the main loop (or in writer_stop()): these jobs, linked by `next`, were one commit. They are the callee's
	// again.
	void (*committed)(void *ctx, struct job *jobs);
	// The same of the health that was submitted.
	void (*health_written)(void *ctx, int err);
	// The same of what providers gave.
	void (*provided_written)(void *ctx, int err);
};

// Uses the backend, which is open, until writer_stop(). E_NOMEM, E_IO.
int writer_start(struct event_base *base, const struct state_backend *backend, void *backend_ctx,
                 const struct writer_ops *ops, struct writer **ret_writer) MUST_USE;
void writer_submit(struct writer *writer, struct job *job);
// Writes names' addresses, and the rows of health (none: only that all is so still) in an order of its own. The arrays stay
// the caller's, and there, until health_written(); not again before that.
void writer_submit_health(struct writer *writer, struct healthmap_row *rows, size_t count,
                          const struct aliasmap_row *aliases, size_t alias_count);
// Writes changes of what providers gave, at most PROVIDED_BATCH_MAX. The rows, not the array, stay there until
// provided_written(); not again before that.
void writer_submit_provided(struct writer *writer, struct provided_row *const *rows, size_t count);
// Writes what was submitted, calls back for all of it and joins the thread. Waits for the disk. The backend is the
// caller's again.
void writer_stop(struct writer *writer);
