// The learner's thread, its services, and what others ask it; see learner.h.
#include "learn/learner.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "base/publish.h"
#include "base/report.h"
#include "base/thread.h"
#include "config/config.h"
#include "learn/merit.h"
#include "learn/overlays.h"
#include "learn/registering.h"
#include "learn/rounds.h"
#include "learn/saved.h"
#include "learn/sightings.h"
#include "view/learned.h"
#include "view/live.h"
#include "view/notes.h"
#include "view/tables.h"
#include "view/view.h"

static void tell(int fd)
{
	uint64_t one = 1;

	while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void drain(int fd)
{
	uint64_t count;

	(void)!read(fd, &count, sizeof(count));
}

// ---- publishing -----------------------------------------------------------------------------------------------------

static struct overlays take_ready(struct learner *learner)
{
	struct overlays ready;

	pthread_mutex_lock(&learner->mutex);
	ready = learner->ready;
	learner->ready = (struct overlays){0};
	pthread_mutex_unlock(&learner->mutex);
	return ready;
}

static struct learner_change *take_changes(struct learner *learner)
{
	struct learner_change *list, *reversed = NULL;

	pthread_mutex_lock(&learner->mutex);
	list = learner->changes;
	learner->changes = NULL;
	pthread_mutex_unlock(&learner->mutex);
	while (list) {
		struct learner_change *next = list->next;

		list->next = reversed;
		reversed = list;
		list = next;
	}
	return reversed;
}

// Has up to `max` of what has changed written, in its order. Returns whether there may be more.
static bool save(struct learner *learner, size_t max)
{
	if (!learner->saving)
		learner->saving = take_changes(learner);
	for (; learner->saving && max > 0; max--) {
		struct learner_change *change = learner->saving;

		learner->saving = change->next;
		if (learner->save)
			learner->save(learner->save_ctx, change->prefix, change->is_gone ? NULL : change->text);
		free(change);
	}
	return max == 0;
}

// The main loop. An overlay for a view that has been replaced meanwhile is of no use: another one is on its way.
static void on_arrived(evutil_socket_t fd, short what, void *arg)
{
	struct learner *learner = arg;
	const struct live *now = live_current();
	struct overlays ready;
	struct live *live;

	(void)what;
	drain(fd);
	if (save(learner, SAVE_MAX))
		tell(learner->arrived_fd); // others first
	registering_end(learner);
	ready = take_ready(learner);
	live = ready.tables && now && now->view->tables == ready.tables ? live_next() : NULL;
	if (live) {
		live->learned = ready.learned;
		ready.learned = NULL;
		if (live->wanted != ready.wanted) {
			live->wanted = ready.wanted;
			ready.wanted = NULL;
		}
		live_publish(live);
	}
	overlays_wipe(&ready);
}

struct learned *learner_overlay(struct learner *learner, struct tables *tables)
{
	return overlays_for(learner, tables);
}

// ---- the thread -----------------------------------------------------------------------------------------------------

// One round. True: there is something to make. *ret_settled as rounds_has_settled().
static bool turn(struct learner *learner, struct overlays_task *ret_task, bool *ret_settled)
{
	const struct live *live;
	int64_t now_ms = clock_mono_ms(), now_s = clock_steady_s();
	bool has_more, has_task;

	publish_online();
	live = live_read();
	pthread_mutex_lock(&learner->mutex);
	if (live)
		rounds_turn(learner, live, now_ms, now_s);
	has_more = live && sightings_turn(learner, live, now_ms, now_s);
	has_task = live && overlays_begin(learner, live, now_ms, now_s, ret_task);
	*ret_settled = rounds_has_settled(learner, now_ms);
	learner->wait_ms = has_more ? 0 : learner->built_version == book_version(learner->book) ? ROUND_MS : BUILD_PAUSE_MS;
	pthread_mutex_unlock(&learner->mutex);
	publish_offline();
	return has_task;
}

static void *run(void *ctx)
{
	struct learner *learner = ctx;

	publish_register_reader();
	publish_offline();
	while (!learner->is_to_stop) {
		struct pollfd wait = {.fd = learner->wake_fd, .events = POLLIN};
		struct overlays_task task;
		struct overlays old = {0};
		bool has_task, is_made, has_news, has_settled;

		(void)poll(&wait, 1, learner->wait_ms);
		drain(learner->wake_fd);
		has_task = turn(learner, &task, &has_settled);
		is_made = has_task && overlays_make(learner, &task);
		pthread_mutex_lock(&learner->mutex);
		if (has_task)
			overlays_end(learner, &task, &old);
		has_news = is_made || learner->changes;
		pthread_mutex_unlock(&learner->mutex);
		overlays_wipe(&old);
		if (has_news)
			tell(learner->arrived_fd);
		if (has_settled && learner->trim)
			learner->trim();
	}
	publish_unregister_reader();
	learner->has_stopped = true;
	return NULL;
}

// The first service is there, or something is observed, or was learned by an earlier daemon.
static void start(struct learner *learner)
{
	struct notes *notes = learner->is_started ? NULL : notes_new(learner->workers);

	if (learner->is_started)
		return;
	if (notes) {
		learner->notes = notes;
		learner->is_started = thread_start(&learner->thread, "learner", run, learner);
	}
	if (!learner->is_started)
		log_error("discovery: there is no %s for it: nothing is learned until the next start", notes ? "thread" : "memory");
}

// ---- services -------------------------------------------------------------------------------------------------------

struct learner_plan {
	struct informant *services[DISCOVERY_MAX];
	bool is_new[DISCOVERY_MAX]; // opened for this plan, which owns it
	size_t count;
	struct learner_rules rules;
	struct observe_rules observe;
	struct crowd *crowd;        // empty; the numbers of services change
};

static int copy_rules(const struct config *config, struct learner_rules *rules)
{
	const struct config_learned *learned = &config->learned;

	*rules = (struct learner_rules){
		.book = {{learned->agree, learned->agree_for_s}, (uint8_t)learned->prefix_v4, (uint8_t)learned->prefix_v6,
		         learned->max, learned->moves, learned->max_stale_s},
		.tries = learned->tries,
		.notes_from = calloc(learned->notes_from_count + 1, sizeof(*rules->notes_from)),
		.notes_from_count = learned->notes_from_count,
	};
	if (!rules->notes_from)
		return E_NOMEM;
	if (learned->notes_from_count > 0)
		memcpy(rules->notes_from, learned->notes_from, learned->notes_from_count * sizeof(*rules->notes_from));
	return E_OK;
}

static struct informant *find_equal(struct informant *const *services, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(services[i]->key, key) == 0)
			return services[i];
	return NULL;
}

