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

enum {
	ROWS_MIN = 16,
	ROWS_MAX = LPM_VALUE_MAX / 2,
	ROWS_STALE = 1024, // so many more than twice as many as were needed at first: most are not needed any more
};

// The rows of an overlay and of those made from it, each followed by its twin. What readers have is not changed: rows are
// added behind it, by the one who makes the latest overlay.
struct learned_store {
	struct users users;
	struct intern index;       // of the rows, for who adds to them
	size_t count, cap, needed; // rows; needed: when it was built
	struct learned_row rows[];
};

// Blocks of one address family, each with a number: first the prefixes of the facts, then what these are divided into.
struct blocks {
	struct ptree_entry *list;
	size_t count, cap;
};

struct builder {
	const struct tables *tables;
	struct learned_store *store;
	const struct learned_fact *facts;
	const struct ptree *places;      // of the family
	struct blocks blocks;            // of rows
	const struct learned_fact *fact; // being divided
	int err;
};

_Static_assert(sizeof(struct learned_row) == (LEARNED_SITES_MAX + 2) * sizeof(uint16_t), "rows have no padding");

// ---- rows -----------------------------------------------------------------------------------------------------------

static struct learned_store *store_new(size_t cap)
{
	struct learned_store *store = calloc(1, sizeof(*store) + 2 * cap * sizeof(store->rows[0]));

	if (!store)
		return NULL;
	users_start(&store->users);
	store->cap = cap;
	store->count = 1; // row 0 stands for a gap
	return store;
}

static struct learned_store *store_use(struct learned_store *store)
{
	users_add(&store->users);
	return store;
}

static struct learned_store *store_free(struct learned_store *store)
{
	if (store && users_leave(&store->users)) {
		intern_wipe(&store->index);
		free(store);
	}
	return NULL;
}

static uint64_t hash_of(const struct learned_row *row)
{
	return hash_mix(hash_bytes(0, row, sizeof(*row)));
}

// A larger one in its place.
static int store_grow(struct learned_store **store)
{
	struct learned_store *old = *store, *larger = store_new(old->cap * 2);
	int err = E_OK;

	if (!larger)
		return E_NOMEM;
	memcpy(larger->rows, old->rows, 2 * old->count * sizeof(old->rows[0]));
	larger->count = old->count;
	larger->needed = old->needed;
	for (uint32_t i = 1; i < larger->count && err == E_OK; i++)
		err = intern_add(&larger->index, hash_of(&larger->rows[2 * i]), i);
	if (err < 0) {
		store_free(larger);
		return err;
	}
	*store = larger;
	store_free(old);
	return E_OK;
}

static bool is_equal(const void *store, uint32_t number, const void *key)
{
	return memcmp(&((const struct learned_store *)store)->rows[2 * number], key, sizeof(struct learned_row)) == 0;
}

// With its first two sites swapped, or without its only one.
static struct learned_row twin_of(const struct learned_row *row)
{
	struct learned_row twin = *row;

	twin.sites[0] = row->sites[1];
	twin.sites[1] = row->sites[0];
	if (row->site_count == 1)
		twin.site_count = 0;
	return twin;
}

// The number of a row as tries have it.
static int intern_row(struct builder *b, const struct learned_row *row, uint32_t *ret_number)
{
	uint64_t hash = hash_of(row);
	int64_t number = intern_find(&b->store->index, hash, is_equal, b->store, row);
	int err = E_OK;

	if (number < 0) {
		number = (int64_t)b->store->count;
		if (number > ROWS_MAX)
			return E_LIMIT;
		if (b->store->count == b->store->cap)
			err = store_grow(&b->store);
		if (err == E_OK)
			err = intern_add(&b->store->index, hash, (uint32_t)number);
		if (err < 0)
			return err;
		b->store->rows[2 * number] = *row;
		b->store->rows[2 * number + 1] = twin_of(row);
		b->store->count++;
	}
	*ret_number = 2 * (uint32_t)number;
	return E_OK;
}

// ---- facts ----------------------------------------------------------------------------------------------------------

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
	struct learned_row row;
	uint32_t number = 0;

	if (b->err == E_OK && row_of(b->tables, b->fact, &b->tables->ground->places->table[place], &row))
		b->err = intern_row(b, &row, &number);
	if (b->err == E_OK)
		b->err = add_block(&b->blocks, key, depth, number);
}

