// Makes the overlay; see learned.h.
#include "view/learned.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/intern.h"
#include "base/must.h"
#include "steer/place.h"
#include "steer/ptree.h"
#include "steer/site.h"
#include "view/ground.h"
#include "view/tables.h"

enum { WIDE_MIN = 4096 }; // changes of value from which on a table is worth a wide index

// Blocks of one address family, each with a number: first the prefixes of the facts, then what these are divided into.
struct blocks {
	struct ptree_entry *list;
	size_t count, cap;
};

struct builder {
	struct learned *learned;
	struct intern index;             // of the rows
	const struct learned_fact *facts;
	const struct ptree *places;      // of the family
	struct blocks blocks;            // of rows
	const struct learned_fact *fact; // being divided
	int err;
};

_Static_assert(sizeof(struct learned_row) == (LEARNED_SITES_MAX + 2) * sizeof(uint16_t), "rows have no padding");

static bool is_equal(const void *learned, uint32_t number, const void *key)
{
	return memcmp(&((const struct learned *)learned)->rows[number], key, sizeof(struct learned_row)) == 0;
}

static int intern_row(struct builder *b, const struct learned_row *row, uint32_t *ret_number)
{
	struct learned *learned = b->learned;
	uint64_t hash = hash_mix(hash_bytes(0, row, sizeof(*row)));
	int64_t found = intern_find(&b->index, hash, is_equal, learned, row);

	if (found >= 0) {
		*ret_number = (uint32_t)found;
		return E_OK;
	}
	if (learned->row_count > LPM_VALUE_MAX)
		return E_LIMIT;
	if (learned->row_count == learned->row_cap) {
		size_t cap = learned->row_cap * 2;
		struct learned_row *rows = reallocarray(learned->rows, cap, sizeof(*rows));

		if (!rows)
			return E_NOMEM;
		learned->rows = rows;
		learned->row_cap = cap;
	}
	*ret_number = (uint32_t)learned->row_count;
	learned->rows[learned->row_count++] = *row;
	return intern_add(&b->index, hash, *ret_number);
}

// See the truth table in learned.h. False: nothing follows.
static bool row_of(const struct tables *tables, const struct learned_fact *fact, const struct place *place,
                   struct learned_row *ret_row)
{
	bool is_edge = fact->has_class ? fact->is_edge : place_is_edge(tables->ground->places, place);
	uint16_t carrier = !is_edge ? 0 : fact->has_carrier ? fact->carrier : place->carrier;
	struct learned_row row = {.carrier = carrier};

	for (unsigned i = 0; i < fact->site_count; i++) {
		must(fact->sites[i] < tables->site_count);
		if (site_reached_by(&tables->sites[fact->sites[i]], carrier))
			row.sites[row.site_count++] = fact->sites[i];
	}
	*ret_row = row;
	return row.site_count > 0 || fact->has_carrier || fact->has_class;
}

static int add_block(struct blocks *blocks, struct addr_key key, uint8_t len, uint32_t number)
{
	if (blocks->count == blocks->cap) {
		size_t cap = blocks->cap ? blocks->cap * 2 : 256;
		struct ptree_entry *list = cap <= LEARNED_BLOCKS_MAX ? reallocarray(blocks->list, cap, sizeof(*list)) : NULL;

		if (!list)
			return cap <= LEARNED_BLOCKS_MAX ? E_NOMEM : E_LIMIT;
		blocks->list = list;
		blocks->cap = cap;
	}
	blocks->list[blocks->count++] = (struct ptree_entry){key.hi, key.lo, number, len};
	return E_OK;
}

// A block of the fact in which the prefix table has one place.
static void add_row(void *ctx, struct addr_key key, uint8_t depth, uint32_t place)
{
	struct builder *b = ctx;
	const struct tables *tables = b->learned->tables;
	struct learned_row row;
	uint32_t number = 0;

	if (b->err == E_OK && row_of(tables, b->fact, &tables->ground->places->table[place], &row))
		b->err = intern_row(b, &row, &number);
	if (b->err == E_OK)
		b->err = add_block(&b->blocks, key, depth, number);
}

// A block in which one fact counts. Those that say all that reach depends on stay whole whatever the prefix table has
// there.
static void divide(void *ctx, struct addr_key key, uint8_t depth, uint32_t number)
{
	struct builder *b = ctx;
	const struct learned_fact *fact;

	if (number == 0 || b->err < 0)
		return;
	b->fact = fact = &b->facts[number - 1];
	must(fact->site_count <= LEARNED_SITES_MAX);
	if (fact->has_class && (fact->has_carrier || !fact->is_edge))
		add_row(b, key, depth, 0);
	else
		ptree_walk_block(b->places, key, depth, add_row, b);
}

