// Lines and fields of a CSV file (RFC 4180, but a quoted field ends on its line), for ranges.c. Parsed in place in one
// block: nothing is allocated for a line.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CSV_LINE_MAX_LEN = 4096, // far above any row; a longer line is none of a CSV of ours
	CSV_FIELDS_MAX = 64,
};

// Lies in the reader's block and is good until the next line is asked for.
struct csv_text {
	char *start; // ends in zero
	size_t len;
};

struct csv {
	int fd;
	char *block;       // with room for a zero behind it
	size_t start, end; // what is read and not yet handed out
	size_t line;       // number of the line handed out last
	bool at_eof;
	bool unended;      // the last line had no newline
};

enum csv_outcome { CSV_LINE, CSV_TOO_LONG, CSV_END, CSV_FAILED };

// 0 or an errno. csv_close() in either case.
int csv_open(struct csv *csv, const char *path);
void csv_close(struct csv *csv);

// The next line without its end. One that is too long is passed over. CSV_FAILED leaves errno.
enum csv_outcome csv_next_line(struct csv *csv, struct csv_text *ret_line);

// Splits a line without zero bytes in place, takes blanks around fields and quotes off. Fills `fields` (of
// CSV_FIELDS_MAX) and returns how many there are: 0 when quotes are out of place or there are too many fields.
size_t csv_split(struct csv_text line, struct csv_text *fields);
