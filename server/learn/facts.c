// From the book to the overlay; see facts.h.
#include "learn/facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/names.h"
#include "learn/book.h"
#include "steer/place.h"
#include "steer/ptree.h"
#include "view/ground.h"
#include "view/learned.h"
#include "view/tables.h"
#include "view/wanted.h"

int facts_make_regions(const struct tables *tables, const uint16_t *services, struct facts_regions *ret_regions)
{
	const struct places *places = tables->ground->places;
	uint32_t *map = calloc(places->count, sizeof(*map));
	int err = map ? E_OK : E_NOMEM;

	*ret_regions = (struct facts_regions){0};
	for (size_t i = 0; i < places->count && err == E_OK; i++)
		map[i] = services[places->table[i].carrier] != 0 && !places->table[i].ecs_ignored;
	if (err == E_OK)
		err = ptree_remap(places->v4, map, &ret_regions->v4);
	if (err == E_OK)
		err = ptree_remap(places->v6, map, &ret_regions->v6);
	if (err < 0)
		facts_wipe_regions(ret_regions);
	free(map);
	return err;
}

void facts_wipe_regions(struct facts_regions *regions)
{
	ptree_free(regions->v4);
	ptree_free(regions->v6);
	*regions = (struct facts_regions){0};
}

// The view's numbers of the book's names.
struct numbers {
	const struct book *book;
	const struct places *places;
	int32_t *sites; // by name: site + 1; 0: not looked for yet, -1: there is none
	const struct tables *tables;
};

static int site_of(struct numbers *numbers, uint16_t name)
{
	const char *text = book_text(numbers->book, name);

	for (uint32_t i = 0; numbers->sites[name] == 0 && i < numbers->tables->site_count; i++)
		if (strcmp(numbers->tables->sites[i].name, text) == 0)
			numbers->sites[name] = (int32_t)i + 1;
	if (numbers->sites[name] == 0)
		numbers->sites[name] = -1;
	return numbers->sites[name] < 0 ? -1 : numbers->sites[name] - 1;
}

static struct learned_fact fact_of(struct numbers *numbers, const struct book_entry *entry)
{
	const struct finding *held = &entry->opinion.held;
	struct learned_fact fact = {.prefix = entry->prefix, .has_carrier = held->carrier, .has_class = held->class_};
	const char *carrier = book_text(numbers->book, held->carrier);
	int number = held->carrier ? names_find(numbers->places->carriers, carrier, strlen(carrier)) : 0;

	fact.carrier = number < 0 ? 0 : (uint16_t)number;
	fact.is_edge = strcmp(book_text(numbers->book, held->class_), PLACE_CLASS_EDGE) == 0;
	for (unsigned i = 0; i < FINDING_SITES_MAX && held->sites[i]; i++) {
		int site = site_of(numbers, held->sites[i]);

		if (site >= 0)
			fact.sites[fact.site_count++] = (uint16_t)site;
	}
	return fact;
}

_Static_assert((int)FINDING_SITES_MAX == (int)LEARNED_SITES_MAX, "all that is found is learned");

int facts_gather(const struct book *book, const struct tables *tables, int64_t now_s, struct facts *ret_facts)
{
	size_t count = book_count(book);
	struct numbers numbers = {book, tables->ground->places, calloc(BOOK_NAMES_MAX + 1, sizeof(int32_t)), tables};
	struct facts facts = {.list = calloc(count + 1, sizeof(*facts.list)), .fresh = calloc(count + 1, sizeof(*facts.fresh))};
	bool is_short = !numbers.sites || !facts.list || !facts.fresh;

	for (size_t i = 0; i < count && !is_short; i++) {
		const struct book_entry *entry = book_at(book, i);

		if (entry->opinion.has_held)
			facts.list[facts.count++] = fact_of(&numbers, entry);
		if (book_is_fresh(entry, now_s))
			facts.fresh[facts.fresh_count++] = entry->prefix;
	}
	free(numbers.sites);
	if (is_short)
		facts_wipe(&facts);
	*ret_facts = facts;
	return is_short ? E_NOMEM : E_OK;
}

// What is being gathered of the news.
struct gathering {
	struct numbers numbers;
	struct facts facts;
	size_t cap;           // of the list
	struct wanted *wanted;
	bool is_short;        // of memory
};

static void add_news(void *ctx, const struct book_news *news)
{
	struct gathering *g = ctx;
	struct facts *facts = &g->facts;

	if (g->wanted)
		wanted_set_fresh(g->wanted, &news->prefix, news->is_fresh);
	if (!news->has_moved || g->is_short)
		return;
	if (facts->count == g->cap) {
		size_t cap = g->cap ? g->cap * 2 : 64;
		struct learned_fact *list = reallocarray(facts->list, cap, sizeof(*list));

		g->is_short = !list;
		if (!list)
			return;
		facts->list = list;
		g->cap = cap;
	}
	facts->list[facts->count++] = news->entry && news->entry->opinion.has_held ? fact_of(&g->numbers, news->entry)
	                              : (struct learned_fact){.prefix = news->prefix};
}

int facts_gather_news(struct book *book, const struct tables *tables, int64_t now_s, struct wanted *wanted,
                      struct facts *ret_facts)
{
	struct gathering g = {.numbers = {book, tables->ground->places, calloc(BOOK_NAMES_MAX + 1, sizeof(int32_t)), tables},
	                      .wanted = wanted};
	bool is_all = g.numbers.sites && book_take_news(book, now_s, add_news, &g);
	int err = !g.numbers.sites || g.is_short ? E_NOMEM : is_all ? E_OK : E_LIMIT;

	free(g.numbers.sites);
	if (err < 0)
		facts_wipe(&g.facts);
	*ret_facts = g.facts;
	return err;
}

void facts_wipe(struct facts *facts)
{
	free(facts->list);
	free(facts->fresh);
	*facts = (struct facts){0};
}
