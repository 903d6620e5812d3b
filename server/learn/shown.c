// What the learner shows of itself; see shown.h.
#include "learn/shown.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "config/config.h"
#include "learn/rounds.h"
#include "view/notes.h"

_Static_assert(ARRAY_LEN(((struct shown_status *)0)->services) == DISCOVERY_MAX, "all services are shown");

static void read_service(struct informant *service, int64_t now_ms, struct shown_service *ret)
{
	*ret = (struct shown_service){
		.label = service->label, .plugin = service->plugin, .rate = service->rate, .concurrency = service->concurrency,
		.breaker = service->breaker.state, .asked = service->asked,
	};
	if (ret->breaker == BREAKER_OPEN && service->breaker.until_ms > now_ms)
		ret->open_for_ms = service->breaker.until_ms - now_ms;
	memcpy(ret->outcomes, service->outcomes, sizeof(ret->outcomes));
	pthread_mutex_lock(&service->mutex);
	ret->busy = service->shared.busy;
	ret->unmatched = service->shared.unmatched;
	ret->is_waiting = service->shared.is_waiting;
	ret->error_s = service->shared.error_s;
	memcpy(ret->error, service->shared.error, sizeof(ret->error));
	pthread_mutex_unlock(&service->mutex);
}

static void read_observe(const struct observe *observe, struct shown_observe *ret)
{
	*ret = (struct shown_observe){
		.is_on = observe->rules.is_on, .has_socket = observer_has_socket(observe->observer), .taken = observe->taken,
		.unknown_sites = observe->unknown_sites, .out_of_reach = observe->out_of_reach,
	};
	hopper_count(observe->hopper, &ret->hopper);
	if (!observe->observed)
		return;
	ret->evicted = observed_evicted(observe->observed);
	ret->prefixes = observed_prefixes(observe->observed);
	ret->pairs = observed_pairs(observe->observed);
	ret->octets = observed_bytes(observe->observed);
}

void shown_read(struct learner *learner, struct shown_status *ret_status)
{
	int64_t now_ms = clock_mono_ms();

	pthread_mutex_lock(&learner->mutex);
	*ret_status = (struct shown_status){
		.service_count = learner->service_count,
		.entries = book_count(learner->book),
		.waiting = book_waiting(learner->book),
		.crowd = crowd_count(learner->crowd),
		.octets = book_bytes(learner->book),
		.dropped = learner->notes ? notes_dropped(learner->notes) : 0,
		.unbelieved = learner->unbelieved,
		.out_of_reach = learner->out_of_reach,
		.unknown_sites = learner->unknown_sites,
		.crowd_counts = *crowd_counts_of(learner->crowd),
		.book_counts = *book_counts_of(learner->book),
	};
	for (size_t i = 0; i < learner->service_count; i++)
		read_service(learner->services[i], now_ms, &ret_status->services[i]);
	read_observe(&learner->observe, &ret_status->observe);
	pthread_mutex_unlock(&learner->mutex);
}

static void copy_name(const struct book *book, uint16_t name, char (*ret_text)[NAME_MAX_LEN + 1])
{
	snprintf(*ret_text, sizeof(*ret_text), "%s", book_text(book, name));
}

static void read_entry(const struct book *book, const struct book_entry *entry, struct shown_entry *ret)
{
	const struct finding *held = &entry->opinion.held;

	ret->entry = *entry;
	for (unsigned i = 0; i < FINDING_SITES_MAX; i++)
		copy_name(book, held->sites[i], &ret->sites[i]);
	copy_name(book, held->carrier, &ret->carrier);
	copy_name(book, held->class_, &ret->class_);
	copy_name(book, entry->source, &ret->source);
}

bool shown_find(struct learner *learner, const struct addr *addr, struct shown_entry *ret_entry)
{
	const struct book_entry *entry;
	struct prefix prefix;

	pthread_mutex_lock(&learner->mutex);
	prefix = book_prefix(learner->book, addr);
	entry = book_find(learner->book, &prefix);
	if (entry)
		read_entry(learner->book, entry, ret_entry);
	pthread_mutex_unlock(&learner->mutex);
	return entry != NULL;
}

unsigned shown_measures(struct learner *learner, const struct addr *addr, struct shown_measure ret_measures[OBSERVED_SITES])
{
	struct measure measures[OBSERVED_SITES];
	struct prefix prefix;
	unsigned count = 0;

	pthread_mutex_lock(&learner->mutex);
	prefix = book_prefix(learner->book, addr);
	if (learner->observe.observed)
		count = observed_measures(learner->observe.observed, &prefix, clock_wall_s(), measures);
	for (unsigned i = 0; i < count; i++) {
		ret_measures[i].measure = measures[i];
		copy_name(learner->book, measures[i].site, &ret_measures[i].site);
	}
	pthread_mutex_unlock(&learner->mutex);
	return count;
}

