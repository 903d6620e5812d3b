// The `ranges` plugin: prefixes and what is known of their clients, from a CSV file with a header row. The daemon opens
// one instance for each `plugin: ranges` entry of `locate:`; the instance owns the open file. A file with all routed
// prefixes of the Internet must not delay a reload: nothing is allocated per row but its entry in the list that finds
// duplicates.
#include "edgesteer-plugin.h"

#include <endian.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "parse.h"

enum {
	TEXT_MAX_LEN = 63,     // of a carrier, class or site: the contract's limit
	LINES_MAX = 256 << 20, // line numbers are stored in 32 bits
	DUPLICATES_SHOWN = 20, // one by one; further ones are counted
	SHOWN_LEN = 60,        // how much of an invalid value a message quotes
	HALF_EARTH_KM = 20040,
};

enum column { PREFIX, CARRIER, LATITUDE, LONGITUDE, CLASS, SITE, ACCURACY, COUNTRY, COLUMNS };

static const char *const column_names[COLUMNS] = {
	[PREFIX] = "prefix", [CARRIER] = "carrier", [LATITUDE] = "latitude",     [LONGITUDE] = "longitude",
	[CLASS] = "class",   [SITE] = "site",       [ACCURACY] = "accuracy-km",
	[COUNTRY] = "country",
};

// A prefix that was read, to find duplicate and nested ones. The address as two numbers, left-aligned.
struct seen {
	uint64_t hi, lo;
	uint32_t line;
	uint8_t family, length;
};

struct ranges {
	const struct edgesteer_host *host;
	const char *path;
	struct csv csv;
	size_t errors;
	enum column order[CSV_FIELDS_MAX]; // by field
	size_t fields;                     // 0: the header row is still to come
	struct seen *seen;
	size_t seen_count, seen_cap;
	bool unsorted;
};

#define HEADER_EXAMPLE "a header row that names the columns, such as prefix,carrier,latitude,longitude,class"

#define ranges_error(r, ...) \
	((r)->errors++, (r)->host->report((r)->host, EDGESTEER_ERROR, (r)->path, (r)->csv.line, __VA_ARGS__))

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

static enum column column_find(const char *name)
{
	enum column column = 0;

	while (column < COLUMNS && strcmp(column_names[column], name) != 0)
		column++;
	return column;
}

// The column that was probably meant; COLUMNS for none.
static enum column column_near(const char *name)
{
	enum column nearest = 0;

	for (enum column i = 1; i < COLUMNS; i++)
		if (distance(name, column_names[i]) < distance(name, column_names[nearest]))
			nearest = i;
	return distance(name, column_names[nearest]) <= (strlen(column_names[nearest]) + 2) / 3 ? nearest : COLUMNS;
}

// Returns the column that was probably meant, so that it is not reported as missing as well; COLUMNS for none.
static enum column refuse_column(struct ranges *r, const char *name)
{
	enum column near = column_near(name);

	if (near != COLUMNS)
		ranges_error(r, "unknown column '%.*s', did you mean '%s'?", SHOWN_LEN, name, column_names[near]);
	else
		ranges_error(r, "unknown column '%.*s', expected prefix, carrier, latitude, longitude, class, site, "
		                "accuracy-km or country", SHOWN_LEN, name);
	return near;
}

// False: a row of data, or a file in another format.
static bool is_header(const struct csv_text *fields, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (column_find(fields[i].start) != COLUMNS || column_near(fields[i].start) != COLUMNS)
			return true;
	return false;
}

static int read_header(struct ranges *r, const struct csv_text *fields, size_t count)
{
	bool have[COLUMNS] = {false};

	if (!is_header(fields, count)) {
		ranges_error(r, "no column is known: expected " HEADER_EXAMPLE);
		return -1;
	}
	for (size_t i = 0; i < count; i++) {
		r->order[i] = column_find(fields[i].start);
		if (r->order[i] == COLUMNS)
			r->order[i] = refuse_column(r, fields[i].start);
		if (r->order[i] == COLUMNS)
			continue;
		if (have[r->order[i]])
			ranges_error(r, "duplicate column '%s'", column_names[r->order[i]]);
		have[r->order[i]] = true;
	}
	if (!have[PREFIX])
		ranges_error(r, "no column 'prefix': expected " HEADER_EXAMPLE);
	if (have[LATITUDE] != have[LONGITUDE])
		ranges_error(r, "latitude and longitude go together, the header row has only one of them");
	if (have[ACCURACY] && !have[LATITUDE])
		ranges_error(r, "accuracy-km is the accuracy of the coordinates, but there are none");
	r->fields = count;
	return r->errors ? -1 : 0;
}

