// The measured latency table, a CSV file with the columns from,site,ms; see latency.h. `from` is a prefix or the name
// of a carrier. None of the three needs quotes, so they are not supported.
#include "discovery/latency.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/infile.h"
#include "base/must.h"
#include "base/names.h"
#include "base/report.h"
#include "config/config.h"
#include "steer/place.h"

enum {
	FILE_MAX_LEN = 64 << 20,
	FIELDS = 3,
	MS_MAX = 60000,
	SOURCE_NAME_MAX_LEN = 256,
	SHOWN_LEN = 60, // how much of an invalid value a message quotes
};

struct row {
	struct prefix prefix; // family ADDR_NONE: the row is for a carrier
	const char *carrier;  // points into the text
	uint16_t site;        // index in config->sites
	uint32_t us;
	size_t line;
};

struct latency {
	const struct config *config;
	struct names *sites; // the config's; the number is the index plus 1
	struct report *report;
	char *text; // of the file, with a final zero
	size_t len, line;
	struct row *rows;
	size_t count, cap;
	size_t unknown, unknown_line; // rows for sites that are not in the config, and the line of the first
	const char *unknown_site;     // of that line
	bool failed;
};

static void latency_error(struct latency *latency, const char *fmt, ...) PRINTF(2, 3);

static void latency_error(struct latency *latency, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report_error(latency->report, latency->config->latency, latency->line, 0, "%s", text);
	latency->failed = true;
}

// ---- text to rows ---------------------------------------------------------------------------------------------------

static int read_text(struct latency *latency)
{
	char why[INFILE_WHY_LEN];
	int err = infile_read(latency->config->latency, FILE_MAX_LEN, &latency->text, &latency->len, why);

	if (err == E_NOMEM)
		return err;
	if (err < 0)
		latency_error(latency, "%s", why);
	return err < 0 ? E_INVAL : E_OK;
}

static char *trim(char *text)
{
	static const char blanks[] = " \t\r";
	size_t len;

	text += strspn(text, blanks);
	len = strlen(text);
	while (len > 0 && strchr(blanks, text[len - 1]))
		text[--len] = '\0';
	return text;
}

// Splits at every comma, in place. Returns the number of fields, which may exceed FIELDS.
static size_t split(char *line, char *fields[static FIELDS])
{
	size_t count = 0;

	for (char *next = line; next; count++) {
		char *field = strsep(&next, ",");

		if (count < FIELDS)
			fields[count] = trim(field);
	}
	return count;
}

// Parses milliseconds such as "12" or "12.345" into microseconds, rounded.
static int parse_ms(const char *text, uint32_t *ret_us)
{
	size_t whole = strspn(text, "0123456789");
	uint32_t us = 0, unit = 100;

	if (whole == 0 || whole > 5)
		return E_INVAL;
	for (size_t i = 0; i < whole; i++)
		us = us * 10 + (uint32_t)(text[i] - '0') * 1000;
	text += whole;
	if (*text == '.') {
		size_t decimals = strspn(++text, "0123456789");

		for (size_t i = 0; i < decimals && i < 3; i++, unit /= 10)
			us += (uint32_t)(text[i] - '0') * unit;
		us += decimals > 3 && text[3] >= '5';
		text += decimals;
	}
	if (*text != '\0' || us > MS_MAX * 1000u)
		return E_INVAL;
	*ret_us = us;
	return E_OK;
}

static int index_sites(struct latency *latency)
{
	const struct config *config = latency->config;
	uint16_t number;
	int err = E_OK;

	latency->sites = names_new();
	if (!latency->sites)
		return E_NOMEM;
	for (size_t i = 0; i < config->site_count && err == E_OK; i++)
		err = names_add(latency->sites, config->sites[i].name, strlen(config->sites[i].name), &number);
	return err;
}

