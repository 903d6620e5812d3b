// What the learner shows of itself; see shown.h.
#include "learn/shown.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
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