// ---- duplicates and nesting -----------------------------------------------------------------------------------------

// By address, then from the widest prefix to the longest, so that each follows those that contain it.
static int seen_order(const void *left, const void *right)
{
	const struct seen *a = left, *b = right;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (a->hi != b->hi)
		return a->hi < b->hi ? -1 : 1;
	if (a->lo != b->lo)
		return a->lo < b->lo ? -1 : 1;
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return a->line < b->line ? -1 : a->line > b->line;
}

static bool contains(const struct seen *wide, const struct seen *narrow)
{
	unsigned hi_bits = wide->length < 64 ? wide->length : 64, lo_bits = wide->length - hi_bits;
	uint64_t hi = hi_bits ? (wide->hi ^ narrow->hi) >> (64 - hi_bits) : 0;
	uint64_t lo = lo_bits ? (wide->lo ^ narrow->lo) >> (64 - lo_bits) : 0;

	return wide->family == narrow->family && wide->length <= narrow->length && (hi | lo) == 0;
}

static const char *format_seen(const struct seen *seen, char *buf)
{
	struct edgesteer_prefix prefix = {.family = seen->family, .length = seen->length};
	uint64_t hi = htobe64(seen->hi), lo = htobe64(seen->lo);

	memcpy(prefix.address, &hi, sizeof(hi));
	memcpy(prefix.address + sizeof(hi), &lo, sizeof(lo));
	return parse_format_prefix(&prefix, buf);
}

// Warns of duplicate prefixes, and notes nested ones. Sorts `seen` unless the file was already in order, as generated
// ones are.
static void check_nesting(struct ranges *r)
{
	const struct edgesteer_host *host = r->host;
	const struct seen *around[130], *inner = NULL, *outer = NULL; // around: those that contain the next one
	size_t depth = 0, nested = 0, duplicates = 0;
	char text[PARSE_PREFIX_TEXT_LEN], outer_text[PARSE_PREFIX_TEXT_LEN];

	if (r->unsorted)
		qsort(r->seen, r->seen_count, sizeof(*r->seen), seen_order);
	for (size_t i = 0; i < r->seen_count; i++) {
		const struct seen *seen = &r->seen[i];

		while (depth > 0 && !contains(around[depth - 1], seen))
			depth--;
		if (depth > 0 && around[depth - 1]->length == seen->length) {
			if (duplicates++ < DUPLICATES_SHOWN)
				host->report(host, EDGESTEER_WARNING, r->path, seen->line,
				             "%s is on line %u already: this later row is used",
				             format_seen(seen, text), around[depth - 1]->line);
			around[depth - 1] = seen;
			continue;
		}
		if (depth > 0 && nested++ == 0) {
			inner = seen;
			outer = around[depth - 1];
		}
		around[depth++] = seen;
	}
	if (duplicates > DUPLICATES_SHOWN)
		host->report(host, EDGESTEER_WARNING, r->path, 0, "%zu more rows repeat a prefix",
		             duplicates - DUPLICATES_SHOWN);
	if (nested > 0)
		host->report(host, EDGESTEER_NOTE, r->path, 0,
		             "%zu of %zu prefixes are inside another one, such as %s (line %u) inside %s (line %u): of "
		             "nested prefixes the longest gives all fields",
		             nested, r->seen_count - duplicates, format_seen(inner, text), inner->line,
		             format_seen(outer, outer_text), outer->line);
}

// ---- rows -----------------------------------------------------------------------------------------------------------

