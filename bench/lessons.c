// Learns prefixes for benchmarks; see lessons.h. What happens is what the learner does: samples to the book, its news to facts,
// these to the overlay; only the clock stands still.
#include "lessons.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/names.h"
#include "learn/book.h"
#include "learn/facts.h"
#include "steer/place.h"
#include "view/ground.h"
#include "view/learned.h"
#include "view/tables.h"
#include "view/wanted.h"

enum { NOW_S = 1000000 };

static size_t resident(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	size_t size = 0, pages = 0;

	if (file && fscanf(file, "%zu %zu", &size, &pages) != 2)
		pages = 0;
	if (file)
		fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static struct addr address(const struct addr *addrs, size_t addr_count, size_t i)
{
	uint64_t random = hash_mix(i);
	struct addr addr = {.family = ADDR_V4};

	memcpy(addr.bytes, &random, 4);
	return i < addr_count ? addrs[i] : addr;
}

// One of the sites, as the book has it.
static int random_site(struct book *book, const struct tables *tables, uint64_t random, uint16_t *ret_site)
{
	return book_name(book, tables->sites[random % tables->site_count].name, ret_site);
}

static int fill_book(struct lessons *lessons, const struct tables *tables, const struct addr *addrs, size_t addr_count,
                     size_t count)
{
	const struct book_rules rules = {{1, 600}, 24, 48, (uint32_t)count, 1000000, 7 * 86400};
	int err = E_OK;

	lessons->book = book_new(&rules);
	if (!lessons->book)
		return E_NOMEM;
	for (size_t i = 0; i < count && err == E_OK; i++) {
		struct addr addr = address(addrs, addr_count, i);
		struct book_entry entry = {.prefix = book_prefix(lessons->book, &addr), .opinion.has_held = true, .heard_s = NOW_S,
		                           .fresh_until_s = NOW_S + BOOK_LIFETIME_S, .held_until_s = NOW_S + BOOK_LIFETIME_S, .weight = 1};

		err = random_site(lessons->book, tables, hash_mix(i), &entry.opinion.held.sites[0]);
		if (err == E_OK)
			err = book_restore(lessons->book, &entry);
	}
	return err;
}

// All of the clients of all carriers are wanted.
static int want(struct lessons *lessons, const struct tables *tables, size_t count)
{
	const struct wanted_rules rules = {24, 48, (uint32_t)count};
	size_t carriers = names_count(tables->ground->places->carriers);
	uint16_t *services = calloc(carriers, sizeof(*services));
	struct facts_regions regions = {0};
	int err = services ? E_OK : E_NOMEM;

	for (size_t i = 1; i < carriers && err == E_OK; i++)
		services[i] = 1;
	if (err == E_OK)
		err = facts_make_regions(tables, services, &regions);
	if (err == E_OK)
		err = wanted_new(regions.v4, regions.v6, &rules, NULL, &lessons->wanted);
	facts_wipe_regions(&regions);
	free(services);
	return err;
}

static int build(struct lessons *lessons, struct tables *tables)
{
	struct facts facts;
	int err = facts_gather(lessons->book, tables, NOW_S, &facts);

	book_drop_news(lessons->book, NOW_S);
	if (err == E_OK)
		err = learned_build(tables, facts.list, facts.count, (struct explore){0}, &lessons->learned);
	for (size_t i = 0; i < facts.fresh_count; i++)
		wanted_set_fresh(lessons->wanted, &facts.fresh[i], true);
	facts_wipe(&facts);
	return err;
}

static int update(struct lessons *lessons, struct tables *tables, uint64_t *random)
{
	struct learned *next;
	struct facts facts;
	int err = E_OK;

	for (int i = 0; i < LESSONS_CHANGED && err == E_OK; i++) {
		const struct book_entry *entry = book_at(lessons->book, hash_mix(++*random) % book_count(lessons->book));
		struct book_sample sample = {.addr = entry->prefix.addr, .source = 1, .weight = 1};
		enum opinion_outcome outcome;

		err = random_site(lessons->book, tables, hash_mix(++*random), &sample.finding.sites[0]);
		if (err == E_OK)
			err = book_hear(lessons->book, &sample, NOW_S, &outcome);
	}
	if (err == E_OK)
		err = facts_gather_news(lessons->book, tables, NOW_S, lessons->wanted, &facts);
	if (err < 0)
		return err;
	err = learned_change(lessons->learned, facts.list, facts.count, &next);
	facts_wipe(&facts);
	if (err < 0)
		return err;
	learned_free(lessons->learned);
	lessons->learned = next;
	return E_OK;
}

int lessons_learn(struct tables *tables, const struct addr *addrs, size_t addr_count, size_t count,
                  struct lessons *ret_lessons)
{
	size_t before = resident();
	uint64_t random = 0;
	int err;

	*ret_lessons = (struct lessons){0};
	err = fill_book(ret_lessons, tables, addrs, addr_count, count);
	if (err == E_OK)
		err = want(ret_lessons, tables, count);
	for (int i = 0; i < LESSONS_REPEATS && err == E_OK; i++) {
		int64_t start_ns = clock_mono_ns();

		ret_lessons->learned = learned_free(ret_lessons->learned);
		err = build(ret_lessons, tables);
		ret_lessons->build_ms[i] = (double)(clock_mono_ns() - start_ns) / 1e6;
	}
	for (int i = 0; i < 10 * LESSONS_REPEATS && err == E_OK; i++) {
		int64_t start_ns = clock_mono_ns();

		err = update(ret_lessons, tables, &random);
		ret_lessons->update_ms[i % LESSONS_REPEATS] = (double)(clock_mono_ns() - start_ns) / 1e6;
	}
	if (err < 0)
		return err;
	ret_lessons->resident = resident() - before;
	ret_lessons->octets = book_bytes(ret_lessons->book) + learned_bytes(ret_lessons->learned) + wanted_bytes(ret_lessons->wanted);
	return E_OK;
}

void lessons_wipe(struct lessons *lessons)
{
	learned_free(lessons->learned);
	wanted_free(lessons->wanted);
	book_free(lessons->book);
	*lessons = (struct lessons){0};
}
