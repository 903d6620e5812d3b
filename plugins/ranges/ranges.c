// The `ranges` plugin: prefixes and what is known of their clients, from a CSV file with a header row. The daemon opens
// one instance for each `plugin: ranges` entry of `locate:`; the instance owns the open file. A file with all routed
// prefixes of the Internet must not delay a reload: nothing is allocated per row but its entry in the list that finds
// duplicates.
#include "edgesteer-plugin.h"

#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/parse.h"
#include "lib/table.h"

enum {
	TEXT_MAX_LEN = 63,     // of a carrier, class or site: the contract's limit
	DUPLICATES_SHOWN = 20, // one by one; further ones are counted
	HALF_EARTH_KM = 20040,
	SITES_MAX = 4,         // of a place: the contract's limit
};

enum column { PREFIX, CARRIER, LATITUDE, LONGITUDE, CLASS, SITE, ACCURACY, COUNTRY, COLUMNS };

static const char *const column_names[COLUMNS] = {
	[PREFIX] = "prefix", [CARRIER] = "carrier", [LATITUDE] = "latitude",     [LONGITUDE] = "longitude",
	[CLASS] = "class",   [SITE] = "site",       [ACCURACY] = "accuracy-km", [COUNTRY] = "country",
};

// What `edgesteerctl learned export` writes besides: how it came to know, and how long that holds.
static const char *const ignored_names[] = {"source", "learned", "heard", "fresh-until", "held-until", "confidence",
                                            "samples", "weight", NULL};

// A prefix that was read, to find duplicate and nested ones. The address as two numbers, left-aligned.
struct seen {
	uint64_t hi, lo;
	uint32_t line;
	uint8_t family, length;
};

struct ranges {
	struct table table; // first, so that a pointer to it is one to this
	struct seen *seen;
	size_t seen_count, seen_cap;
	bool unsorted;
};

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
	const struct edgesteer_host *host = r->table.host;
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
				host->report(host, EDGESTEER_WARNING, r->table.path, seen->line,
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
		host->report(host, EDGESTEER_WARNING, r->table.path, 0, "%zu more rows repeat a prefix",
		             duplicates - DUPLICATES_SHOWN);
	if (nested > 0)
		host->report(host, EDGESTEER_NOTE, r->table.path, 0,
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
			table_error(&r->table, "out of memory");
			return -1;
		}
		r->seen = seen;
		r->seen_cap = cap;
	}

	struct seen seen = {.line = (uint32_t)r->table.csv.line, .family = prefix->family, .length = prefix->length};

	memcpy(&seen.hi, prefix->address, sizeof(seen.hi));
	memcpy(&seen.lo, prefix->address + sizeof(seen.hi), sizeof(seen.lo));
	seen.hi = be64toh(seen.hi);
	seen.lo = be64toh(seen.lo);
	r->unsorted = r->unsorted || (r->seen_count > 0 && seen_order(&r->seen[r->seen_count - 1], &seen) > 0);
	r->seen[r->seen_count++] = seen;
	return 0;
}

// An empty field means unknown: *ret_text stays NULL.
static void read_text(struct ranges *r, enum column column, const struct csv_text *field, const char **ret_text)
{
	if (field->len > TEXT_MAX_LEN)
		table_error(&r->table, "%s: '%.*s...' is longer than %d bytes", column_names[column], TABLE_SHOWN_LEN, field->start,
		             TEXT_MAX_LEN);
	else if (field->len > 0)
		*ret_text = field->start;
}

// One site, or several with a semicolon between them, which is overwritten. The list is for as long as the row.
static void read_sites(struct ranges *r, const struct csv_text *field, const char *sites[SITES_MAX], size_t *ret_count)
{
	size_t count = 0;

	for (char *at = field->len > 0 ? field->start : NULL; at;) {
		char *end = strchr(at, ';');
		struct csv_text one;

		at += strspn(at, " \t");
		one = (struct csv_text){at, end ? (size_t)(end - at) : strlen(at)};
		while (one.len > 0 && (at[one.len - 1] == ' ' || at[one.len - 1] == '\t'))
			one.len--;
		at[one.len] = '\0';
		if (count == SITES_MAX || one.len == 0) {
			table_error(&r->table, count == SITES_MAX ? "site: more than %d sites" : "site: an empty one among up to %d with semicolons between",
			            SITES_MAX);
			return;
		}
		sites[count] = NULL;
		read_text(r, SITE, &one, &sites[count++]);
		at = end ? end + 1 : NULL;
	}
	*ret_count = count;
}

static void read_number(struct ranges *r, enum column column, const struct csv_text *field, double min, double max,
                        double *ret_value)
{
	double value;

	if (field->len == 0)
		return;
	if (!parse_decimal(field->start, &value))
		table_error(&r->table, "%s: '%.*s' is not a decimal number", column_names[column], TABLE_SHOWN_LEN, field->start);
	else if (!(value >= min && value <= max))
		table_error(&r->table, "%s: %.*s is out of range, expected %g to %g", column_names[column], TABLE_SHOWN_LEN,
		             field->start, min, max);
	else
		*ret_value = value;
}

