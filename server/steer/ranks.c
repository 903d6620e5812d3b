// Ranks all sites for all places; see ranks.h. Chunks of places are ranked on all processors, and their rows interned
// one after another, so that the classes' numbers do not depend on the number of processors.
#include "steer/ranks.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/intern.h"
#include "base/must.h"
#include "base/parallel.h"
#include "steer/place.h"

enum {
	JOB_PLACES = 64,            // ranked by one job
	CHUNK_PLACES = 64 * JOB_PLACES,
};

struct column {
	uint16_t site;
	struct cost_point point;
};

struct ranker {
	const struct steer_input *in;
	enum metro_rule rule;
	struct ranks_table *table;
	struct column *columns;
	size_t column_count, row_cap;
	uint16_t *chunk;            // the rows of the places from `first` on
	size_t first, chunk_count;  // places
	struct intern classes;
};

// A site to be ranked in one place.
struct contender {
	int64_t order; // see metro_order()
	uint16_t column;
};

_Static_assert(COST_ORDER_UNREACHABLE - COST_ORDER_UNKNOWN_PREFERRED == RANK_UNREACHABLE - RANK_UNKNOWN_PREFERRED &&
               COST_ORDER_UNREACHABLE - COST_ORDER_UNKNOWN_PUBLIC == RANK_UNREACHABLE - RANK_UNKNOWN_PUBLIC &&
               COST_ORDER_UNREACHABLE - COST_ORDER_UNKNOWN_CARRIER == RANK_UNREACHABLE - RANK_UNKNOWN_CARRIER,
               "rank() shifts one range to the other");