static int remember(struct ranges *r, const struct edgesteer_prefix *prefix)
{
	if (r->seen_count == r->seen_cap) {
		size_t cap = r->seen_cap ? r->seen_cap + r->seen_cap / 2 : 1024;
		struct seen *seen = realloc(r->seen, cap * sizeof(*seen));

		if (!seen) {
			ranges_error(r, "out of memory");
			return -1;
		}
		r->seen = seen;
		r->seen_cap = cap;
	}

	struct seen seen = {.line = (uint32_t)r->csv.line, .family = prefix->family, .length = prefix->length};

	memcpy(&seen.hi, prefix->address, sizeof(seen.hi));
	memcpy(&seen.lo, prefix->address + sizeof(seen.hi), sizeof(seen.lo));
	seen.hi = be64toh(seen.hi);
	seen.lo = be64toh(seen.lo);
	r->unsorted = r->unsorted || (r->seen_count > 0 && seen_order(&r->seen[r->seen_count - 1], &seen) > 0);
	r->seen[r->seen_count++] = seen;
	return 0;
}

static bool read_prefix(struct ranges *r, const char *text, struct edgesteer_prefix *ret_prefix)
{
	char right[PARSE_PREFIX_TEXT_LEN];
	bool tail;

	if (!parse_prefix(text, ret_prefix, &tail)) {
		ranges_error(r, "prefix: '%.*s' is not an address prefix such as 192.0.2.0/24 or 2001:db8::/32",
		             SHOWN_LEN, text);
		return false;
	}
	if (tail)
		ranges_error(r, "prefix: '%s' has bits past its length, did you mean %s?", text,
		             parse_format_prefix(ret_prefix, right));
	return !tail;
}

// An empty field means unknown: *ret_text stays NULL.
static void read_text(struct ranges *r, enum column column, const struct csv_text *field, const char **ret_text)
{
	if (field->len > TEXT_MAX_LEN)
		ranges_error(r, "%s: '%.*s...' is longer than %d bytes", column_names[column], SHOWN_LEN, field->start,
		             TEXT_MAX_LEN);
	else if (field->len > 0)
		*ret_text = field->start;
}

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static void read_country(struct ranges *r, const struct csv_text *field, const char **ret_country)
{
	if (field->len == 0)
		return;
	if (field->len == 2 && is_letter(field->start[0]) && is_letter(field->start[1]))
		*ret_country = field->start;
	else
		ranges_error(r, "country: '%.*s' is not a code of two letters such as US", SHOWN_LEN, field->start);
}

static void read_number(struct ranges *r, enum column column, const struct csv_text *field, double min, double max,
                        double *ret_value)
{
	double value;

	if (field->len == 0)
		return;
	if (!parse_decimal(field->start, &value))
		ranges_error(r, "%s: '%.*s' is not a decimal number", column_names[column], SHOWN_LEN, field->start);
	else if (!(value >= min && value <= max))
		ranges_error(r, "%s: %.*s is out of range, expected %g to %g", column_names[column], SHOWN_LEN,
		             field->start, min, max);
	else
		*ret_value = value;
}

// Returns 0, or negative when the host tells to stop. Errors in the row are reported and counted.
static int read_row(struct ranges *r, const struct csv_text *fields)
{
	struct edgesteer_place place = {.size = sizeof(place), .latitude = NAN, .longitude = NAN};
	struct edgesteer_prefix prefix;
	size_t errors = r->errors;
	bool have_prefix = false;

	for (size_t i = 0; i < r->fields; i++) {
		const struct csv_text *field = &fields[i];

		switch (r->order[i]) {
		case PREFIX: have_prefix = read_prefix(r, field->start, &prefix); break;
		case CARRIER: read_text(r, CARRIER, field, &place.carrier); break;
		case CLASS: read_text(r, CLASS, field, &place.class_); break;
		case SITE: read_text(r, SITE, field, &place.site); break;
		case LATITUDE: read_number(r, LATITUDE, field, -90, 90, &place.latitude); break;
		case LONGITUDE: read_number(r, LONGITUDE, field, -180, 180, &place.longitude); break;
		case ACCURACY: read_number(r, ACCURACY, field, 0, HALF_EARTH_KM, &place.accuracy_km); break;
		case COUNTRY: read_country(r, field, &place.country); break;
		case COLUMNS: break;
		}
	}
	if (r->errors == errors && isnan(place.latitude) != isnan(place.longitude))
		ranges_error(r, "latitude and longitude go together, one of them is empty");
	if (have_prefix && remember(r, &prefix) < 0)
		return -1;
	return r->errors == errors ? r->host->add(r->host, &prefix, &place) : 0;
}