static void read_from(struct latency *latency, char *from, struct row *row)
{
	char right[ADDR_TEXT_LEN];
	bool tail;

	if (prefix_parse(from, &row->prefix, &tail) == E_OK) {
		if (tail)
			latency_error(latency, "from: `%.*s` has bits past its length, did you mean %s?", SHOWN_LEN, from,
			              prefix_format(&row->prefix, right));
		return;
	}
	row->carrier = names_lower(from, from, strlen(from));
	if (strpbrk(from, "/:"))
		latency_error(latency, "from: `%.*s` is neither a prefix nor a carrier", SHOWN_LEN, from);
	else if (*from == '\0' || strlen(from) > NAME_MAX_LEN)
		latency_error(latency, "from: expected a prefix or a carrier of up to %d characters", NAME_MAX_LEN);
}

static int keep_row(struct latency *latency, const struct row *row)
{
	if (latency->count == latency->cap) {
		size_t cap = latency->cap ? latency->cap * 2 : 256;
		struct row *rows = realloc(latency->rows, cap * sizeof(*rows));

		if (!rows)
			return E_NOMEM;
		latency->rows = rows;
		latency->cap = cap;
	}
	latency->rows[latency->count++] = *row;
	return E_OK;
}

static int read_row(struct latency *latency, char *fields[static FIELDS])
{
	struct row row = {.line = latency->line};

	read_from(latency, fields[0], &row);
	if (parse_ms(fields[2], &row.us) < 0)
		latency_error(latency, "ms: `%.*s` is not a number of milliseconds, expected 0 to %d", SHOWN_LEN, fields[2],
		              MS_MAX);

	int number = names_find(latency->sites, fields[1], strlen(fields[1]));

	if (number > 0) {
		row.site = (uint16_t)(number - 1);
		must(row.site < latency->config->site_count);
		return keep_row(latency, &row);
	}
	if (*fields[1] == '\0')
		latency_error(latency, "site: expected a site's name");
	else if (latency->unknown++ == 0) {
		latency->unknown_line = latency->line;
		latency->unknown_site = fields[1];
	}
	return E_OK;
}

static int read_line(struct latency *latency, char *line, bool *have_header)
{
	char *fields[FIELDS];

	line = trim(line);
	if (*line == '\0' || *line == '#')
		return E_OK;
	if (strchr(line, '"')) {
		latency_error(latency, "quotes are not supported in this table");
		return E_OK;
	}

	size_t count = split(line, fields);

	if (!*have_header) {
		*have_header = true;
		if (count == FIELDS && !strcmp(fields[0], "from") && !strcmp(fields[1], "site") && !strcmp(fields[2], "ms"))
			return E_OK;
		latency_error(latency, "expected the header row from,site,ms");
		return E_INVAL;
	}
	if (count != FIELDS) {
		latency_error(latency, "%zu fields, expected from,site,ms", count);
		return E_OK;
	}
	return read_row(latency, fields);
}

static int read_rows(struct latency *latency)
{
	char *next = latency->text, *end = next + latency->len;
	bool have_header = false;
	int err = E_OK;

	if (latency->len >= 3 && memcmp(next, "\xef\xbb\xbf", 3) == 0) // a byte order mark
		next += 3;
	while (next < end && err == E_OK) {
		char *line = next, *newline = memchr(line, '\n', (size_t)(end - line));
		char *line_end = newline ? newline : end;

		latency->line++;
		*line_end = '\0';
		next = line_end + 1;
		if (strlen(line) < (size_t)(line_end - line))
			latency_error(latency, "zero octet: this is not a text file");
		else
			err = read_line(latency, line, &have_header);
	}
	latency->line = 0;
	if (err == E_OK && !have_header)
		latency_error(latency, "is empty, expected the header row from,site,ms");
	if (latency->unknown > 0)
		report_warning(latency->report, latency->config->latency, latency->unknown_line, 0,
		               "%zu rows are for sites that are not in the config, such as `%.*s`", latency->unknown, SHOWN_LEN,
		               latency->unknown_site);
	return err < 0 ? err : latency->failed ? E_INVAL : E_OK;
}

// ---- rows to groups -------------------------------------------------------------------------------------------------

