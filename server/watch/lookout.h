// Tells which files have changed and come to rest. What counts is the file's stamp (base/inputs.h); inotify (folders.c)
// only says when to look. Called by watch.c on the watcher's thread.
//
// A look compares the stamps of all files with those of the look before:
//
//   at a change in the folders, and every stat_ms     a look
//   a file differs from what was read of it           another look after quiet_ms
//   and nothing has moved since the look before       it is told: what differs is to be read
//   and files have been moving for quiet_max_ms       it is told all the same
//
// What was told counts as read: it is told again when it changes again.
#pragma once

#include <stdint.h>

#include "base/attr.h"

struct inputs;
struct lookout;

struct lookout_times {
	unsigned quiet_ms, quiet_max_ms;
	unsigned stat_ms;
};

// NULL when out of memory. Times are copied.
struct lookout *lookout_new(const struct lookout_times *times) MUST_USE;
// Takes NULL; returns NULL.
struct lookout *lookout_free(struct lookout *lookout);

// From now on these files, whose stamps are those of what was read of them. Takes ownership. Out of memory: those before.
void lookout_set(struct lookout *lookout, struct inputs *files);
// Looks if it is time to. The files to be read with their present stamps, the caller's; NULL: none.
struct inputs *lookout_turn(struct lookout *lookout, int64_t now_ms) MUST_USE;

// When to call lookout_turn() next: at this time (of the monotonic clock), or when the descriptor is readable; -1: there
// is none.
int64_t lookout_next_ms(const struct lookout *lookout);
int lookout_fd(const struct lookout *lookout);
