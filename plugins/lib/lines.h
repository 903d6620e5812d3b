// Lines from a file descriptor that is read as it becomes readable, for plugins. Bounded: a line that is too long is an
// outcome, not memory.
#pragma once

#include <stddef.h>

struct lines {
	int fd;
	char *block;           // grows up to `max` octets
	size_t start, end, size;
	size_t max;
	size_t number;         // of the line returned last
};

enum lines_outcome {
	LINES_ONE,      // a line
	LINES_NONE,     // nothing more for now
	LINES_END,      // end of file
	LINES_TOO_LONG, // a line of more than `max` octets
	LINES_FAILED,   // errno, or ENOMEM
};

void lines_begin(struct lines *lines, int fd, size_t max);
void lines_done(struct lines *lines);
// The next line, without its newline; a zero follows it, and there may be others in it. Valid until the next call. A last
// line without a newline is none: its writer may have been interrupted.
enum lines_outcome lines_next(struct lines *lines, char **ret_line, size_t *ret_len);
// Gives up what has been read of a line that is too long, for who goes on with the rest of it.
void lines_skip(struct lines *lines);
