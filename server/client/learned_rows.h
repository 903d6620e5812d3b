// Learned prefixes as a CSV: what `learned export` writes, and plugin `ranges` and `learned import` read. For edgesteerctl. The
// reader takes any octets, and tells of everything that is wrong in them. Lines and fields are those of plugins/lib/csv.h, so
// that what one of the readers takes the other one does.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/attr.h"
#include "lib/csv.h"

enum client_rows_column {
	ROWS_PREFIX, ROWS_CARRIER, ROWS_CLASS, ROWS_SITE, ROWS_SOURCE, ROWS_LEARNED, ROWS_HEARD, ROWS_FRESH, ROWS_HELD,
	ROWS_CONFIDENCE, ROWS_SAMPLES, ROWS_WEIGHT, ROWS_COLUMNS
};

// Writes the header row.
void client_rows_header(FILE *out);
// Writes a row as the daemon gives it (control/bulk.h). Fields that it does not have are empty. False: as a comment of
// one line, since no reader takes a name with anything but printable ASCII, or a site that looks like several.
bool client_rows_write(FILE *out, const json_t *row);

// A text that is read, borrowed.
struct client_rows {
	const char *text;
	size_t len, at, line;
	// Told of each error; `column` counts octets from 1, 0: the line as a whole. NULL: nobody is.
	void (*wrong)(void *ctx, size_t line, size_t column, const char *why);
	void *ctx;
	unsigned order[CSV_FIELDS_MAX]; // the column of each field; ROWS_COLUMNS: of one that is not known
	size_t fields;                  // 0: the header row is still to come
	bool is_over;                   // the header row is wrong
	char buf[CSV_LINE_MAX_LEN + 1];
	// The row that was returned last.
	size_t starts[ROWS_COLUMNS];    // where its fields begin, as columns of the line; 0: it has no such field
	struct prefix prefix;
	bool is_good;
};

void client_rows_begin(struct client_rows *rows, const char *text, size_t len,
                       void (*wrong)(void *ctx, size_t line, size_t column, const char *why), void *ctx);
// The next row with nothing wrong in it, as `learned import` takes it; owned by the caller. NULL: there is none.
json_t *client_rows_next(struct client_rows *rows) MUST_USE;
// Where the field of a column of this name begins in that row; 0: it has none.
size_t client_rows_start(const struct client_rows *rows, const char *name);