// A block in which one fact counts. Those that say all that reach depends on, or nothing, stay whole whatever the prefix
// table has there.
static void divide_fact(struct builder *b, const struct learned_fact *fact, struct addr_key key, uint8_t depth)
{
	if (b->err < 0)
		return;
	b->fact = fact;
	must(fact->site_count <= LEARNED_SITES_MAX && fact->prefix.len <= addr_bits(fact->prefix.addr.family));
	if (fact->has_class && (fact->has_carrier || !fact->is_edge))
		add_row(b, key, depth, 0);
	else if (!fact->has_class && !fact->has_carrier && fact->site_count == 0)
		b->err = add_block(&b->blocks, key, depth, 0);
	else
		ptree_walk_block(b->places, key, depth, add_row, b);
}

static void divide(void *ctx, struct addr_key key, uint8_t depth, uint32_t number)
{
	struct builder *b = ctx;

	if (number > 0)
		divide_fact(b, &b->facts[number - 1], key, depth);
}

// The blocks of one family's facts. Nested ones are taken apart before any is divided: what a wide one is divided into may
// be longer than a prefix within it.
static int divide_all(struct builder *b, uint8_t family, size_t count)
{
	struct blocks prefixes = {0};
	struct ptree *facts = NULL;
	int err = E_OK;

	for (size_t i = 0; i < count && err == E_OK; i++)
		if (b->facts[i].prefix.addr.family == family)
			err = add_block(&prefixes, addr_key(&b->facts[i].prefix.addr), b->facts[i].prefix.len, (uint32_t)i + 1);
	if (err == E_OK)
		err = ptree_build(prefixes.list, prefixes.count, &facts);
	free(prefixes.list);
	if (err == E_OK)
		ptree_walk(facts, divide, b);
	ptree_free(facts);
	return err < 0 ? err : b->err;
}

static int compare_facts(const void *a, const void *b)
{
	const struct learned_fact *x = *(const struct learned_fact *const *)a, *y = *(const struct learned_fact *const *)b;

	int order = memcmp(x->prefix.addr.bytes, y->prefix.addr.bytes, sizeof(x->prefix.addr.bytes));

	return order ? order : x < y ? -1 : x > y; // by their place in the list
}

// The same of facts that are not nested, each for its prefix as a whole, of equal ones the last.
static int divide_each(struct builder *b, uint8_t family, size_t count)
{
	const struct learned_fact **list = calloc(count + 1, sizeof(*list));
	size_t used = 0;

	if (!list)
		return E_NOMEM;
	for (size_t i = 0; i < count; i++)
		if (b->facts[i].prefix.addr.family == family)
			list[used++] = &b->facts[i];
	qsort(list, used, sizeof(*list), compare_facts);
	for (size_t i = 0; i < used; i++)
		if (i + 1 == used || !addr_equal(&list[i]->prefix.addr, &list[i + 1]->prefix.addr))
			divide_fact(b, list[i], addr_key(&list[i]->prefix.addr), list[i]->prefix.len);
	free(list);
	return b->err;
}

// ---- overlays -------------------------------------------------------------------------------------------------------

static bool is_drawn(const void *ctx, struct addr_key key, uint8_t depth)
{
	return explore_draws(ctx, key, depth);
}

static int change_family(struct builder *b, const struct trie *trie, uint8_t family, size_t count, bool is_first,
                         const struct explore *explore, struct trie *ret_trie)
{
	const struct places *places = b->tables->ground->places;
	struct trie_change change = {.is_marked = explore->share > 0 ? is_drawn : NULL, .ctx = explore};
	int err;

	b->places = family == ADDR_V4 ? places->v4 : places->v6;
	b->blocks.count = 0;
	err = is_first ? divide_all(b, family, count) : divide_each(b, family, count);
	if (err < 0)
		return err;
	change.blocks = b->blocks.list;
	change.count = b->blocks.count;
	return trie_change(trie, &change, ret_trie);
}

static struct learned *learned_new(struct tables *tables, struct explore explore)
{
	struct learned *learned = calloc(1, sizeof(*learned));

	if (!learned)
		return NULL;
	users_start(&learned->users);
	learned->tables = tables_use(tables);
	learned->explore = explore;
	return learned;
}

