// Reads a CSV file in blocks and parses it in place; see csv.h.
#include "csv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "regular.h"

enum { BLOCK_LEN = 256 << 10 };

const char *csv_open(struct csv *csv, const char *path)
{
	off_t len;

	*csv = (struct csv){.fd = -1};

	const char *why = regular_open(path, &csv->fd, &len);

	if (!why && !(csv->block = malloc(BLOCK_LEN + 1)))
		why = strerror(ENOMEM);
	return why;
}

void csv_close(struct csv *csv)
{
	if (csv->fd >= 0)
		close(csv->fd);
	free(csv->block);
}

static bool read_more(struct csv *csv)
{
	ssize_t got;

	if (csv->start > 0)
		memmove(csv->block, csv->block + csv->start, csv->end - csv->start);
	csv->end -= csv->start;
	csv->start = 0;
	do
		got = read(csv->fd, csv->block + csv->end, BLOCK_LEN - csv->end);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return false;
	csv->end += (size_t)got;
	csv->at_eof = got == 0;
	return true;
}

enum csv_outcome csv_next_line(struct csv *csv, struct csv_text *ret_line)
{
	bool too_long = false;

	for (;;) {
		char *start = csv->block + csv->start;
		size_t left = csv->end - csv->start;
		char *newline = memchr(start, '\n', left);
		size_t len = newline ? (size_t)(newline - start) : left;

		too_long = too_long || len > CSV_LINE_MAX_LEN;
		if (newline || (csv->at_eof && (left > 0 || too_long))) {
			csv->start += len + (newline ? 1 : 0);
			csv->line++;
			csv->unended = !newline;
			if (len > 0 && start[len - 1] == '\r')
				len--;
			start[len] = '\0';
			*ret_line = (struct csv_text){start, len};
			return too_long ? CSV_TOO_LONG : CSV_LINE;
		}
		if (csv->at_eof)
			return CSV_END;
		if (too_long)
			csv->start = csv->end;
		if (!read_more(csv))
			return CSV_FAILED;
	}
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

// Removes the quotes of a field in place; *at moves from the opening quote past the closing one. False: there is none.
static bool unquote(char **at, struct csv_text *ret_field)
{
	char *from = *at + 1, *to = from, *start = from;

	for (; *from; from++) {
		if (*from == '"' && *++from != '"') {
			*to = '\0';
			*ret_field = (struct csv_text){start, (size_t)(to - start)};
			*at = from;
			return true;
		}
		*to++ = *from;
	}
	return false;
}

size_t csv_split(struct csv_text line, struct csv_text *fields)
{
	char *at = line.start, *end = at + line.len;

	for (size_t count = 0; count < CSV_FIELDS_MAX;) {
		char *comma;

		while (is_blank(*at))
			at++;
		if (*at == '"') {
			// unquote() moves only text before the closing quote, and `comma` is after it.
			if (!unquote(&at, &fields[count]))
				return 0;
			while (is_blank(*at))
				at++;
			if (at < end && *at != ',')
				return 0;
			comma = at;
		} else {
			char *last = comma = memchr(at, ',', (size_t)(end - at));

			if (!comma)
				last = comma = end;
			while (last > at && is_blank(last[-1]))
				last--;
			fields[count] = (struct csv_text){at, (size_t)(last - at)};
			*last = '\0';
		}
		count++;
		if (comma == end)
			return count;
		at = comma + 1;
	}
	return 0;
}
