// Reads tables; see table.h.
#include "table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "parse.h"

enum { LINES_MAX = 256 << 20 }; // so that a number of a line fits 32 bits

// ---- the header row -------------------------------------------------------------------------------------------------

// Levenshtein distance, for words of up to 15 bytes; 15 if one is longer.
static size_t distance(const char *a, const char *b)
{
	enum { MAX = 15 };
	size_t a_len = strlen(a), b_len = strlen(b), row[MAX + 1];

	if (a_len > MAX || b_len > MAX)
		return MAX;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t best = corner + (a[i - 1] != b[j - 1]);

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			corner = row[j];
			row[j] = best;
		}
	}
	return row[b_len];
}

// Returns kind->count for none.
static unsigned column_find(const struct table_kind *kind, const char *name)
{
	unsigned column = 0;

	while (column < kind->count && strcmp(kind->names[column], name) != 0)
		column++;
	return column;
}

// Whether the column is one that this plugin leaves to others.
static bool is_ignored(const struct table_kind *kind, const char *name)
{
	for (const char *const *at = kind->ignored; at && *at; at++)
		if (strcmp(*at, name) == 0)
			return true;
	return false;
}

// The column that was probably meant; kind->count for none.
static unsigned column_near(const struct table_kind *kind, const char *name)
{
	unsigned nearest = 0;

	for (unsigned i = 1; i < kind->count; i++)
		if (distance(name, kind->names[i]) < distance(name, kind->names[nearest]))
			nearest = i;
	return distance(name, kind->names[nearest]) <= (strlen(kind->names[nearest]) + 2) / 3 ? nearest
	                                                                                      : (unsigned)kind->count;
}

// "prefix, carrier or class"
static const char *list_columns(const struct table_kind *kind, char *buf, size_t len)
{
	size_t at = 0;

	for (size_t i = 0; i < kind->count && at < len; i++) {
		const char *before = i == 0 ? "" : i + 1 == kind->count ? " or " : ", ";

		at += (size_t)snprintf(buf + at, len - at, "%s%s", before, kind->names[i]);
	}
	return buf;
}

// Returns the column that was probably meant, so that it is not reported as missing as well; kind->count for none.
static unsigned refuse_column(struct table *table, const char *name)
{
	unsigned near = column_near(table->kind, name);
	char columns[256];

	if (near < table->kind->count)
		table_error(table, "unknown column '%.*s', did you mean '%s'?", TABLE_SHOWN_LEN, name, table->kind->names[near]);
	else
		table_error(table, "unknown column '%.*s', expected %s", TABLE_SHOWN_LEN, name,
		            list_columns(table->kind, columns, sizeof(columns)));
	return near;
}

// False: a row of data, or a file in another format.
static bool is_header(const struct table_kind *kind, const struct csv_text *fields, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (column_find(kind, fields[i].start) < kind->count || column_near(kind, fields[i].start) < kind->count)
			return true;
	return false;
}

static int read_header(struct table *table, const struct csv_text *fields, size_t count)
{
	const struct table_kind *kind = table->kind;
	bool have[CSV_FIELDS_MAX] = {false};

	if (!is_header(kind, fields, count)) {
		table_error(table, "no column is known: expected %s", kind->example);
		return -1;
	}
	for (size_t i = 0; i < count; i++) {
		unsigned column = column_find(kind, fields[i].start);

		if (column == kind->count && !is_ignored(kind, fields[i].start))
			column = refuse_column(table, fields[i].start);
		table->order[i] = column;
		if (column == kind->count)
			continue;
		if (have[column])
			table_error(table, "duplicate column '%s'", kind->names[column]);
		have[column] = true;
	}
	for (size_t i = 0; i < kind->required; i++)
		if (!have[i])
			table_error(table, "no column '%s': expected %s", kind->names[i], kind->example);
	if (kind->check_header)
		kind->check_header(table, have);
	table->fields = count;
	return table->errors ? -1 : 0;
}

// ---- rows -----------------------------------------------------------------------------------------------------------

