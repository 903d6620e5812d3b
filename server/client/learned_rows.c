// Learned prefixes as a CSV; see learned_rows.h.
#include "client/learned_rows.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/names.h"
#include "base/nearest.h"
#include "base/when.h"
#include "client/json.h"
#include "client/print.h"

enum { SITES_MAX = 4, SHOWN_LEN = 60 /* how much of a wrong value is quoted */ };

// The columns, and the fields of a row in requests and replies.
static const struct {
	const char *name, *key;
	long long max;           // of a number
	enum { NAME, SITES, PREFIX, MOMENT, NUMBER, IGNORED } kind;
} columns[ROWS_COLUMNS] = {
	[ROWS_PREFIX] = {"prefix", "prefix", 0, PREFIX},
	[ROWS_CARRIER] = {"carrier", "carrier", 0, NAME},
	[ROWS_CLASS] = {"class", "class", 0, NAME},
	[ROWS_SITE] = {"site", "sites", 0, SITES},
	[ROWS_SOURCE] = {"source", "source", 0, IGNORED},
	[ROWS_LEARNED] = {"learned", "learned", 0, MOMENT},
	[ROWS_HEARD] = {"heard", "heard", 0, MOMENT},
	[ROWS_FRESH] = {"fresh-until", "fresh_until", 0, MOMENT},
	[ROWS_HELD] = {"held-until", "held_until", 0, MOMENT},
	[ROWS_CONFIDENCE] = {"confidence", "confidence", UINT8_MAX, NUMBER},
	[ROWS_SAMPLES] = {"samples", "samples", UINT32_MAX, NUMBER},
	[ROWS_WEIGHT] = {"weight", "weight", UINT32_MAX, NUMBER},
};

static bool is_name(const char *text)
{
	size_t len = 0;

	while (text[len] >= ' ' && text[len] <= '~')
		len++;
	return text[len] == '\0' && len <= NAME_MAX_LEN;
}

// ---- writing --------------------------------------------------------------------------------------------------------

void client_rows_header(FILE *out)
{
	for (unsigned i = 0; i < ROWS_COLUMNS; i++)
		fprintf(out, "%s%s", i ? "," : "", columns[i].name);
	fputc('\n', out);
}

// Names of carriers are a service's, and any text: it stays within its field, and the field within its line.
static void write_text(FILE *out, const char *text)
{
	char *clean = client_clean(text);
	bool is_quoted = strpbrk(clean, "\", \t#");

	if (is_quoted)
		fputc('"', out);
	for (const char *at = clean; *at; at++)
		fprintf(out, *at == '"' ? "\"\"" : "%c", *at);
	if (is_quoted)
		fputc('"', out);
	free(clean);
}

static const char *site_at(const json_t *sites, size_t i)
{
	const char *site = json_string_value(json_array_get(sites, i));

	return site ? site : "";
}

static bool has_blank_end(const char *text)
{
	return *text == ' ' || (*text && text[strlen(text) - 1] == ' ');
}

// A list that is read as it was written.
static bool are_sites(const json_t *sites)
{
	for (size_t i = 0; i < json_array_size(sites); i++)
		if (!is_name(site_at(sites, i)) || strlen(site_at(sites, i)) == 0 || strchr(site_at(sites, i), ';') ||
		    has_blank_end(site_at(sites, i)))
			return false;
	return json_array_size(sites) <= SITES_MAX;
}

static void write_sites(FILE *out, const json_t *sites)
{
	char text[SITES_MAX * (NAME_MAX_LEN + 1)] = "";
	size_t at = 0;

	for (size_t i = 0; i < json_array_size(sites) && at < sizeof(text); i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i ? ";" : "", site_at(sites, i));
	write_text(out, text);
}

bool client_rows_write(FILE *out, const json_t *row)
{
	char moment[WHEN_TEXT_LEN], number[CTL_INT_LEN];
	bool is_good = is_name(client_text(row, "carrier")) && is_name(client_text(row, "class")) &&
	               are_sites(json_object_get(row, "sites"));

	if (!is_good)
		fputs("# ", out);

	for (unsigned i = 0; i < ROWS_COLUMNS; i++) {
		const char *key = columns[i].key;

		if (i > 0)
			fputc(',', out);
		switch (columns[i].kind) {
		case SITES: write_sites(out, json_object_get(row, key)); break;
		case MOMENT:
			if (client_int(row, key) > 0)
				fputs(when_format(client_int(row, key), moment), out);
			break;
		case NUMBER: fputs(client_int_text(row, key, number), out); break;
		case NAME:
		case PREFIX:
		case IGNORED: write_text(out, client_text(row, key)); break;
		}
	}
	fputc('\n', out);
	return is_good;
}