static int add_row(const struct learner *learner, const struct config *config, const struct config_discovery *entry,
                   struct report *report, struct learner_plan *plan)
{
	char *key = informant_key(entry);
	struct informant *service = key && learner ? find_equal(learner->services, learner->service_count, key) : NULL;
	bool is_new = key && !service, is_twice = key && find_equal(plan->services, plan->count, key);
	int err = key ? E_OK : E_NOMEM;

	free(key);
	if (is_twice) {
		report_error(report, entry->mark.file, entry->mark.line, entry->mark.column,
		             "discovery: %s: is given twice with the same options, expected once", entry->plugin);
		err = E_INVAL;
	}
	if (is_new && err == E_OK)
		err = informant_open(config, entry, report, &service);
	if (err < 0)
		return err;
	plan->services[plan->count] = service;
	plan->is_new[plan->count++] = is_new;
	return E_OK;
}

int learner_prepare(const struct learner *learner, const struct config *config, struct report *report,
                    struct learner_plan **ret_plan)
{
	struct learner_plan *plan = calloc(1, sizeof(*plan));
	size_t errors = report_count(report, REPORT_ERROR);
	int err = plan ? copy_rules(config, &plan->rules) : E_NOMEM;

	if (err == E_OK)
		err = sightings_read(config, report, &plan->observe);
	if (err == E_OK && !(plan->crowd = crowd_new()))
		err = E_NOMEM;
	for (size_t i = 0; i < config->discovery_count && (err == E_OK || err == E_INVAL); i++) {
		int row = add_row(learner, config, &config->discoveries[i], report, plan);

		err = row < 0 ? row : err;
	}
	if (err == E_OK && report_count(report, REPORT_ERROR) > errors)
		err = E_INVAL; // one that reported an error and opened all the same
	if (err == E_OK)
		*ret_plan = plan;
	else
		learner_discard(plan);
	return err;
}