static int compare_from(const struct row *a, const struct row *b)
{
	if (a->prefix.addr.family != b->prefix.addr.family)
		return a->prefix.addr.family < b->prefix.addr.family ? -1 : 1;
	if (a->prefix.addr.family == ADDR_NONE)
		return strcmp(a->carrier, b->carrier);

	int order = memcmp(a->prefix.addr.bytes, b->prefix.addr.bytes, sizeof(a->prefix.addr.bytes));

	return order ? order : a->prefix.len - b->prefix.len;
}

static int compare_rows(const void *left, const void *right)
{
	const struct row *a = left, *b = right;
	int order = compare_from(a, b);

	if (order == 0)
		order = (int)a->site - (int)b->site;
	return order ? order : a->line < b->line ? -1 : a->line > b->line;
}

// Drops all but the last row for the same pair, with a warning each.
static void drop_repeated(struct latency *latency)
{
	size_t kept = 0;

	qsort(latency->rows, latency->count, sizeof(*latency->rows), compare_rows);
	for (size_t i = 0; i < latency->count; i++) {
		const struct row *row = &latency->rows[i];

		if (kept > 0 && compare_from(&latency->rows[kept - 1], row) == 0 && latency->rows[kept - 1].site == row->site) {
			report_warning(latency->report, latency->config->latency, row->line, 0,
			               "the same from and site as on line %zu: this later row is used",
			               latency->rows[kept - 1].line);
			kept--;
		}
		latency->rows[kept++] = *row;
	}
	latency->count = kept;
}

static int add_group(struct latency *latency, struct place_builder *builder, const struct row *row, uint32_t group)
{
	const struct place_facts facts = {.latitude = NAN, .longitude = NAN, .measured = group};
	int err = place_source_add(builder, &row->prefix, &facts);

	if (err < 0 && err != E_NOMEM)
		report_error(latency->report, latency->config->latency, row->line, 0, "over the limits of the prefix table");
	return err;
}

static int add_rows(struct latency *latency, struct place_builder *builder, struct arena *arena,
                     struct measured_row *out)
{
	uint32_t group = 0;

	for (size_t i = 0; i < latency->count; i++) {
		const struct row *row = &latency->rows[i];
		bool measured = row->prefix.addr.family != ADDR_NONE;

		if (measured && (i == 0 || compare_from(row - 1, row) != 0)) {
			int err = add_group(latency, builder, row, ++group);

			if (err < 0)
				return err;
		}
		out[i] = (struct measured_row){measured ? group : 0, NULL, row->site, row->us};
		if (!measured && !(out[i].carrier = arena_strdup(arena, row->carrier)))
			return E_NOMEM;
	}
	return E_OK;
}

static int add_source(struct latency *latency, struct place_builder *builder, struct arena *arena,
                      struct measured_row *out)
{
	char name[SOURCE_NAME_MAX_LEN];
	const char *path = latency->config->latency, *slash = strrchr(path, '/');

	snprintf(name, sizeof(name), "latency %s", slash ? slash + 1 : path);

	int err = place_source_begin(builder, name);

	if (err == E_LIMIT)
		report_error(latency->report, path, 0, 0, "too many sources in `locate`: the latency table counts as one");
	if (err < 0)
		return err;
	err = add_rows(latency, builder, arena, out);

	int end = place_source_end(builder);

	return err < 0 ? err : end;
}

int latency_load(const struct config *config, struct place_builder *builder, struct arena *arena,
                 struct report *report, struct measured_row **ret_rows, size_t *ret_row_count)
{
	struct latency latency = {.config = config, .report = report};
	struct measured_row *rows = NULL;
	int err = config->latency ? read_text(&latency) : E_OK;

	if (err == E_OK && config->latency)
		err = index_sites(&latency);
	if (err == E_OK && config->latency)
		err = read_rows(&latency);
	if (err == E_OK && latency.count > 0) {
		drop_repeated(&latency);
		rows = arena_take_array(arena, latency.count, sizeof(*rows));
		err = rows ? add_source(&latency, builder, arena, rows) : E_NOMEM;
	}
	if (err == E_OK) {
		*ret_rows = rows;
		*ret_row_count = latency.count;
	}
	names_free(latency.sites);
	free(latency.rows);
	free(latency.text);
	return err == E_OK || err == E_NOMEM ? err : E_INVAL;
}
