// Adds up the prefix table by carrier; see carriers.h.
#include "discovery/carriers.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/names.h"
#include "config/config.h"
#include "steer/place.h"
#include "steer/ptree.h"

// Of one place; then of all places that differ in nothing that is shown.
struct row {
	const char *carrier, *class_, *source;
	size_t blocks;
	uint64_t v4;    // addresses
	double v6_64s;  // networks of length 64
};

struct count {
	struct row *rows; // by place
	bool is_v6;
};

static void count_leaf(void *ctx, struct addr_key key, uint8_t depth, uint32_t value)
{
	const struct count *count = ctx;
	struct row *row = &count->rows[value];

	(void)key;
	row->blocks++;
	if (count->is_v6)
		row->v6_64s += ldexp(1, 64 - depth);
	else
		row->v4 += UINT64_C(1) << (32 - depth);
}

static int row_order(const void *left, const void *right)
{
	const struct row *a = left, *b = right;
	int order = strcmp(a->carrier, b->carrier);

	order = order ? order : strcmp(a->class_, b->class_);
	return order ? order : strcmp(a->source, b->source);
}

static void print_row(const struct row *row, FILE *out)
{
	fprintf(out, "%-16s %-8s %-24s %10zu %14" PRIu64 " %16.0f\n", row->carrier, row->class_, row->source, row->blocks,
	        row->v4, row->v6_64s);
}

// Sums up rows that show the same. Returns how many are left.
static size_t merge(struct row *rows, size_t count)
{
	size_t kept = 0;

	qsort(rows, count, sizeof(*rows), row_order);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || row_order(&rows[kept - 1], &rows[i]) != 0) {
			rows[kept++] = rows[i];
			continue;
		}
		rows[kept - 1].blocks += rows[i].blocks;
		rows[kept - 1].v4 += rows[i].v4;
		rows[kept - 1].v6_64s += rows[i].v6_64s;
	}
	return kept;
}

// The rows of places with a carrier, merged. *ret_rows is the caller's to free. E_NOMEM.
static int make_rows(const struct places *places, struct row **ret_rows, size_t *ret_count)
{
	struct row *rows = calloc(places->count, sizeof(*rows));
	struct count v4 = {rows, false}, v6 = {rows, true};
	size_t kept = 0;

	if (!rows)
		return E_NOMEM;
	ptree_walk(places->v4, count_leaf, &v4);
	ptree_walk(places->v6, count_leaf, &v6);
	for (size_t i = 1; i < places->count; i++) {
		const struct place *place = &places->table[i];

		if (place->carrier == 0 || place->ecs_ignored || rows[i].blocks == 0)
			continue;
		rows[kept] = rows[i];
		rows[kept].carrier = names_text(places->carriers, place->carrier);
		rows[kept].class_ = place->class_ ? names_text(places->classes, place->class_) : PLACE_CLASS_EDGE;
		rows[kept++].source = place->carrier_source ? places->source_names[place->carrier_source - 1] : "";
	}
	*ret_rows = rows;
	*ret_count = kept > 0 ? merge(rows, kept) : 0;
	return E_OK;
}

// Names the carriers of sites that are not yet in `shown`, and adds them.
static int print_missing(const struct config_site *sites, size_t count, struct names *shown, FILE *out)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < sites[i].carrier_count; j++) {
			const char *carrier = sites[i].carriers[j];
			uint16_t number;

			if (names_find(shown, carrier, strlen(carrier)) >= 0)
				continue;
			fprintf(out, "%-16s no source in `locate` has clients of this carrier\n", carrier);
			if (names_add(shown, carrier, strlen(carrier), &number) < 0)
				return E_NOMEM;
		}
	return E_OK;
}

int carriers_print(const struct config *config, const struct places *places, FILE *out)
{
	struct names *shown = names_new();
	struct row *rows = NULL;
	size_t count = 0;
	uint16_t number;
	int err = shown ? make_rows(places, &rows, &count) : E_NOMEM;

	if (err == E_OK)
		fprintf(out, "%-16s %-8s %-24s %10s %14s %16s\n", "CARRIER", "CLASS", "SOURCE", "BLOCKS", "IPV4-ADDRESSES",
		        "IPV6-/64S");
	for (size_t i = 0; err == E_OK && i < count; i++) {
		print_row(&rows[i], out);
		err = names_add(shown, rows[i].carrier, strlen(rows[i].carrier), &number);
	}
	if (err == E_OK)
		err = print_missing(config->sites, config->site_count, shown, out);
	if (err == E_OK)
		err = print_missing(config->known_sites, config->known_site_count, shown, out);
	free(rows);
	names_free(shown);
	return err;
}