static int read_line(struct ranges *r, struct csv_text line)
{
	struct csv_text fields[CSV_FIELDS_MAX];

	if (r->csv.line == 1 && line.len >= 3 && memcmp(line.start, "\xef\xbb\xbf", 3) == 0) { // a byte order mark
		line.start += 3;
		line.len -= 3;
	}
	if (line.start[strspn(line.start, " \t")] == '#' || strspn(line.start, " \t") == line.len)
		return 0;
	if (memchr(line.start, '\0', line.len)) {
		ranges_error(r, "zero octet: this is not a text file");
		return 0;
	}

	size_t count = csv_split(line, fields);

	if (count == 0)
		ranges_error(r, "misplaced quotes (a quoted field ends on its line, at a comma or at the end), or more "
		                "than %d fields", CSV_FIELDS_MAX);
	else if (r->fields == 0)
		return read_header(r, fields, count);
	else if (count != r->fields)
		ranges_error(r, "%zu fields, the header row has %zu", count, r->fields);
	else
		return read_row(r, fields);
	return r->fields == 0 ? -1 : 0;
}

// ---- the plugin -----------------------------------------------------------------------------------------------------

static int read_file(struct ranges *r)
{
	for (;;) {
		struct csv_text line;
		enum csv_outcome outcome = csv_next_line(&r->csv, &line);

		if (outcome == CSV_END)
			return 0;
		if (outcome == CSV_FAILED) {
			ranges_error(r, "cannot be read: %s", strerror(errno));
			return -1;
		}
		if (r->csv.line == LINES_MAX) {
			ranges_error(r, "more than %d lines", LINES_MAX);
			return -1;
		}
		if (outcome == CSV_TOO_LONG)
			ranges_error(r, "a line of more than %d bytes", CSV_LINE_MAX_LEN);
		else if (read_line(r, line) < 0)
			return -1;
	}
}

static int ranges_enumerate(void *self)
{
	struct ranges *r = self;
	const struct edgesteer_host *host = r->host;

	if (read_file(r) < 0 || r->errors > 0)
		return -1;
	if (r->fields == 0) {
		host->report(host, EDGESTEER_ERROR, r->path, 0, "is empty: expected " HEADER_EXAMPLE);
		return -1;
	}
	if (r->seen_count == 0)
		host->report(host, EDGESTEER_WARNING, r->path, 0, "contains no prefixes");
	if (r->csv.unended)
		host->report(host, EDGESTEER_WARNING, r->path, r->csv.line,
		             "the last line has no newline: is the file complete?");
	check_nesting(r);
	return 0;
}

static void ranges_close(void *self)
{
	struct ranges *r = self;

	csv_close(&r->csv);
	free(r->seen);
	free(r);
}

static int ranges_open(const struct edgesteer_host *host, void **ret_self)
{
	const char *path = host->option(host, "file");
	struct ranges *r = calloc(1, sizeof(*r));

	if (!r) {
		host->report(host, EDGESTEER_ERROR, path, 0, "out of memory");
		return -1;
	}
	r->host = host;
	r->path = path;

	int error = csv_open(&r->csv, path);

	if (error) {
		host->report(host, EDGESTEER_ERROR, path, 0, "cannot be read: %s",
		             error == EINVAL ? "not a regular file" : strerror(error));
		ranges_close(r);
		return -1;
	}
	*ret_self = r;
	return 0;
}

static const struct edgesteer_option ranges_options[] = {
	{"file", EDGESTEER_FILE, 1, NULL, "CSV file with a header row that names its columns: prefix, and any of carrier, "
	                                  "latitude, longitude, accuracy-km, class, site, country."},
	{NULL, EDGESTEER_TEXT, 0, NULL, NULL},
};

EDGESTEER_PLUGIN(ranges) = {
	.abi_major = EDGESTEER_PLUGIN_ABI_MAJOR,
	.abi_minor = EDGESTEER_PLUGIN_ABI_MINOR,
	.size = sizeof(struct edgesteer_plugin),
	.name = "ranges",
	.summary = "prefixes from a CSV file",
	.options = ranges_options,
	.open = ranges_open,
	.enumerate = ranges_enumerate,
	.close = ranges_close,
};
