// A file that lines are appended to, read as they come, like tail -F: from its end when it is there at first, from its
// beginning when another one takes its place, or when it has become shorter. Blocks as long as the file system does. Owned
// by the observer's thread.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/attr.h"

struct tail {
	const char *path;   // borrowed
	int fd;             // -1: not open
	off_t offset;       // read so far: the start of a line
	bool is_known;      // it was looked for before: what comes now is new
	bool is_told;       // that it cannot be read
};

enum { TAIL_PART = 65536 }; // octets that are read at once

void tail_begin(struct tail *tail, const char *path);
void tail_end(struct tail *tail);
// Passes what is new, complete lines, to read(), which returns how many octets it has used (less: the rest is passed again
// in the next call); at most TAIL_PART octets. A line longer than that is passed in parts. Returns whether there may be more.
bool tail_read(struct tail *tail, size_t (*read)(void *ctx, const char *text, size_t len), void *ctx);