// ---- what is wrong --------------------------------------------------------------------------------------------------

static void refuse(struct client_rows *rows, size_t column, const char *fmt, ...) PRINTF(3, 4);

static void refuse(struct client_rows *rows, size_t column, const char *fmt, ...)
{
	char why[512];
	va_list ap;

	rows->is_good = false;
	if (!rows->wrong)
		return;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	rows->wrong(rows->ctx, rows->line, column, why);
}

// ---- the header row -------------------------------------------------------------------------------------------------

static unsigned find_column(const char *name)
{
	unsigned column = 0;

	while (column < ROWS_COLUMNS && strcmp(columns[column].name, name) != 0)
		column++;
	return column;
}

static void refuse_column(struct client_rows *rows, size_t start, const char *name)
{
	struct nearest nearest = nearest_begin(name);
	char meant[NEAREST_MEANT_MAX];

	for (unsigned i = 0; i < ROWS_COLUMNS; i++)
		nearest_offer(&nearest, columns[i].name);
	refuse(rows, start, "unknown column '%.*s'%s", SHOWN_LEN, name, nearest_meant(&nearest, '\'', meant));
}

static void read_header(struct client_rows *rows, const struct csv_text *fields, size_t count, size_t shift)
{
	bool have[ROWS_COLUMNS] = {false};

	rows->is_good = true;
	for (size_t i = 0; i < count; i++) {
		size_t start = (size_t)(fields[i].start - rows->buf) + 1 + shift;
		unsigned column = rows->order[i] = find_column(fields[i].start);

		if (column == ROWS_COLUMNS)
			refuse_column(rows, start, fields[i].start);
		else if (have[column])
			refuse(rows, start, "duplicate column '%s'", columns[column].name);
		else
			have[column] = true;
	}
	if (!have[ROWS_PREFIX])
		refuse(rows, 0, "no column 'prefix': expected a header row such as prefix,carrier,class,site");
	rows->fields = count;
	rows->is_over = !rows->is_good;
}

// ---- rows -----------------------------------------------------------------------------------------------------------

static void set(json_t *row, const char *key, json_t *value)
{
	must(value && json_object_set_new(row, key, value) == 0); // the client's own memory, see print.h
}

static void read_name(struct client_rows *rows, json_t *row, unsigned column, const struct csv_text *field)
{
	if (!is_name(field->start))
		refuse(rows, rows->starts[column], "%s: '%.*s' is not a name of up to %d printable ASCII characters",
		       columns[column].name, SHOWN_LEN, field->start, NAME_MAX_LEN);
	else
		set(row, columns[column].key, json_string(field->start));
}

static void read_sites(struct client_rows *rows, json_t *row, const struct csv_text *field)
{
	json_t *sites = json_array();
	char *next = field->start;

	must(sites);
	for (char *site = strsep(&next, ";"); site; site = strsep(&next, ";")) {
		size_t start = rows->starts[ROWS_SITE] + (size_t)(site - field->start), len;

		site += strspn(site, " \t");
		len = strlen(site);
		while (len > 0 && (site[len - 1] == ' ' || site[len - 1] == '\t'))
			site[--len] = '\0';
		if (json_array_size(sites) == SITES_MAX) {
			refuse(rows, start, "site: more than %d sites", SITES_MAX);
			break;
		}
		if (len == 0 || !is_name(site))
			refuse(rows, start, "site: '%.*s' is not the name of a site; of several each is followed by a semicolon",
			       SHOWN_LEN, site);
		else
			must(json_array_append_new(sites, json_string(site)) == 0);
	}
	set(row, "sites", sites);
}

static void read_prefix(struct client_rows *rows, json_t *row, const char *text)
{
	char right[ADDR_TEXT_LEN];
	bool has_tail;

	if (prefix_parse(text, &rows->prefix, &has_tail) < 0)
		refuse(rows, rows->starts[ROWS_PREFIX], "prefix: '%.*s' is not an address prefix such as 192.0.2.0/24 or 2001:db8::/32",
		       SHOWN_LEN, text);
	else if (has_tail)
		refuse(rows, rows->starts[ROWS_PREFIX], "prefix: '%.*s' has bits past its length, did you mean %s?", SHOWN_LEN, text,
		       prefix_format(&rows->prefix, right));
	else
		set(row, "prefix", json_string(prefix_format(&rows->prefix, right)));
}

static void read_moment(struct client_rows *rows, json_t *row, unsigned column, const char *text)
{
	int64_t time_s;

	if (when_parse(text, 0, false, &time_s) < 0 || time_s < 0)
		refuse(rows, rows->starts[column], "%s: '%.*s' is not a time like 2026-08-09T14:03:00Z or @1786284180",
		       columns[column].name, SHOWN_LEN, text);
	else
		set(row, columns[column].key, json_integer(time_s));
}

