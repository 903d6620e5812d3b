// The files that a generation is built from, each with its stamp: what the file system said of it before it was read.
// Whoever reads a file that an operator may change adds it to the list of its report (report_inputs()); what has another
// stamp later has changed. Slow side. Not thread-safe.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum {
	INPUTS_MAX = 100000, // a list takes no more files
	INPUTS_PATH_MAX = 4095, // octets of a path
};

enum input_kind {
	INPUT_CONFIG, // the config, what it includes, and its catalogue
	INPUT_ZONE,   // a master file, and what it includes
	INPUT_FEED,   // anything else, which others than the operator may write: tables, databases, certificates
};

// All zero: there is no such file.
struct input_stamp {
	uint64_t device, inode;
	int64_t size, mtime_ns, ctime_ns;
};

struct input {
	const char *path;         // absolute; owned by the list. Symbolic links are not resolved
	enum input_kind kind;
	bool pattern;             // the path is a pattern for glob(3), and the stamp is that of the names that match
	bool watched;             // a change of it asks for a reload
	struct input_stamp stamp;
};

struct inputs;

// NULL when out of memory. The caller frees it with inputs_free().
struct inputs *inputs_new(void) MUST_USE;
// Takes NULL; returns NULL.
struct inputs *inputs_free(struct inputs *inputs);

// What is added from now on is of this kind. At first: INPUT_CONFIG, not watched.
void inputs_section(struct inputs *inputs, enum input_kind kind, bool watched) NONNULL(1);
// Adds the file at an absolute path with its present stamp: call it before the file is opened, so that no change can be
// missed. Of a path that is there already the first stamp is kept, and it is watched if either is. A path that is not
// absolute or too long, and what does not fit into memory or the list, is left out.
void inputs_add(struct inputs *inputs, const char *path) NONNULL(1, 2);
// The same for a pattern, whose matches change when files come or go.
void inputs_add_pattern(struct inputs *inputs, const char *pattern) NONNULL(1, 2);
// The same with everything given; the path is copied.
void inputs_put(struct inputs *inputs, const struct input *input) NONNULL(1, 2);

size_t inputs_count(const struct inputs *inputs) PURE NONNULL(1);
// In the order in which they were added. Owned by the list; the caller may change anything but the path.
struct input *inputs_at(const struct inputs *inputs, size_t i) NONNULL(1);
// The number of a path (or pattern), or -1.
int inputs_find(const struct inputs *inputs, const char *path) NONNULL(1, 2);

// The stamp of what is there now. Waits as long as the file system does.
struct input_stamp inputs_stamp(const char *path, bool pattern) NONNULL(1);
bool inputs_same_stamp(const struct input_stamp *a, const struct input_stamp *b) PURE NONNULL(1, 2);
