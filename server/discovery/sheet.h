// Reads the small CSV tables that an operator writes, such as the latency table: a header row with given columns, no
// quotes, comments from "#". Every error is reported with its line.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct report;

enum { SHEET_COLUMNS_MAX = 8, SHEET_SHOWN_LEN = 60 }; // the latter: how much of an invalid value a message quotes

struct sheet {
	const char *path;    // absolute
	const char *header;  // "from,site,ms"
	struct report *report;
	// Called for each row with its fields, one for each column of the header, without blanks around them. They point
	// into `text`. An error other than E_NOMEM is reported by sheet_error() instead of returned.
	int (*row)(void *ctx, struct sheet *sheet, char **fields);
	void *ctx;
	// Set while reading.
	char *text;          // owned
	size_t len, line;
	bool failed;         // an error was reported
};

// Reads all rows. The caller frees the text with sheet_wipe(), in every case. E_INVAL (reported), E_NOMEM.
int sheet_read(struct sheet *sheet) MUST_USE;
void sheet_wipe(struct sheet *sheet);

// Reports an error at the current line.
void sheet_error(struct sheet *sheet, const char *fmt, ...) PRINTF(2, 3);
