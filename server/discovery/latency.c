// The measured latency table, with the columns from,site,ms; see latency.h. `from` is a prefix or the name of a carrier.
#include "discovery/latency.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/must.h"
#include "base/names.h"
#include "base/report.h"
#include "config/config.h"
#include "discovery/sheet.h"
#include "steer/place.h"

enum {
	MS_MAX = 60000,
	SOURCE_NAME_MAX_LEN = 256,
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
	struct sheet sheet;
	struct row *rows;
	size_t count, cap;
	size_t unknown, unknown_line; // rows for sites that are not in the config, and the line of the first
	const char *unknown_site;     // of that line
};

// ---- text to rows ---------------------------------------------------------------------------------------------------

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

static void read_from(struct sheet *sheet, char *from, struct row *row)
{
	char right[ADDR_TEXT_LEN];
	bool tail;

	if (prefix_parse(from, &row->prefix, &tail) == E_OK) {
		if (tail)
			sheet_error(sheet, "from: `%.*s` has bits past its length, did you mean %s?", SHEET_SHOWN_LEN, from,
			              prefix_format(&row->prefix, right));
		return;
	}
	row->carrier = names_lower(from, from, strlen(from));
	if (strpbrk(from, "/:"))
		sheet_error(sheet, "from: `%.*s` is neither a prefix nor a carrier", SHEET_SHOWN_LEN, from);
	else if (*from == '\0' || strlen(from) > NAME_MAX_LEN)
		sheet_error(sheet, "from: expected a prefix or a carrier of up to %d characters", NAME_MAX_LEN);
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

static int read_row(void *ctx, struct sheet *sheet, char **fields)
{
	struct latency *latency = ctx;
	struct row row = {.line = sheet->line};

	read_from(sheet, fields[0], &row);
	if (parse_ms(fields[2], &row.us) < 0)
		sheet_error(sheet, "ms: `%.*s` is not a number of milliseconds, expected 0 to %d", SHEET_SHOWN_LEN, fields[2],
		              MS_MAX);

	int number = names_find(latency->sites, fields[1], strlen(fields[1]));

	if (number > 0) {
		row.site = (uint16_t)(number - 1);
		must(row.site < latency->config->site_count);
		return keep_row(latency, &row);
	}
	if (*fields[1] == '\0')
		sheet_error(sheet, "site: expected a site's name");
	else if (latency->unknown++ == 0) {
		latency->unknown_line = sheet->line;
		latency->unknown_site = fields[1];
	}
	return E_OK;
}

static int read_rows(struct latency *latency)
{
	int err = sheet_read(&latency->sheet);

	if (latency->unknown > 0)
		report_warning(latency->report, latency->config->latency, latency->unknown_line, 0,
		               "%zu rows are for sites that are not in the config, such as `%.*s`", latency->unknown,
		               SHEET_SHOWN_LEN, latency->unknown_site);
	return err;
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
	struct latency latency = {.config = config, .report = report,
	                          .sheet = {.path = config->latency, .header = "from,site,ms", .report = report,
	                                    .row = read_row}};
	struct measured_row *rows = NULL;
	int err = config->latency ? index_sites(&latency) : E_OK;

	latency.sheet.ctx = &latency;
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
	sheet_wipe(&latency.sheet);
	return err == E_OK || err == E_NOMEM ? err : E_INVAL;
}