struct learner_plan *learner_discard(struct learner_plan *plan)
{
	if (!plan)
		return NULL;
	for (size_t i = 0; i < plan->count; i++)
		if (plan->is_new[i])
			informant_free(plan->services[i]);
	crowd_free(plan->crowd);
	free(plan->rules.notes_from);
	free(plan);
	return NULL;
}

static bool is_kept(const struct learner_plan *plan, const struct informant *service)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->services[i] == service)
			return true;
	return false;
}

// Under the mutex.
static void leave(struct learner *learner, struct informant *service)
{
	informant_total(&learner->gone, &service->totals);
	if (!service->chore.is_started && !service->is_registering) {
		informant_free(service);
		return;
	}
	informant_stop(service);
	if (learner->leaving_count < ARRAY_LEN(learner->leaving))
		learner->leaving[learner->leaving_count++] = service;
	else
		log_error("discovery: %s: too many services do not stop: it is left running", service->label);
}

void learner_take(struct learner *learner, struct learner_plan *plan)
{
	pthread_mutex_lock(&learner->mutex);
	for (size_t i = 0; i < learner->service_count; i++)
		if (!is_kept(plan, learner->services[i]))
			leave(learner, learner->services[i]);
	learner->service_count = plan->count;
	for (size_t i = 0; i < plan->count; i++) {
		struct informant *service = plan->services[i];

		learner->services[i] = service;
		if (!plan->is_new[i])
			continue;
		if (book_name(learner->book, service->plugin, &service->name) < 0 ||
		    !informant_start(service, learner->wake_fd, clock_mono_ms()))
			log_error("discovery: %s: there is no thread for it: it is not asked until the next start", service->label);
		plan->is_new[i] = false;
	}
	free(learner->rules.notes_from);
	learner->rules = plan->rules;
	plan->rules.notes_from = NULL;
	book_set_rules(learner->book, &learner->rules.book, clock_steady_s());
	crowd_continue(plan->crowd, learner->crowd);
	crowd_free(learner->crowd);
	learner->crowd = plan->crowd;
	plan->crowd = NULL;
	sightings_take(learner, &plan->observe);
	learner->plans++;
	pthread_mutex_unlock(&learner->mutex);
	if (plan->count > 0 || plan->observe.is_on)
		start(learner);
	learner_discard(plan);
}

void learner_look(struct learner *learner)
{
	tell(learner->wake_fd);
}

void learner_restore(struct learner *learner, const char *prefix, const char *text)
{
	struct book_entry entry;
	bool is_future = false;
	int err;

	pthread_mutex_lock(&learner->mutex);
	err = saved_parse(learner->book, prefix, text, &entry);
	if (err == E_OK) {
		is_future = saved_settle(&entry, clock_steady_s(), clock_stepped_s());
		err = book_restore(learner->book, &entry);
	}
	if (is_future)
		learner->to_save_again = book_count(learner->book);
	pthread_mutex_unlock(&learner->mutex);
	if (err == E_OK)
		start(learner); // without a service too it grows old, and can be forgotten
	else if (learner->save)
		learner->save(learner->save_ctx, prefix, NULL); // of other prefix lengths, or too many: it is learned anew
}

void learner_imported(struct learner *learner)
{
	start(learner);
	tell(learner->wake_fd);
	while (save(learner, SAVE_MAX)) // it is a batch, and who imports asks how much is still to be written
		;
}

int learner_observe(struct learner *learner, const char *from, const char *text, size_t len,
                    struct hopper_result *ret_result)
{
	if (!learner->observe.rules.is_on)
		return E_STATE;
	hopper_read(learner->observe.hopper, from, text, len, ret_result);
	tell(learner->wake_fd);
	return E_OK;
}

size_t learner_forget(struct learner *learner, const struct prefix *prefix)
{
	size_t result;

	pthread_mutex_lock(&learner->mutex);
	result = prefix ? book_forget(learner->book, prefix) : book_count(learner->book);
	if (!prefix)
		book_forget_all(learner->book);
	pthread_mutex_unlock(&learner->mutex);
	tell(learner->wake_fd);
	return result;
}

// ---- start and stop -------------------------------------------------------------------------------------------------

