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
		.breaker = service->breaker.state, .totals = service->totals,
		.names = service->names,
	};
	if (ret->breaker == BREAKER_OPEN && service->breaker.until_ms > now_ms)
		ret->open_for_ms = service->breaker.until_ms - now_ms;
	pthread_mutex_lock(&service->mutex);
	ret->busy = service->shared.busy;
	ret->unmatched = service->shared.unmatched;
	ret->is_waiting = service->shared.is_waiting;
	ret->error_s = service->shared.error_s;
	memcpy(ret->error, service->shared.error, sizeof(ret->error));
	pthread_mutex_unlock(&service->mutex);
}

const char *shown_state(const struct shown_service *service)
{
	return service->is_waiting ? "failed" : breaker_text(service->breaker);
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
		.octets = book_bytes(learner->book) + crowd_bytes(learner->crowd) + learner->overlay_octets,
		.dropped = learner->notes ? notes_dropped(learner->notes) : 0,
		.unbelieved = learner->unbelieved,
		.short_subnets = learner->short_subnets,
		.out_of_reach = learner->out_of_reach,
		.unknown_sites = learner->unknown_sites,
		.unnamed = learner->unnamed,
		.crowd_counts = *crowd_counts_of(learner->crowd),
		.book_counts = *book_counts_of(learner->book),
	};
	for (size_t i = 0; i < learner->service_count; i++)
		read_service(learner->services[i], now_ms, &ret_status->services[i]);
	ret_status->totals = learner->gone;
	for (size_t i = 0; i < learner->service_count; i++)
		informant_total(&ret_status->totals, &learner->services[i]->totals);
	ret_status->unnamed += ret_status->totals.unnamed;
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

	ret->entry = book_shifted(entry, clock_stepped_s());
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
		count = observed_measures(learner->observe.observed, &prefix, clock_steady_s(), measures);
	for (unsigned i = 0; i < count; i++) {
		ret_measures[i].measure = measures[i];
		copy_name(learner->book, measures[i].site, &ret_measures[i].site);
	}
	pthread_mutex_unlock(&learner->mutex);
	return count;
}

// ---- which ----------------------------------------------------------------------------------------------------------

// Looks at the book alone: it is asked about every entry of it.
static bool is_wanted(const struct book *book, const struct book_entry *entry, const struct shown_filter *filter)
{
	bool has_site = !filter->site;

	if (filter->prefix && !prefix_overlaps(&entry->prefix, filter->prefix))
		return false;
	for (unsigned i = 0; i < FINDING_SITES_MAX && !has_site; i++)
		has_site = strcmp(book_text(book, entry->opinion.held.sites[i]), filter->site) == 0;
	return has_site && (!filter->source || strcmp(book_text(book, entry->source), filter->source) == 0);
}

// ---- in order -------------------------------------------------------------------------------------------------------

enum { WALK = 4096, READ = 256 /* entries, while others wait */ };