bool table_read_prefix(struct table *table, const struct csv_text *field, struct edgesteer_prefix *ret_prefix)
{
	char right[PARSE_PREFIX_TEXT_LEN];
	bool tail;

	if (!parse_prefix(field->start, ret_prefix, &tail)) {
		table_error(table, "prefix: '%.*s' is not an address prefix such as 192.0.2.0/24 or 2001:db8::/32",
		            TABLE_SHOWN_LEN, field->start);
		return false;
	}
	if (tail)
		table_error(table, "prefix: '%s' has bits past its length, did you mean %s?", field->start,
		            parse_format_prefix(ret_prefix, right));
	return !tail;
}

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

const char *table_read_country(struct table *table, const struct csv_text *field, char buf[3])
{
	if (field->len == 0)
		return NULL;
	if (field->len == 2 && is_letter(field->start[0]) && is_letter(field->start[1]))
		return parse_country(field->start, buf);
	table_error(table, "country: '%.*s' is not a code of two letters such as US", TABLE_SHOWN_LEN, field->start);
	return NULL;
}

// Fields at the end of a row may be missing where the columns are fixed.
static int read_fixed_row(struct table *table, struct csv_text *fields, size_t count)
{
	static char nothing[1];

	for (; count < table->fields; count++)
		fields[count] = (struct csv_text){nothing, 0};
	return table->kind->row(table, fields);
}

static int read_line(struct table *table, struct csv_text line)
{
	struct csv_text fields[CSV_FIELDS_MAX];

	if (table->csv.line == 1 && line.len >= 3 && memcmp(line.start, "\xef\xbb\xbf", 3) == 0) { // a byte order mark
		line.start += 3;
		line.len -= 3;
	}
	if (line.start[strspn(line.start, " \t")] == '#' || strspn(line.start, " \t") == line.len)
		return 0;
	if (memchr(line.start, '\0', line.len)) {
		table_error(table, "zero octet: this is not a text file");
		return 0;
	}

	size_t count = csv_split(line, fields);

	if (count == 0)
		table_error(table, "misplaced quotes (a quoted field ends on its line, at a comma or at the end), or more "
		                   "than %d fields", CSV_FIELDS_MAX);
	else if (table->kind->fixed)
		return read_fixed_row(table, fields, count);
	else if (table->fields == 0)
		return read_header(table, fields, count);
	else if (count != table->fields)
		table_error(table, "%zu fields, the header row has %zu", count, table->fields);
	else
		return table->kind->row(table, fields);
	return table->fields == 0 ? -1 : 0;
}

// ---- files ----------------------------------------------------------------------------------------------------------

static int read_lines(struct table *table)
{
	for (;;) {
		struct csv_text line;
		enum csv_outcome outcome = csv_next_line(&table->csv, &line);

		if (outcome == CSV_END)
			return 0;
		if (outcome == CSV_FAILED) {
			table_error(table, "cannot be read: %s", strerror(errno));
			return -1;
		}
		if (table->csv.line == LINES_MAX) {
			table_error(table, "more than %d lines", LINES_MAX);
			return -1;
		}
		if (outcome == CSV_TOO_LONG)
			table_error(table, "a line of more than %d bytes", CSV_LINE_MAX_LEN);
		else if (read_line(table, line) < 0)
			return -1;
	}
}

int table_read(struct table *table)
{
	if (read_lines(table) < 0 || table->errors > 0)
		return -1;
	if (table->fields == 0) {
		table->host->report(table->host, EDGESTEER_ERROR, table->path, 0, "is empty: expected %s", table->kind->example);
		return -1;
	}
	if (table->csv.unended)
		table->host->report(table->host, EDGESTEER_WARNING, table->path, table->csv.line,
		                    "ends without a newline: was it cut?");
	return 0;
}

int table_open(struct table *table, const struct table_kind *kind, const struct edgesteer_host *host, const char *path)
{
	table->kind = kind;
	table->host = host;
	table->path = path;
	table->errors = 0;
	table->fields = kind->fixed_count;
	for (size_t i = 0; i < kind->fixed_count; i++)
		table->order[i] = kind->fixed[i];

	const char *why = csv_open(&table->csv, path);

	if (why)
		host->report(host, EDGESTEER_ERROR, path, 0, "cannot be read: %s", why);
	return why ? -1 : 0;
}

void table_close(struct table *table)
{
	csv_close(&table->csv);
}