int learner_new(struct event_base *base, unsigned workers, const struct learner_ops *ops, struct learner **ret_learner)
{
	static const struct book_rules none = {{1, 1}, 24, 48, 1, 1, 1};
	struct learner *learner = calloc(1, sizeof(*learner));

	if (!learner)
		return E_NOMEM;
	must(pthread_mutex_init(&learner->mutex, NULL) == 0);
	learner->save = ops->save;
	learner->save_ctx = ops->ctx;
	learner->trim = ops->trim;
	learner->workers = workers;
	learner->random = (uint64_t)clock_mono_ns();
	learner->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	learner->arrived_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	learner->book = book_new(&none);
	learner->crowd = crowd_new();
	learner->observe.hopper = hopper_new();
	learner->arrived = learner->arrived_fd < 0 ? NULL
	                   : event_new(base, learner->arrived_fd, EV_READ | EV_PERSIST, on_arrived, learner);
	if (learner->wake_fd >= 0 && learner->book && learner->crowd && learner->observe.hopper && learner->arrived &&
	    event_add(learner->arrived, NULL) == 0) {
		*ret_learner = learner;
		return E_OK;
	}
	learner_free(learner);
	return E_NOMEM;
}

// Whether all threads have ended in time.
static bool stop_all(struct learner *learner)
{
	int64_t end_ms = clock_mono_ms() + LEARNER_STOP_MS;
	bool goes_on = true;

	pthread_mutex_lock(&learner->mutex);
	for (size_t i = 0; i < learner->service_count; i++)
		leave(learner, learner->services[i]);
	learner->service_count = 0;
	pthread_mutex_unlock(&learner->mutex);
	sightings_stop(&learner->observe);
	learner->is_to_stop = true;
	tell(learner->wake_fd);
	while (goes_on && clock_mono_ms() < end_ms) {
		registering_end(learner);
		goes_on = learner->registration || (learner->is_started && !learner->has_stopped) ||
		          (learner->observe.hopper && !hopper_is_alone(learner->observe.hopper));
		for (size_t i = 0; !goes_on && i < learner->leaving_count; i++) // once the thread is no more
			goes_on = !informant_has_ended(learner->leaving[i]);
		if (goes_on)
			(void)poll(NULL, 0, 10);
	}
	return !goes_on;
}

void learner_stop(struct learner *learner)
{
	if (!learner || learner->is_stopped)
		return;
	learner->is_stopped = true;
	learner->is_late = !stop_all(learner);
	if (learner->is_late)
		log_error("discovery: a service, or what reads observations, has not stopped within %d ms", LEARNER_STOP_MS);
	registering_abandon(learner);
	pthread_mutex_lock(&learner->mutex);
	while (learner->book && rounds_gather_changes(learner))
		;
	pthread_mutex_unlock(&learner->mutex);
	while (save(learner, SAVE_MAX))
		;
}

// What has ended, also where something else has not.
static void join_all(struct learner *learner)
{
	if (learner->is_started && !learner->has_stopped)
		return; // it changes the list of those that leave
	if (learner->is_started)
		must(pthread_join(learner->thread, NULL) == 0);
	learner->is_started = false;
	for (size_t i = 0; i < learner->leaving_count; i++)
		if (learner->leaving[i]->chore.is_started && learner->leaving[i]->has_ended)
			chore_join(&learner->leaving[i]->chore);
}

struct learner *learner_free(struct learner *learner)
{
	if (!learner)
		return NULL;
	learner_stop(learner);
	join_all(learner);
	if (learner->is_late)
		return learner;
	for (size_t i = 0; i < learner->leaving_count; i++)
		informant_free(learner->leaving[i]);
	if (learner->arrived)
		event_free(learner->arrived);
	if (learner->arrived_fd >= 0)
		close(learner->arrived_fd);
	if (learner->wake_fd >= 0)
		close(learner->wake_fd);
	facts_wipe_regions(&learner->regions);
	overlays_wipe(&learner->ready);
	learned_free(learner->overlay);
	wanted_free(learner->wanted);
	notes_free(learner->notes);
	crowd_free(learner->crowd);
	book_free(learner->book);
	observed_free(learner->observe.observed);
	merit_free(learner->observe.merit);
	hopper_free(learner->observe.hopper);
	free(learner->rules.notes_from);
	free(learner->masks);
	pthread_mutex_destroy(&learner->mutex);
	free(learner);
	return NULL;
}
