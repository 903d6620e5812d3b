// What is known of each file of the generation in use, and of a later one that was refused: when it changed, was taken,
// was refused and why. Kept across reloads by path. Main thread only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct files;
struct inputs;
struct report;

// Times are of the wall clock, in seconds; 0: never.
struct files_state {
	int64_t changed_s; // when a change was last noticed, if it is watched
	int64_t taken_s;   // when it was last read for a generation that was taken
	int64_t refused_s; // when it was last read, changed or with errors, for one that was refused
	bool is_refused;   // not taken since then; the two may be within one second
	const char *why;   // the error then, its own where it had one; owned by the files
};

// After a load: the files that it read, from its report, and what `before` (NULL: none) knows of them. After one that was
// refused also all other files of `before`, whose settings count then: nothing was taken of the new config. `config_watched`:
// whether the files of the config are, according to the config in use. The caller frees both. NULL when out of memory.
struct files *files_loaded(const struct files *before, const struct report *report, bool taken, bool config_watched,
                           int64_t now_s) MUST_USE NONNULL(2);
// Takes NULL; returns NULL.
struct files *files_free(struct files *files);

// They changed, at this time.
void files_changed(struct files *files, const struct inputs *changed, int64_t now_s) NONNULL(1, 2);

// All files, with the stamps of what was read last. Owned by the files.
const struct inputs *files_list(const struct files *files) NONNULL(1);
// Of the file with this number in the list.
const struct files_state *files_state(const struct files *files, size_t i) NONNULL(1);
// A list of those that are watched, the caller's. NULL when out of memory.
struct inputs *files_watched(const struct files *files) MUST_USE NONNULL(1);