// Returns 0, or negative when the host tells to stop. Errors in the row are reported and counted.
static int read_row(struct table *table, const struct csv_text *fields)
{
	struct ranges *r = (struct ranges *)table;
	struct edgesteer_place place = {.size = sizeof(place), .latitude = NAN, .longitude = NAN};
	struct edgesteer_prefix prefix;
	size_t errors = table->errors;
	bool have_prefix = false;
	const char *sites[SITES_MAX] = {NULL};
	char country[3];

	for (size_t i = 0; i < table->fields; i++) {
		const struct csv_text *field = &fields[i];

		switch ((enum column)table->order[i]) {
		case PREFIX: have_prefix = table_read_prefix(table, field, &prefix); break;
		case CARRIER: read_text(r, CARRIER, field, &place.carrier); break;
		case CLASS: read_text(r, CLASS, field, &place.class_); break;
		case SITE: read_sites(r, field, sites, &place.site_count); break;
		case LATITUDE: read_number(r, LATITUDE, field, -90, 90, &place.latitude); break;
		case LONGITUDE: read_number(r, LONGITUDE, field, -180, 180, &place.longitude); break;
		case ACCURACY: read_number(r, ACCURACY, field, 0, HALF_EARTH_KM, &place.accuracy_km); break;
		case COUNTRY: place.country = table_read_country(table, field, country); break;
		case COLUMNS: break;
		}
	}
	if (place.site_count > 0) {
		place.sites = sites;
		place.site = sites[0];
	}
	if (table->errors == errors && isnan(place.latitude) != isnan(place.longitude))
		table_error(table, "latitude and longitude go together, one of them is empty");
	if (have_prefix && remember(r, &prefix) < 0)
		return -1;
	return table->errors == errors ? table->host->add(table->host, &prefix, &place) : 0;
}

// ---- the plugin -----------------------------------------------------------------------------------------------------

static void check_header(struct table *table, const bool *have)
{
	if (have[LATITUDE] != have[LONGITUDE])
		table_error(table, "latitude and longitude go together, the header row has only one of them");
	if (have[ACCURACY] && !have[LATITUDE])
		table_error(table, "accuracy-km is the accuracy of the coordinates, but there are none");
}

static const struct table_kind csv_kind = {
	.names = column_names,
	.count = COLUMNS,
	.required = PREFIX + 1,
	.ignored = ignored_names,
	.example = "a header row that names the columns, such as prefix,carrier,latitude,longitude,class",
	.check_header = check_header,
	.row = read_row,
};

// RFC 8805: prefix, country, region, city, postal code. Without a table of cities the last three give nothing.
static const struct table_kind geofeed_kind = {
	.names = column_names,
	.count = COLUMNS,
	.fixed = (const unsigned[]){PREFIX, COUNTRY},
	.fixed_count = 2,
	.row = read_row,
};

static int ranges_enumerate(void *self)
{
	struct ranges *r = self;
	const struct edgesteer_host *host = r->table.host;

	if (table_read(&r->table) < 0)
		return -1;
	if (r->seen_count == 0)
		host->report(host, EDGESTEER_WARNING, r->table.path, 0, "contains no prefixes");
	check_nesting(r);
	return 0;
}

static void ranges_close(void *self)
{
	struct ranges *r = self;

	table_close(&r->table);
	free(r->seen);
	free(r);
}

// NULL: there is no such format (reported).
static const struct table_kind *find_kind(const struct edgesteer_host *host)
{
	const char *format = host->option(host, "format");

	if (!format || strcmp(format, "csv") == 0)
		return &csv_kind;
	if (strcmp(format, "geofeed") == 0)
		return &geofeed_kind;
	host->report(host, EDGESTEER_ERROR, NULL, 0, "format: '%.*s' is neither csv nor geofeed", TABLE_SHOWN_LEN, format);
	return NULL;
}

static int ranges_open(const struct edgesteer_host *host, void **ret_self)
{
	const char *path = host->option(host, "file");
	const struct table_kind *kind = find_kind(host);
	struct ranges *r = kind ? calloc(1, sizeof(*r)) : NULL;

	if (!r) {
		if (kind)
			host->report(host, EDGESTEER_ERROR, path, 0, "out of memory");
		return -1;
	}
	if (table_open(&r->table, kind, host, path) < 0) {
		ranges_close(r);
		return -1;
	}
	*ret_self = r;
	return 0;
}

static const struct edgesteer_option ranges_options[] = {
	{"file", EDGESTEER_FILE, 1, NULL, "CSV file with a header row that names its columns: prefix, and any of carrier, "
	                                  "latitude, longitude, accuracy-km, class, site (up to four, as \"a;b\"), country."},
	{"format", EDGESTEER_TEXT, 0, "csv", "csv, or geofeed for a file of RFC 8805, which gives countries."},
	{NULL, EDGESTEER_TEXT, 0, NULL, NULL},
};

EDGESTEER_PLUGIN(ranges) = {
	.abi_major = EDGESTEER_PLUGIN_ABI_MAJOR,
	.abi_minor = EDGESTEER_PLUGIN_ABI_MINOR,
	.size = sizeof(struct edgesteer_plugin),
	.name = "ranges",
	.summary = "prefixes from a CSV file or a geofeed",
	.options = ranges_options,
	.open = ranges_open,
	.enumerate = ranges_enumerate,
	.close = ranges_close,
};