// ---- in order -------------------------------------------------------------------------------------------------------

// The least entries so far, as numbers in the book, in a heap with the greatest at its top.
struct page {
	const struct book *book;
	uint32_t *numbers;
	size_t count, max;
};

static int compare(const struct prefix *a, const struct prefix *b)
{
	struct addr_key x = addr_key(&a->addr), y = addr_key(&b->addr);

	if (a->addr.family != b->addr.family)
		return a->addr.family == ADDR_V4 ? -1 : 1;
	if (x.hi != y.hi || x.lo != y.lo)
		return x.hi < y.hi || (x.hi == y.hi && x.lo < y.lo) ? -1 : 1;
	return a->len < b->len ? -1 : a->len > b->len;
}

static bool is_less(const struct page *page, uint32_t a, uint32_t b)
{
	return compare(&book_at(page->book, a)->prefix, &book_at(page->book, b)->prefix) < 0;
}

// Lets the number sink from the place `at`, which is free, to where it belongs.
static void sink(struct page *page, size_t at, uint32_t number)
{
	for (size_t below = 2 * at + 1; below < page->count; below = 2 * at + 1) {
		if (below + 1 < page->count && is_less(page, page->numbers[below], page->numbers[below + 1]))
			below++;
		if (!is_less(page, number, page->numbers[below]))
			break;
		page->numbers[at] = page->numbers[below];
		at = below;
	}
	page->numbers[at] = number;
}

static void offer(struct page *page, uint32_t number)
{
	size_t at = page->count;

	if (at == page->max) {
		if (is_less(page, number, page->numbers[0]))
			sink(page, 0, number);
		return;
	}
	for (page->count++; at > 0 && is_less(page, page->numbers[(at - 1) / 2], number); at = (at - 1) / 2)
		page->numbers[at] = page->numbers[(at - 1) / 2];
	page->numbers[at] = number;
}

// The greatest goes to the end, again and again.
static void sort(struct page *page)
{
	size_t count = page->count;

	while (page->count > 1) {
		uint32_t greatest = page->numbers[0], last = page->numbers[--page->count];

		sink(page, 0, last);
		page->numbers[page->count] = greatest;
	}
	page->count = count;
}

static bool is_wanted(const struct book *book, const struct book_entry *entry, const char *site, const char *source)
{
	bool has_site = !site;

	for (unsigned i = 0; i < FINDING_SITES_MAX && !has_site; i++)
		has_site = strcmp(book_text(book, entry->opinion.held.sites[i]), site) == 0;
	return entry->opinion.has_held && has_site && (!source || strcmp(book_text(book, entry->source), source) == 0);
}

int shown_page(struct learner *learner, const struct prefix *after, const char *site, const char *source,
               struct shown_entry *ret_entries, size_t max, size_t *ret_count)
{
	struct page page = {.numbers = calloc(max, sizeof(uint32_t)), .max = max};

	if (!page.numbers)
		return E_NOMEM;
	pthread_mutex_lock(&learner->mutex);
	page.book = learner->book;
	for (size_t i = 0; i < book_count(page.book); i++) {
		const struct book_entry *entry = book_at(page.book, i);

		if (is_wanted(page.book, entry, site, source) && (!after || compare(&entry->prefix, after) > 0))
			offer(&page, (uint32_t)i);
	}
	sort(&page);
	for (size_t i = 0; i < page.count; i++)
		read_entry(page.book, book_at(page.book, page.numbers[i]), &ret_entries[i]);
	pthread_mutex_unlock(&learner->mutex);
	free(page.numbers);
	*ret_count = page.count;
	return E_OK;
}

// ---- all ------------------------------------------------------------------------------------------------------------

void shown_each(struct learner *learner, bool (*each)(void *ctx, const struct shown_entry *entry), void *ctx)
{
	struct shown_entry shown;
	bool goes_on = true;

	pthread_mutex_lock(&learner->mutex);
	for (size_t i = 0; i < book_count(learner->book) && goes_on; i++) {
		read_entry(learner->book, book_at(learner->book, i), &shown);
		goes_on = each(ctx, &shown);
	}
	pthread_mutex_unlock(&learner->mutex);
}
