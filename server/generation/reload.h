// Builds: a generation is built on a thread of its own while the main thread goes on, and passed to the main thread when
// it is complete. One at a time. A *reload* reads everything anew; a *join* builds the load in use again with the targets
// that providers give now (see generation.h).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct event_base;
struct generation;
struct reload;
struct report;

enum reload_kind {
	RELOAD_ASKED,   // somebody has asked for it, and waits
	RELOAD_CHECK,   // somebody has asked what it would do, and waits: nothing is taken
	RELOAD_COMPARE, // somebody has asked what another config would do, and waits: nothing is taken
	RELOAD_BACK,    // somebody has asked for the load before the one in use, which is still in memory, and waits
	RELOAD_UNASKED, // a file has changed
	RELOAD_JOIN,    // targets have changed
};

struct reload_job {
	enum reload_kind kind;
	bool force;      // of RELOAD_ASKED, as reload_begin() got it
	uint64_t number; // of the generation
	const char *path, *app; // of RELOAD_COMPARE, as reload_begin_compare() got them
};

struct reload_ops {
	// Main thread: a build starts, and until it has ended what build() reads must not change.
	void (*starting)(void *ctx, const struct reload_job *job);
	// Builder's thread: builds the generation and what it takes over from the one in use (generation->handover). E_INVAL
	// (in the report), E_IO, E_LIMIT, E_HELD (in the report too), E_NOMEM: there
	// is none.
	int (*build)(void *ctx, const struct reload_job *job, struct report *report, struct generation *ret_generation);
	// Main thread: takes over a finished generation, with warnings in the report. On an error nothing has changed, and
	// the generation is discarded.
	int (*take)(void *ctx, const struct reload_job *job, struct generation *generation, struct report *report);
	// Any thread: frees a generation that was not taken.
	void (*discard)(struct generation *generation);
	// Main thread: called after each build, before its done(). Of a check, err 0 says that it would be taken.
	void (*finished)(void *ctx, enum reload_kind kind, int err, const struct report *report);
	void *ctx;
};

// `base` is borrowed until reload_free(); `ops` are copied. NULL when out of memory or descriptors.
struct reload *reload_new(struct event_base *base, const struct reload_ops *ops) MUST_USE;
// Waits up to `patience_ms` for a build in progress, discards its result, and calls its done() with E_STOPPED. False:
// the build is still running (a source hangs), so nothing that it uses may be freed. Takes NULL.
bool reload_stop(struct reload *reload, int patience_ms) MUST_USE;
// After the last reload_stop(), which has returned false, in the place of reload_free(): nobody waits for the build's thread
// any more.
void reload_leave(struct reload *reload);
// After reload_stop(). Takes NULL; returns NULL.
struct reload *reload_free(struct reload *reload);
// When the reload in progress started, by the wall clock; 0: there is none. A join is no reload, nor is a check, a
// comparison or a way back.
int64_t reload_began_s(const struct reload *reload);

// Starts a reload. done() is called once, on the main thread, with the report, which is valid during the call (NULL: the
// reload was not begun); `err` is E_INVAL for errors in the input, E_STATE when somebody else's reload is in progress, or
// waits. May be called before reload_begin() returns. A build that nobody asked for, or of which nothing is to be taken, is
// waited for.
void reload_begin(struct reload *reload, bool force, void (*done)(void *done_ctx, int err, const struct report *report),
                  void *done_ctx);
// The same for a RELOAD_CHECK; another one is not waited for.
void reload_begin_check(struct reload *reload, void (*done)(void *done_ctx, int err, const struct report *report),
                        void *done_ctx);
// The same for a RELOAD_COMPARE: with the config at `path`, for one app (NULL: all). Both are borrowed until done().
void reload_begin_compare(struct reload *reload, const char *path, const char *app,
                          void (*done)(void *done_ctx, int err, const struct report *report), void *done_ctx);
// The same for a RELOAD_BACK. A reload that nobody asked for, under way or waiting, is called off: its done() gets E_STOPPED.
// What is before the load in use would else be another one. False: refused, or out of memory, and done() has been called.
bool reload_begin_back(struct reload *reload, void (*done)(void *done_ctx, int err, const struct report *report),
                       void *done_ctx);
// The same for a reload that nobody waits for, without force. Should somebody ask for one meanwhile, that is not refused.
void reload_begin_unasked(struct reload *reload, void (*done)(void *done_ctx, int err, const struct report *report),
                          void *done_ctx);
// Joins soon: at once when the builder has been idle, else when the build in progress has ended, and so that joins keep it
// busy for half of the time at most. Any number of calls until then are one join. Out of memory, it is tried again.
void reload_join(struct reload *reload);
