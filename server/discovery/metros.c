// The metros of carriers; see metros.h. The table has the columns carrier,country,latitude,longitude,share.
#include "discovery/metros.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/country.h"
#include "base/err.h"
#include "base/names.h"
#include "base/report.h"
#include "config/config.h"
#include "discovery/sheet.h"
#include "steer/prior.h"

struct metros {
	struct arena *arena;
	struct metro_row *rows; // PRIOR_METROS_MAX, in the arena
	size_t count;
};

// A decimal number: strtod() alone takes hexadecimal ones, infinity and NaN too. NaN: not one, or out of range.
static double number(const char *text, double min, double max)
{
	char *end;
	double value = strtod(text, &end);

	if (*text == '\0' || *end != '\0' || text[strspn(text, "+-.0123456789eE")] != '\0')
		return NAN;
	return value >= min && value <= max ? value : NAN;
}

static int keep(struct metros *metros, struct sheet *sheet, struct metro_row row)
{
	if (metros->count == PRIOR_METROS_MAX) {
		sheet_error(sheet, "more than %d metros", PRIOR_METROS_MAX);
		return E_INVAL;
	}
	row.carrier = arena_strdup(metros->arena, row.carrier);
	if (!row.carrier)
		return E_NOMEM;
	metros->rows[metros->count++] = row;
	return E_OK;
}

static int read_row(void *ctx, struct sheet *sheet, char **fields)
{
	struct metros *metros = ctx;
	struct metro_row row = {names_lower(fields[0], fields[0], strlen(fields[0])),
	                        country_of_text(fields[1], strlen(fields[1])), number(fields[2], -90, 90),
	                        number(fields[3], -180, 180), number(fields[4], 1e-9, 1e9)};

	if (*row.carrier == '\0' || strlen(row.carrier) > NAME_MAX_LEN)
		sheet_error(sheet, "carrier: expected a carrier of up to %d characters", NAME_MAX_LEN);
	if (*fields[1] && row.country == COUNTRY_UNKNOWN)
		sheet_error(sheet, "country: `%.*s` is not a code of two letters such as US", SHEET_SHOWN_LEN, fields[1]);
	if (isnan(row.latitude))
		sheet_error(sheet, "latitude: `%.*s` is not a number of degrees, expected -90 to 90", SHEET_SHOWN_LEN, fields[2]);
	if (isnan(row.longitude))
		sheet_error(sheet, "longitude: `%.*s` is not a number of degrees, expected -180 to 180", SHEET_SHOWN_LEN,
		            fields[3]);
	if (isnan(row.share))
		sheet_error(sheet, "share: `%.*s` is not a share, expected a number above 0", SHEET_SHOWN_LEN, fields[4]);
	return sheet->failed ? E_OK : keep(metros, sheet, row);
}

static bool is_named(const struct metro_row *rows, size_t count, const char *carrier)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].carrier, carrier) == 0)
			return true;
	return false;
}

// The catalogue's zones of the carriers that the table does not name. A catalogue beyond the limit is cut.
static void add_catalogue(const struct config *config, struct metros *metros)
{
	size_t named = metros->count;

	for (size_t i = 0; i < config->known_site_count; i++) {
		const struct config_site *site = &config->known_sites[i];

		if (site->kind != SITE_WAVELENGTH || site->is_public || isnan(site->latitude))
			continue;
		for (size_t k = 0; k < site->carrier_count && metros->count < PRIOR_METROS_MAX; k++)
			if (!is_named(metros->rows, named, site->carriers[k]))
				metros->rows[metros->count++] = (struct metro_row){site->carriers[k], site->country, site->latitude,
				                                                   site->longitude, 1};
	}
}

int metros_load(const struct config *config, struct arena *arena, struct report *report, struct metro_row **ret_rows,
                size_t *ret_count)
{
	struct metros metros = {arena, arena_take_array(arena, PRIOR_METROS_MAX, sizeof(*metros.rows)), 0};
	struct sheet sheet = {.path = config->metros, .header = "carrier,country,latitude,longitude,share",
	                      .report = report, .row = read_row, .ctx = &metros};
	int err = metros.rows ? E_OK : E_NOMEM;

	if (err == E_OK && config->metros) {
		err = sheet_read(&sheet);
		sheet_wipe(&sheet);
	}
	if (err < 0)
		return err;
	add_catalogue(config, &metros);
	*ret_rows = metros.rows;
	*ret_count = metros.count;
	return E_OK;
}