// The facts of one family. Nested ones are taken apart before any is divided: what a wide one is divided into may be
// longer than a prefix within it.
static int build_family(struct builder *b, uint8_t family, size_t count, struct lpm *ret_lpm)
{
	const struct places *places = b->learned->tables->ground->places;
	struct blocks prefixes = {0};
	struct ptree *facts = NULL, *rows = NULL;
	int err = E_OK;

	for (size_t i = 0; i < count && err == E_OK; i++) {
		const struct prefix *prefix = &b->facts[i].prefix;

		must(prefix->len <= addr_bits(prefix->addr.family));
		if (prefix->addr.family == family)
			err = add_block(&prefixes, addr_key(&prefix->addr), prefix->len, (uint32_t)i + 1);
	}
	if (err == E_OK)
		err = ptree_build(prefixes.list, prefixes.count, &facts);
	free(prefixes.list);
	b->places = family == ADDR_V4 ? places->v4 : places->v6;
	b->blocks.count = 0;
	if (err == E_OK) {
		ptree_walk(facts, divide, b);
		err = b->err;
	}
	ptree_free(facts);
	if (err == E_OK)
		err = ptree_build(b->blocks.list, b->blocks.count, &rows);
	if (err == E_OK)
		err = ptree_nodes(rows) >= WIDE_MIN ? lpm_freeze_wide(rows, ret_lpm) : lpm_freeze(rows, ret_lpm);
	ptree_free(rows);
	return err;
}

static struct learned *new_learned(struct tables *tables)
{
	struct learned *learned = calloc(1, sizeof(*learned));

	if (!learned)
		return NULL;
	learned->tables = tables_use(tables);
	learned->row_cap = 16;
	learned->row_count = 1; // row 0 stands for a gap
	learned->rows = calloc(learned->row_cap, sizeof(*learned->rows));
	return learned->rows ? learned : learned_free(learned);
}

int learned_build(struct tables *tables, const struct learned_fact *facts, size_t count, struct learned **ret_learned)
{
	struct builder b = {.facts = facts};
	int err;

	if (count > LEARNED_FACTS_MAX)
		return E_LIMIT;
	b.learned = new_learned(tables);
	if (!b.learned)
		return E_NOMEM;
	err = build_family(&b, ADDR_V4, count, &b.learned->table.v4);
	if (err == E_OK)
		err = build_family(&b, ADDR_V6, count, &b.learned->table.v6);
	free(b.blocks.list);
	intern_wipe(&b.index);
	if (err == E_OK)
		*ret_learned = b.learned;
	else
		learned_free(b.learned);
	return err;
}

// ---- who is wanted --------------------------------------------------------------------------------------------------

static uint32_t except(void *ctx, uint32_t known, uint32_t region)
{
	(void)ctx;
	return known ? 0 : region;
}

static int want_family(const struct ptree *regions, uint8_t family, const struct prefix *known, size_t count,
                       struct lpm *ret_lpm)
{
	struct blocks prefixes = {0};
	struct ptree *without = NULL, *wanted = NULL;
	int err = E_OK;

	for (size_t i = 0; i < count && err == E_OK; i++)
		if (known[i].addr.family == family)
			err = add_block(&prefixes, addr_key(&known[i].addr), known[i].len, 1);
	if (err == E_OK)
		err = ptree_build(prefixes.list, prefixes.count, &without);
	if (err == E_OK)
		err = ptree_overlay(without, regions, except, NULL, &wanted);
	if (err == E_OK)
		err = lpm_freeze(wanted, ret_lpm);
	free(prefixes.list);
	ptree_free(without);
	ptree_free(wanted);
	return err;
}

int learned_want(struct learned *learned, const struct ptree *regions_v4, const struct ptree *regions_v6,
                 const struct prefix *known, size_t count, struct notes *notes)
{
	int err = want_family(regions_v4, ADDR_V4, known, count, &learned->wanted.v4);

	if (err == E_OK)
		err = want_family(regions_v6, ADDR_V6, known, count, &learned->wanted.v6);
	if (err == E_OK)
		learned->notes = notes;
	return err;
}

struct learned *learned_free(struct learned *learned)
{
	if (!learned)
		return NULL;
	lpm_pair_wipe(&learned->table);
	lpm_pair_wipe(&learned->wanted);
	tables_free(learned->tables);
	free(learned->rows);
	free(learned);
	return NULL;
}

size_t learned_bytes(const struct learned *learned)
{
	return sizeof(*learned) + learned->row_cap * sizeof(*learned->rows) + lpm_pair_bytes(&learned->table);
}
