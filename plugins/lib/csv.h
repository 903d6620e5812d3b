// Lines and fields of a CSV file (RFC 4180, except that a quoted field ends on its line), for table.c. Parsed in place
// in one block: nothing is allocated per line.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CSV_LINE_MAX_LEN = 4096, // bytes; far longer than any row
	CSV_FIELDS_MAX = 64,
};

// Points into the reader's block; valid until the next line is read.
struct csv_text {
	char *start; // with a final zero
	size_t len;
};

struct csv {
	int fd;
	char *block;       // with room for a zero after it
	size_t start, end; // what has been read but not returned yet
	size_t line;       // number of the line returned last
	bool at_eof;
	bool unended;      // the last line had no newline
};

enum csv_outcome { CSV_LINE, CSV_TOO_LONG, CSV_END, CSV_FAILED };

// Returns NULL, or why the file cannot be read. The caller calls csv_close() in either case.
const char *csv_open(struct csv *csv, const char *path);
void csv_close(struct csv *csv);

// Reads the next line, without its newline. A line that is too long is skipped. CSV_FAILED sets errno.
enum csv_outcome csv_next_line(struct csv *csv, struct csv_text *ret_line);

// Splits a line without zero bytes in place, and removes quotes and blanks around fields. Fills fields[CSV_FIELDS_MAX]
// and returns their number; 0 when quotes are misplaced or there are too many fields.
size_t csv_split(struct csv_text line, struct csv_text *fields);
