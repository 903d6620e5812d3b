// Watches files on a thread of its own, as a file system may hang: then nothing else does. Main thread only.
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "watch/lookout.h"

struct event_base;
struct inputs;
struct filewatch;

struct filewatch_ops {
	// Main thread: these files are to be read anew. They count as read; what has been read of them may be told by
	// filewatch_set().
	void (*changed)(void *ctx, const struct inputs *files);
	void *ctx;
};

// `base` is borrowed until filewatch_free(); times and ops are copied. NULL when out of memory, descriptors or threads.
struct filewatch *filewatch_new(struct event_base *base, const struct lookout_times *times,
                                const struct filewatch_ops *ops) MUST_USE;
// From now on these files are watched, whose stamps are those of what was read of them; takes ownership.
void filewatch_set(struct filewatch *watch, struct inputs *files);
// Ends the thread. False: it has not ended within `patience_ms` (a file system hangs), so nothing may be freed that it
// uses. Takes NULL.
bool filewatch_stop(struct filewatch *watch, int patience_ms) MUST_USE;
// After filewatch_stop(). Takes NULL; returns NULL.
struct filewatch *filewatch_free(struct filewatch *watch);