// The least prefixes so far, in a heap with the greatest at its top.
struct heap {
	struct prefix *prefixes;
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

// Lets the prefix sink from the place `at`, which is free, to where it belongs.
static void sink(struct heap *heap, size_t at, const struct prefix *prefix)
{
	for (size_t below = 2 * at + 1; below < heap->count; below = 2 * at + 1) {
		if (below + 1 < heap->count && compare(&heap->prefixes[below], &heap->prefixes[below + 1]) < 0)
			below++;
		if (compare(prefix, &heap->prefixes[below]) >= 0)
			break;
		heap->prefixes[at] = heap->prefixes[below];
		at = below;
	}
	heap->prefixes[at] = *prefix;
}

static void offer(struct heap *heap, const struct prefix *prefix)
{
	size_t at = heap->count;

	if (at == heap->max) {
		if (compare(prefix, &heap->prefixes[0]) < 0)
			sink(heap, 0, prefix);
		return;
	}
	for (heap->count++; at > 0 && compare(&heap->prefixes[(at - 1) / 2], prefix) < 0; at = (at - 1) / 2)
		heap->prefixes[at] = heap->prefixes[(at - 1) / 2];
	heap->prefixes[at] = *prefix;
}

// The greatest goes to the end, again and again.
static void sort(struct heap *heap)
{
	size_t count = heap->count;

	while (heap->count > 1) {
		struct prefix greatest = heap->prefixes[0], last = heap->prefixes[--heap->count];

		sink(heap, 0, &last);
		heap->prefixes[heap->count] = greatest;
	}
	heap->count = count;
}

// From the end, since the last entry takes the place of one that goes meanwhile: it is met once more, but none is missed.
static void walk(struct learner *learner, const struct shown_filter *filter, const struct shown_page *page, struct heap *heap)
{
	for (size_t left = SIZE_MAX; left > 0;) {
		size_t end;
		int explored; // what is held by it nobody has learned

		pthread_mutex_lock(&learner->mutex);
		explored = book_find_name(learner->book, EXPLORE_SOURCE);
		left = left < book_count(learner->book) ? left : book_count(learner->book);
		for (end = left > WALK ? left - WALK : 0; left > end; left--) {
			const struct book_entry *entry = book_at(learner->book, left - 1);

			if (entry->opinion.has_held && entry->source != explored && (!page->has_after || compare(&entry->prefix, &page->after) > 0) &&
			    is_wanted(learner->book, entry, filter))
				offer(heap, &entry->prefix);
		}
		pthread_mutex_unlock(&learner->mutex);
	}
}

// What there still is of the prefixes, which are in order.
static void read_page(struct learner *learner, const struct heap *heap, struct shown_page *page)
{
	page->count = 0;
	for (size_t i = 0; i < heap->count;) {
		size_t end = heap->count - i > READ ? i + READ : heap->count;

		pthread_mutex_lock(&learner->mutex);
		for (; i < end; i++) {
			const struct book_entry *entry = book_find(learner->book, &heap->prefixes[i]);

			if (entry && entry->opinion.has_held && (i == 0 || compare(&heap->prefixes[i - 1], &heap->prefixes[i]) != 0))
				read_entry(learner->book, entry, &page->entries[page->count++]);
		}
		pthread_mutex_unlock(&learner->mutex);
	}
}

int shown_page(struct learner *learner, const struct shown_filter *filter, struct shown_page *page)
{
	struct heap heap = {.prefixes = calloc(page->max, sizeof(*heap.prefixes)), .max = page->max};

	if (!heap.prefixes)
		return E_NOMEM;
	walk(learner, filter, page, &heap);
	sort(&heap);
	read_page(learner, &heap, page);
	page->is_last = heap.count < heap.max;
	page->has_after = heap.count > 0;
	if (page->has_after)
		page->after = heap.prefixes[heap.count - 1];
	free(heap.prefixes);
	return E_OK;
}

// ---- all ------------------------------------------------------------------------------------------------------------

size_t shown_each(struct learner *learner, const struct shown_filter *filter, size_t max,
                  void (*each)(void *ctx, const struct shown_entry *entry), void *ctx)
{
	struct shown_entry shown;
	const struct book_entry *only = NULL;
	size_t count = 0, end;
	bool is_one;

	pthread_mutex_lock(&learner->mutex);
	is_one = filter->prefix && filter->prefix->len >= book_prefix(learner->book, &filter->prefix->addr).len;
	if (is_one) { // no other one can be wanted
		struct prefix prefix = book_prefix(learner->book, &filter->prefix->addr);

		only = book_find(learner->book, &prefix);
	}
	end = !is_one ? book_count(learner->book) : only ? 1 : 0;
	for (size_t i = 0; i < end; i++) {
		const struct book_entry *entry = only ? only : book_at(learner->book, i);

		if (!is_wanted(learner->book, entry, filter) || count++ >= max)
			continue;
		read_entry(learner->book, entry, &shown);
		each(ctx, &shown);
	}
	pthread_mutex_unlock(&learner->mutex);
	return count;
}
