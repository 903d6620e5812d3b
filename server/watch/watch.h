// Watches files on a thread of its own, as a file system may hang: then nothing else does. Main thread only.
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "watch/lookout.h"

struct event_base;
struct inputs;
struct watch;

struct watch_ops {
	// Main thread: these files are to be read anew. They count as read; what has been read of them may be told by
	// watch_set().
	void (*changed)(void *ctx, const struct inputs *files);
	void *ctx;
};

// `base` is borrowed until watch_free(); times and ops are copied. NULL when out of memory, descriptors or threads.
struct watch *watch_new(struct event_base *base, const struct lookout_times *times,
                        const struct watch_ops *ops) MUST_USE;
// From now on these files are watched, whose stamps are those of what was read of them; takes ownership.
void watch_set(struct watch *watch, struct inputs *files);
// Ends the thread. False: it has not ended within `patience_ms` (a file system hangs), so nothing may be freed that it
// uses. Takes NULL.
bool watch_stop(struct watch *watch, int patience_ms) MUST_USE;
// After watch_stop(). Takes NULL; returns NULL.
struct watch *watch_free(struct watch *watch);