// Both families, from what `from` has, and the rows. `store` is the caller's to give.
static int fill(struct learned *learned, const struct learned *from, const struct learned_fact *facts, size_t count,
                bool is_first)
{
	struct builder b = {.tables = learned->tables, .store = store_use(from->store), .facts = facts};
	int err = change_family(&b, &from->v4, ADDR_V4, count, is_first, &learned->explore, &learned->v4);

	if (err == E_OK)
		err = change_family(&b, &from->v6, ADDR_V6, count, is_first, &learned->explore, &learned->v6);
	free(b.blocks.list);
	learned->store = b.store;
	learned->rows = b.store->rows;
	if (is_first)
		b.store->needed = b.store->count;
	return err;
}

int learned_build(struct tables *tables, const struct learned_fact *facts, size_t count, struct explore explore,
                  struct learned **ret_learned)
{
	struct learned *learned = count <= LEARNED_FACTS_MAX ? learned_new(tables, explore) : NULL;
	struct learned nothing = {.store = learned ? store_new(ROWS_MIN) : NULL};
	int err = count > LEARNED_FACTS_MAX ? E_LIMIT : nothing.store ? E_OK : E_NOMEM;

	if (err == E_OK)
		err = trie_empty(&nothing.v4);
	if (err == E_OK)
		err = trie_empty(&nothing.v6);
	if (err == E_OK)
		err = fill(learned, &nothing, facts, count, true);
	trie_wipe(&nothing.v4);
	trie_wipe(&nothing.v6);
	store_free(nothing.store);
	if (err == E_OK)
		*ret_learned = learned;
	else
		learned_free(learned);
	return err;
}

int learned_change(const struct learned *learned, const struct learned_fact *facts, size_t count,
                   struct learned **ret_learned)
{
	struct learned *next;
	int err;

	if (learned->store->count > 2 * learned->store->needed + ROWS_STALE)
		return E_LIMIT;
	next = learned_new(learned->tables, learned->explore);
	err = next ? fill(next, learned, facts, count, false) : E_NOMEM;
	if (err == E_OK)
		*ret_learned = next;
	else
		learned_free(next);
	return err;
}

int learned_explore(const struct learned *learned, struct explore explore, struct learned **ret_learned)
{
	struct learned *next = learned_new(learned->tables, explore);
	struct trie_change change = {.is_whole = true, .is_marked = explore.share > 0 ? is_drawn : NULL};
	int err = next ? E_OK : E_NOMEM;

	if (err < 0)
		return err;
	change.ctx = &next->explore;
	next->store = store_use(learned->store);
	next->rows = learned->rows;
	err = trie_change(&learned->v4, &change, &next->v4);
	if (err == E_OK)
		err = trie_change(&learned->v6, &change, &next->v6);
	if (err == E_OK)
		*ret_learned = next;
	else
		learned_free(next);
	return err;
}

struct learned *learned_use(struct learned *learned)
{
	users_add(&learned->users);
	return learned;
}

struct learned *learned_free(struct learned *learned)
{
	if (!learned || !users_leave(&learned->users))
		return NULL;
	trie_wipe(&learned->v4);
	trie_wipe(&learned->v6);
	store_free(learned->store);
	tables_free(learned->tables);
	free(learned);
	return NULL;
}

bool learned_is_empty(const struct learned *learned)
{
	static const struct addr_key first;
	struct lpm_hit v4 = trie_lookup(&learned->v4, first), v6 = trie_lookup(&learned->v6, first);

	return v4.depth + v6.depth == 0 && v4.value + v6.value == 0;
}

struct row_visitor {
	const struct learned *learned;
	void (*each)(void *ctx, const struct learned_row *row);
	void *ctx;
};

static void visit_value(void *ctx, uint32_t value)
{
	const struct row_visitor *visitor = ctx;

	if (value > 0)
		visitor->each(visitor->ctx, &visitor->learned->rows[value]);
}

void learned_each_row(const struct learned *learned, void (*each)(void *ctx, const struct learned_row *row), void *ctx)
{
	struct row_visitor visitor = {learned, each, ctx};

	trie_each_value(&learned->v4, visit_value, &visitor);
	trie_each_value(&learned->v6, visit_value, &visitor);
}

size_t learned_bytes(const struct learned *learned)
{
	return sizeof(*learned) + sizeof(*learned->store) + 2 * learned->store->cap * sizeof(learned->store->rows[0]) +
	       learned->store->index.slot_count * sizeof(uint64_t) + trie_bytes(&learned->v4) + trie_bytes(&learned->v6);
}