static int compare(const void *a, const void *b)
{
	const struct contender *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

// The contenders are in ascending order, so those of known cost come first.
static void rank(const struct contender *contenders, size_t count, struct ranks *ret_ranks)
{
	uint16_t next = 0;

	for (size_t i = 0; i < count; i++) {
		int64_t order = contenders[i].order;
		uint16_t *rank = &ret_ranks->of[contenders[i].column];

		if (order >= COST_ORDER_UNKNOWN_PREFERRED) // both count down from what cannot be reached
			*rank = (uint16_t)(RANK_UNREACHABLE - (COST_ORDER_UNREACHABLE - order));
		else
			*rank = i > 0 && order == contenders[i - 1].order ? next - 1 : next++;
	}
}

static int rank_places(void *ctx, size_t job)
{
	const struct ranker *r = ctx;
	struct contender *contenders = calloc(r->column_count, sizeof(*contenders));
	size_t begin = job * JOB_PLACES, end = begin + JOB_PLACES < r->chunk_count ? begin + JOB_PLACES : r->chunk_count;

	if (!contenders)
		return E_NOMEM;
	for (size_t i = begin; i < end; i++) {
		const struct place *place = &r->in->places->table[r->first + i];
		struct cost_point here = cost_point_at(place->latitude, place->longitude);
		struct metro metro = metro_of_rule(r->in, r->rule, place);
		struct ranks *ranks = (void *)(r->chunk + i * r->table->row_len);

		for (uint16_t column = 0; column < r->column_count; column++) {
			const struct column *at = &r->columns[column];
			struct cost cost = cost_estimate(r->in, place, &here, &at->point, at->site);

			contenders[column] = (struct contender){metro_order(r->in, &metro, at->site, &cost), column};
		}
		qsort(contenders, r->column_count, sizeof(*contenders), compare);
		ranks->order = (struct order){.carriers = place_carrier_bit(place_carrier(r->in->places, place)),
		                              .ecs_ignored = place->ecs_ignored};
		rank(contenders, r->column_count, ranks);
	}
	free(contenders);
	return E_OK;
}

static struct ranks *ranks_at(const struct ranks_table *table, size_t class_)
{
	return (void *)(table->rows + class_ * table->row_len);
}

static bool is_equal(const void *table, uint32_t class_, const void *row)
{
	const struct ranks_table *t = table;

	return memcmp((const uint8_t *)ranks_at(t, class_) + ORDER_CARRIERS_LEN, (const uint8_t *)row + ORDER_CARRIERS_LEN,
	              t->row_len * sizeof(*t->rows) - ORDER_CARRIERS_LEN) == 0;
}

// The class of a row, added when new.
static int intern_row(struct ranker *r, const struct ranks *row, uint32_t *ret_class)
{
	struct ranks_table *t = r->table;
	size_t row_bytes = t->row_len * sizeof(*t->rows);
	uint64_t hash = hash_mix(hash_bytes(0, (const uint8_t *)row + ORDER_CARRIERS_LEN, row_bytes - ORDER_CARRIERS_LEN));
	int64_t found = intern_find(&r->classes, hash, is_equal, t, row);

	if (found >= 0) {
		ranks_at(t, (size_t)found)->order.carriers |= row->order.carriers;
		*ret_class = (uint32_t)found;
		return E_OK;
	}
	if (t->class_count > LPM_VALUE_MAX)
		return E_LIMIT;
	if (t->class_count == r->row_cap) {
		size_t cap = r->row_cap ? r->row_cap + r->row_cap / 2 : 64;
		uint16_t *rows = cap <= RANKS_BYTES_MAX / row_bytes ? realloc(t->rows, cap * row_bytes) : NULL;

		if (!rows)
			return cap <= RANKS_BYTES_MAX / row_bytes ? E_NOMEM : E_LIMIT;
		t->rows = rows;
		r->row_cap = cap;
	}
	memcpy(ranks_at(t, t->class_count), row, row_bytes);
	*ret_class = (uint32_t)t->class_count;
	return intern_add(&r->classes, hash, (uint32_t)t->class_count++);
}

static int make_columns(struct ranker *r, size_t site_count, const bool *is_wanted)
{
	r->table->columns = calloc(site_count, sizeof(*r->table->columns));
	r->columns = calloc(site_count, sizeof(*r->columns));
	if (!r->table->columns || !r->columns)
		return E_NOMEM;
	must(site_count <= SITES_MAX);
	for (size_t site = 0; site < site_count; site++) {
		if (!is_wanted[site])
			continue;
		r->table->columns[site] = (uint16_t)r->column_count;
		r->columns[r->column_count++] = (struct column){
			(uint16_t)site, cost_point_at(r->in->sites[site].latitude, r->in->sites[site].longitude)};
	}
	r->table->row_len = sizeof(struct ranks) / sizeof(uint16_t) + (r->column_count + 1) / 2 * 2; // keeps rows aligned
	return E_OK;
}

// Ranks every place; map[place] becomes its class.
static int make_rows(struct ranker *r, uint32_t *map)
{
	size_t count = r->in->places->count;
	int err = E_OK;

	r->chunk = calloc(CHUNK_PLACES, r->table->row_len * sizeof(*r->chunk));
	if (!r->chunk)
		return E_NOMEM;
	for (r->first = 0; r->first < count && err == E_OK; r->first += r->chunk_count) {
		r->chunk_count = count - r->first < CHUNK_PLACES ? count - r->first : CHUNK_PLACES;
		err = parallel_run((r->chunk_count + JOB_PLACES - 1) / JOB_PLACES, rank_places, r);
		for (size_t i = 0; i < r->chunk_count && err == E_OK; i++)
			err = intern_row(r, (const void *)(r->chunk + i * r->table->row_len), &map[r->first + i]);
	}
	return err;
}

int ranks_build(const struct steer_input *in, enum metro_rule rule, size_t site_count, const bool *is_wanted,
                struct ranks_table *ret_table)
{
	struct ranker r = {.in = in, .rule = rule, .table = ret_table};
	uint32_t *map = calloc(in->places->count, sizeof(*map));
	int err;

	*ret_table = (struct ranks_table){0};
	err = map ? make_columns(&r, site_count, is_wanted) : E_NOMEM;
	if (err == E_OK)
		err = make_rows(&r, map);
	if (err == E_OK)
		err = lpm_pair_freeze(in->places->v4, in->places->v6, map, &ret_table->classes);
	if (err < 0)
		ranks_wipe(ret_table);
	intern_wipe(&r.classes);
	free(r.columns);
	free(r.chunk);
	free(map);
	return err;
}

void ranks_wipe(struct ranks_table *table)
{
	lpm_pair_wipe(&table->classes);
	free(table->rows);
	free(table->columns);
	*table = (struct ranks_table){0};
}

size_t ranks_bytes(const struct ranks_table *table)
{
	return lpm_pair_bytes(&table->classes) + table->class_count * table->row_len * sizeof(*table->rows);
}