static void read_number(struct client_rows *rows, json_t *row, unsigned column, const char *text)
{
	size_t digits = strspn(text, "0123456789");
	long long number = digits > 0 && digits <= 10 && text[digits] == '\0' ? strtoll(text, NULL, 10) : -1;

	if (number < 0 || number > columns[column].max)
		refuse(rows, rows->starts[column], "%s: '%.*s' is not a whole number from 0 to %lld", columns[column].name, SHOWN_LEN,
		       text, columns[column].max);
	else
		set(row, columns[column].key, json_integer(number));
}

static void read_field(struct client_rows *rows, json_t *row, unsigned column, const struct csv_text *field)
{
	if (field->len == 0 && column != ROWS_PREFIX)
		return; // not known
	switch (columns[column].kind) {
	case PREFIX: read_prefix(rows, row, field->start); break;
	case NAME: read_name(rows, row, column, field); break;
	case SITES: read_sites(rows, row, field); break;
	case MOMENT: read_moment(rows, row, column, field->start); break;
	case NUMBER: read_number(rows, row, column, field->start); break;
	case IGNORED: break;
	}
}

// NULL: something is wrong.
static json_t *read_row(struct client_rows *rows, const struct csv_text *fields, size_t count, size_t shift)
{
	json_t *row;

	if (count != rows->fields) {
		refuse(rows, 0, "%zu fields, the header row has %zu", count, rows->fields);
		return NULL;
	}
	row = json_object();
	must(row);
	rows->is_good = true;
	memset(rows->starts, 0, sizeof(rows->starts));
	for (size_t i = 0; i < count; i++) {
		rows->starts[rows->order[i]] = (size_t)(fields[i].start - rows->buf) + 1 + shift;
		read_field(rows, row, rows->order[i], &fields[i]);
	}
	if (rows->is_good)
		return row;
	json_decref(row);
	return NULL;
}

// ---- lines ----------------------------------------------------------------------------------------------------------

static json_t *read_line(struct client_rows *rows, const char *line, size_t len)
{
	struct csv_text fields[CSV_FIELDS_MAX];
	size_t shift = rows->line == 1 && len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0 ? 3 : 0, count; // a byte order mark

	line += shift;
	len -= shift;
	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len > CSV_LINE_MAX_LEN) {
		refuse(rows, 0, "a line of more than %d bytes", CSV_LINE_MAX_LEN);
		return NULL;
	}
	if (memchr(line, '\0', len)) {
		refuse(rows, (size_t)((const char *)memchr(line, '\0', len) - line) + 1 + shift, "zero octet: this is not a text file");
		return NULL;
	}
	memcpy(rows->buf, line, len);
	rows->buf[len] = '\0';
	if (rows->buf[strspn(rows->buf, " \t")] == '#' || strspn(rows->buf, " \t") == len)
		return NULL;
	count = csv_split((struct csv_text){rows->buf, len}, fields);
	if (count > 0 && rows->fields > 0)
		return read_row(rows, fields, count, shift);
	if (count > 0)
		read_header(rows, fields, count, shift);
	else
		refuse(rows, 0, "misplaced quotes (a quoted field ends on its line, at a comma or at the end), or more than %d fields",
		       CSV_FIELDS_MAX);
	rows->is_over = rows->fields == 0 || rows->is_over;
	return NULL;
}

void client_rows_begin(struct client_rows *rows, const char *text, size_t len,
                       void (*wrong)(void *ctx, size_t line, size_t column, const char *why), void *ctx)
{
	*rows = (struct client_rows){.text = text, .len = len, .wrong = wrong, .ctx = ctx};
}

json_t *client_rows_next(struct client_rows *rows)
{
	json_t *row = NULL;

	while (!row && rows->at < rows->len && !rows->is_over) {
		const char *line = rows->text + rows->at, *end = memchr(line, '\n', rows->len - rows->at);
		size_t len = end ? (size_t)(end - line) : rows->len - rows->at;

		rows->at += len + (end != NULL);
		rows->line++;
		row = read_line(rows, line, len);
	}
	if (!row && rows->fields == 0 && !rows->is_over) {
		refuse(rows, 0, "is empty: expected a header row such as prefix,carrier,class,site");
		rows->is_over = true;
	}
	return row;
}

size_t client_rows_start(const struct client_rows *rows, const char *name)
{
	unsigned column = find_column(name);

	return column == ROWS_COLUMNS ? 0 : rows->starts[column];
}
