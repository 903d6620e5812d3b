// A table in a CSV file, for plugins: its header row, its rows one by one, and messages that name file and line. Every
// error of a file is reported, not only the first; the plugin passes the good rows on.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "csv.h"
#include "edgesteer-plugin.h"

struct table;

// The columns of a kind of file, and what its plugin does.
struct table_kind {
	const char *const *names; // of the columns, by their number
	size_t count;
	size_t required;          // the first so many must be there
	const char *const *ignored; // names of columns that are there for others, ended by NULL; NULL: there are none
	const char *example;      // of a header row
	// The first columns of files without a header row, in their order; fields beyond are ignored, and those at the end
	// may be left out. NULL: the file has a header row.
	const unsigned *fixed;
	size_t fixed_count;
	// Checks which columns there are; errors by table_error(). NULL: any may be missing but the required ones.
	void (*check_header)(struct table *table, const bool *have);
	// Takes a row of table->fields fields, of the columns in table->order (`count`: of an ignored one). Returns 0, or negative to stop.
	int (*row)(struct table *table, const struct csv_text *fields);
};

// The first member of a plugin's own struct.
struct table {
	const struct table_kind *kind;
	const struct edgesteer_host *host;
	const char *path;
	struct csv csv; // csv.line is the line of the row
	size_t errors;
	unsigned order[CSV_FIELDS_MAX]; // the column of each field
	size_t fields;                  // 0: the header row is still to come
};

enum { TABLE_SHOWN_LEN = 60 }; // how much of an invalid value a message quotes

// Reports an error on the current line.
#define table_error(table, ...)                                                                                     \
	((table)->errors++, (table)->host->report((table)->host, EDGESTEER_ERROR, (table)->path, (table)->csv.line, \
	                                          __VA_ARGS__))

// Begins with a file; the path is borrowed. Returns 0, or negative (reported). The caller calls table_close() in either
// case.
int table_open(struct table *table, const struct table_kind *kind, const struct edgesteer_host *host, const char *path);
void table_close(struct table *table);

// Reads all of it. Returns 0; negative after errors, which are reported, or when row() stopped.
int table_read(struct table *table);

// Reads a field as a prefix. False: it is none (reported).
bool table_read_prefix(struct table *table, const struct csv_text *field, struct edgesteer_prefix *ret_prefix);
// Reads a field as a country into buf and returns it; NULL when it is empty, stands for no country, or is wrong
// (reported).
const char *table_read_country(struct table *table, const struct csv_text *field, char buf[3]);
