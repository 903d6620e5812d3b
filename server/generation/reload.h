// Reloads: a generation is built on a thread of its own while the main thread goes on, and handed to the main thread when
// it is whole. One at a time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct event_base;
struct generation;
struct reload;
struct report;

struct reload_ops {
	// Builder's thread: works out what a finished generation takes over from the one that is served, and keeps it in
	// generation->handover. What it reads must not change while a build is under way. E_NOMEM, E_LIMIT: the generation is
	// discarded.
	int (*prepare)(void *ctx, struct generation *generation);
	// Any thread: frees a generation that nobody took.
	void (*discard)(struct generation *generation);
	// Main thread: take over a finished generation; what is worth a warning goes into the report. On an error nothing
	// has changed and it is freed.
	int (*take)(void *ctx, struct generation *generation, struct report *report);
	// Main thread: after each reload, before whoever asked is told.
	void (*finished)(void *ctx, int err, const struct report *report);
	void *ctx;
};

struct reload *reload_new(struct event_base *base, const char *config_path, const struct reload_ops *ops) MUST_USE;
// Waits for a build under way, in vain or not, and drops it. False: it goes on after `patience_ms` (a source that hangs),
// so nothing that it uses may be freed any more. Takes NULL.
bool reload_stop(struct reload *reload, int patience_ms) MUST_USE;
// After reload_stop(). Takes NULL; returns NULL.
struct reload *reload_free(struct reload *reload);
// When the build under way began, by the wall clock; 0: there is none.
int64_t reload_began_s(const struct reload *reload);

// Begins one; done() is called once on the main thread, as struct control_ops says. E_INVAL is the config's fault.
void reload_begin(struct reload *reload, void (*done)(void *done_ctx, int err, const struct report *report),
                  void *done_ctx);
