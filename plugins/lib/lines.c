// Reading lines; see lines.h.
#include "lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_SIZE = 4096 };

void lines_begin(struct lines *lines, int fd, size_t max)
{
	*lines = (struct lines){.fd = fd, .max = max};
}

void lines_done(struct lines *lines)
{
	free(lines->block);
	*lines = (struct lines){.fd = -1};
}

// From what has been read.
static enum lines_outcome take_line(struct lines *lines, char **ret_line, size_t *ret_len)
{
	char *start = lines->block + lines->start;
	char *newline = lines->end > lines->start ? memchr(start, '\n', lines->end - lines->start) : NULL;

	if (!newline)
		return lines->end - lines->start >= lines->max ? LINES_TOO_LONG : LINES_NONE;
	*newline = '\0';
	*ret_line = start;
	*ret_len = (size_t)(newline - start);
	lines->start += *ret_len + 1;
	lines->number++;
	return LINES_ONE;
}

void lines_skip(struct lines *lines)
{
	lines->start = lines->end = 0;
}

// Makes room for one octet at least.
static int make_room(struct lines *lines)
{
	if (lines->start > 0) {
		memmove(lines->block, lines->block + lines->start, lines->end - lines->start);
		lines->end -= lines->start;
		lines->start = 0;
	}
	if (lines->end < lines->size)
		return 0;

	size_t size = lines->size == 0 ? FIRST_SIZE : lines->size * 2;
	char *block = realloc(lines->block, size < lines->max ? size : lines->max);

	if (!block)
		return -1;
	lines->block = block;
	lines->size = size < lines->max ? size : lines->max;
	return 0;
}

enum lines_outcome lines_next(struct lines *lines, char **ret_line, size_t *ret_len)
{
	for (;;) {
		enum lines_outcome outcome = take_line(lines, ret_line, ret_len);

		if (outcome != LINES_NONE)
			return outcome;
		if (make_room(lines) < 0) {
			errno = ENOMEM;
			return LINES_FAILED;
		}

		ssize_t got = read(lines->fd, lines->block + lines->end, lines->size - lines->end);

		if (got == 0)
			return LINES_END;
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN ? LINES_NONE : LINES_FAILED;
		lines->end += (size_t)got;
	}
}
