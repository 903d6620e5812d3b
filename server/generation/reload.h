// Reloads: a generation is built on a thread of its own while the main thread goes on, and passed to the main thread
// when it is complete. One at a time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct event_base;
struct generation;
struct reload;
struct report;

struct reload_ops {
	// Main thread: a build starts, and until it has ended what prepare() reads must not change. NULL: nothing to do.
	void (*starting)(void *ctx);
	// Builder's thread: computes what a finished generation takes over from the one in use, and stores it in
	// generation->handover. E_NOMEM, E_LIMIT, E_INVAL (reported): the
	// generation is discarded. `force`: as reload_begin() got it.
	int (*prepare)(void *ctx, struct generation *generation, bool force, struct report *report);
	// Any thread: frees a generation that was not taken.
	void (*discard)(struct generation *generation);
	// Main thread: takes over a finished generation, with warnings in the report. On an error nothing has changed, and
	// the generation is discarded.
	int (*take)(void *ctx, struct generation *generation, struct report *report);
	// Main thread: called after each reload, before its done().
	void (*finished)(void *ctx, int err, const struct report *report);
	void *ctx;
};

// `base` is borrowed until reload_free(); the path and `ops` are copied. NULL when out of memory or descriptors.
struct reload *reload_new(struct event_base *base, const char *config_path, const struct reload_ops *ops) MUST_USE;
// Waits up to `patience_ms` for a build in progress, discards its result, and calls its done() with E_STOPPED. False:
// the build is still running (a source hangs), so nothing that it uses may be freed. Takes NULL.
bool reload_stop(struct reload *reload, int patience_ms) MUST_USE;
// After reload_stop(). Takes NULL; returns NULL.
struct reload *reload_free(struct reload *reload);
// When the build in progress started, by the wall clock; 0: there is none.
int64_t reload_began_s(const struct reload *reload);

// Starts a reload. done() is called once, on the main thread, with the report, which is valid during the call; `err` is
// E_INVAL for errors in the input, E_STATE when a reload is in progress. May be called before reload_begin() returns.
// `force` is passed on to prepare(). While a reload by reload_begin_unasked() is in progress, one waits for it to end.
void reload_begin(struct reload *reload, bool force, void (*done)(void *done_ctx, int err, const struct report *report),
                  void *done_ctx);
// The same for a reload that nobody waits for, without force. Should somebody ask for one meanwhile, that is not refused.
void reload_begin_unasked(struct reload *reload, void (*done)(void *done_ctx, int err, const struct report *report),
                          void *done_ctx);
