// A service's thread and what look_up() is lent; see informant.h. Plugins are not trusted: an answer to what was not asked,
// that comes twice or too late is counted, and changes nothing.
#include "learn/informant.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "config/config.h"
#include "config/site_names.h"
#include "learn/registrar.h"

// QUEUED, TAKEN: on its way. ANSWERED: for the learner.
enum slot_state { SLOT_FREE, SLOT_QUEUED, SLOT_TAKEN, SLOT_ANSWERED };

struct informant_slot {
	enum slot_state state;
	uint64_t id;
	int64_t deadline_ms;
	struct informant_question question;
	struct informant_answer answer;
};

_Static_assert(offsetof(struct informant, base) == 0, "a pointer to what is lent is one to its struct informant");

// The size of the struct in ABI 1.3, the first that has it.
enum { FINDING_SIZE_MIN = offsetof(struct edgesteer_finding, text) + sizeof(const char *) };

static struct informant *of(const struct edgesteer_host *lent)
{
	return (struct informant *)lent;
}

static void tell(int fd)
{
	uint64_t one = 1;

	while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void say(struct instance *instance, enum report_level level, const char *file, size_t line, const char *text)
{
	static const enum log_level levels[] = {[REPORT_ERROR] = LOG_LEVEL_ERROR, [REPORT_WARNING] = LOG_LEVEL_WARNING,
	                                        [REPORT_NOTE] = LOG_LEVEL_NOTICE};
	struct informant *service = (struct informant *)instance;
	char at[32] = "";

	if (line)
		snprintf(at, sizeof(at), ":%zu", line);
	log_line(levels[level], "discovery: %s: %s%s%s%s", service->label, file ? file : "", at, file ? ": " : "", text);
	if (level != REPORT_ERROR)
		return;
	pthread_mutex_lock(&service->mutex);
	clean_copy(service->shared.error, sizeof(service->shared.error), text);
	service->shared.error_s = clock_wall_s();
	pthread_mutex_unlock(&service->mutex);
}

// ---- what is lent to look_up() --------------------------------------------------------------------------------------

static int lent_stop_fd(const struct edgesteer_host *lent)
{
	return of(lent)->chore.stop_fd;
}

static int lent_question_fd(const struct edgesteer_host *lent)
{
	return of(lent)->question_fd;
}

// Under the mutex. With nothing queued the descriptor is readable no more: who waits for it would turn in a circle.
static void quieten(struct informant *service)
{
	uint64_t count;

	if (service->shared.queue_count == 0)
		(void)!read(service->question_fd, &count, sizeof(count));
}

// Under the mutex. NULL: nothing waits.
static struct informant_slot *take_queued(struct informant *service)
{
	struct informant_shared *shared = &service->shared;
	struct informant_slot *slot;

	if (shared->queue_count == 0)
		return NULL;
	slot = &shared->slots[shared->queue[shared->queue_first]];
	shared->queue_first = (shared->queue_first + 1) % service->concurrency;
	shared->queue_count--;
	quieten(service);
	return slot;
}

static int lent_take(const struct edgesteer_host *lent, struct edgesteer_question *ret_question)
{
	struct informant *service = of(lent);
	struct edgesteer_question question = {.size = sizeof(question)};
	struct informant_slot *slot;

	pthread_mutex_lock(&service->mutex);
	do
		slot = take_queued(service);
	while (slot && slot->state != SLOT_QUEUED); // its time has run out
	if (slot) {
		slot->state = SLOT_TAKEN;
		question.id = slot->id;
		question.family = slot->question.addr.family == ADDR_V4 ? 4 : 6;
		memcpy(question.address, slot->question.addr.bytes, sizeof(question.address));
		question.prefix_length = slot->question.prefix_len;
		question.is_direct = slot->question.is_direct;
		question.port = slot->question.port;
		question.deadline_ms = slot->deadline_ms;
		memcpy(service->taken_app, slot->question.app, sizeof(service->taken_app));
		question.app = service->taken_app[0] ? service->taken_app : NULL;
	}
	pthread_mutex_unlock(&service->mutex);
	if (slot)
		*ret_question = question;
	return slot != NULL;
}

// Copies a name that is short enough; "" for NULL. False: it is not.
static bool take_name(char (*ret_name)[NAME_MAX_LEN + 1], const char *name)
{
	if (name && strlen(name) > NAME_MAX_LEN)
		return false;
	clean_copy(*ret_name, sizeof(*ret_name), name ? name : "");
	return true;
}

// False: it makes no sense.
static bool take_finding(const struct edgesteer_finding *finding, struct informant_answer *answer)
{
	clean_copy(answer->text, sizeof(answer->text), finding->text ? finding->text : "");
	answer->outcome = finding->outcome;
	answer->lifetime_s = finding->lifetime_s;
	answer->retry_s = finding->outcome == EDGESTEER_BUSY ? finding->retry_s : 0;
	if ((unsigned)finding->outcome >= INFORMANT_OUTCOMES || finding->site_count > FINDING_SITES_MAX)
		return false;
	answer->site_count = finding->outcome == EDGESTEER_FOUND ? (unsigned)finding->site_count : 0;
	for (unsigned i = 0; i < answer->site_count; i++)
		if (!finding->sites || !finding->sites[i] || !take_name(&answer->sites[i], finding->sites[i]))
			return false;
	return take_name(&answer->carrier, finding->carrier) && take_name(&answer->class_, finding->class_);
}

static void lent_answer(const struct edgesteer_host *lent, uint64_t id, const struct edgesteer_finding *finding)
{
	struct informant *service = of(lent);
	struct edgesteer_finding whole = {0};
	struct informant_answer answer = {0};
	struct informant_slot *slot = &service->shared.slots[id % service->concurrency];
	bool is_wanted;

	if (!finding || finding->size < FINDING_SIZE_MIN) {
		instance_error(&service->base, "breaks the plugin contract: answer() without a complete finding");
		return;
	}
	memcpy(&whole, finding, finding->size < sizeof(whole) ? finding->size : sizeof(whole));
	if (!take_finding(&whole, &answer)) {
		answer.outcome = EDGESTEER_BROKEN;
		snprintf(answer.text, sizeof(answer.text), "an answer that makes no sense");
	}
	pthread_mutex_lock(&service->mutex);
	is_wanted = slot->state == SLOT_TAKEN && slot->id == id && clock_mono_ms() < slot->deadline_ms;
	if (is_wanted) {
		answer.addr = slot->question.addr;
		slot->answer = answer;
		slot->state = SLOT_ANSWERED;
	}
	service->shared.unmatched += !is_wanted;
	pthread_mutex_unlock(&service->mutex);
	if (is_wanted)
		tell(service->wake_fd);
}

// Questions keep to the rate when they are asked; what the plugin sends of them later, or twice, does here.
static int lent_pace(const struct edgesteer_host *lent)
{
	struct bucket *sends = &of(lent)->sends;

	if (bucket_fill(sends, clock_mono_ms()) == 0)
		return (int)bucket_wait_ms(sends);
	bucket_take(sends);
	return 0;
}

// ---- the learner's side ---------------------------------------------------------------------------------------------

unsigned informant_room(struct informant *service)
{
	unsigned room;

	pthread_mutex_lock(&service->mutex);
	room = service->shared.is_waiting ? 0 : service->concurrency - service->shared.busy;
	pthread_mutex_unlock(&service->mutex);
	return room;
}

void informant_ask(struct informant *service, const struct informant_question *question, int64_t now_ms)
{
	struct informant_shared *shared = &service->shared;
	unsigned free = 0;

	pthread_mutex_lock(&service->mutex);
	while (free < service->concurrency && shared->slots[free].state != SLOT_FREE)
		free++;
	must(free < service->concurrency);
	shared->slots[free] = (struct informant_slot){
		.state = SLOT_QUEUED,
		.id = ++shared->questions * service->concurrency + free,
		.deadline_ms = now_ms + service->timeout_ms,
		.question = *question,
	};
	shared->queue[(shared->queue_first + shared->queue_count++) % service->concurrency] = free;
	shared->busy++;
	pthread_mutex_unlock(&service->mutex);
	tell(service->question_fd);
	service->totals.asked++;
}

// Takes a slot that has run out of time before anybody took it out of the queue.
static void unqueue(struct informant *service, unsigned number)
{
	struct informant_shared *shared = &service->shared;
	unsigned kept = 0;

	for (unsigned i = 0; i < shared->queue_count; i++) {
		unsigned queued = shared->queue[(shared->queue_first + i) % service->concurrency];

		if (queued != number)
			shared->queue[(shared->queue_first + kept++) % service->concurrency] = queued;
	}
	shared->queue_count = kept;
	quieten(service);
}

bool informant_collect(struct informant *service, int64_t now_ms, struct informant_answer *ret_answer)
{
	struct informant_shared *shared = &service->shared;
	bool found = false;

	pthread_mutex_lock(&service->mutex);
	for (unsigned i = 0; i < service->concurrency && shared->busy > 0 && !found; i++) {
		struct informant_slot *slot = &shared->slots[i];

		found = slot->state == SLOT_ANSWERED || (slot->state != SLOT_FREE && now_ms >= slot->deadline_ms);
		if (!found)
			continue;
		if (slot->state == SLOT_QUEUED)
			unqueue(service, i);
		if (slot->state == SLOT_ANSWERED)
			*ret_answer = slot->answer;
		else
			*ret_answer = (struct informant_answer){.addr = slot->question.addr, .outcome = EDGESTEER_TIMEOUT};
		slot->state = SLOT_FREE;
		shared->busy--;
	}
	if (found && ret_answer->outcome >= EDGESTEER_BUSY && ret_answer->outcome != EDGESTEER_UNASKED) {
		snprintf(shared->error, sizeof(shared->error), "%s", ret_answer->text[0] ? ret_answer->text : "no answer in time");
		shared->error_s = clock_wall_s();
	}
	pthread_mutex_unlock(&service->mutex);
	if (found)
		service->totals.outcomes[ret_answer->outcome]++;
	return found;
}

void informant_total(struct informant_totals *totals, const struct informant_totals *more)
{
	totals->asked += more->asked;
	totals->unnamed += more->unnamed;
	for (size_t i = 0; i < ARRAY_LEN(totals->outcomes); i++)
		totals->outcomes[i] += more->outcomes[i];
}

// ---- the thread -----------------------------------------------------------------------------------------------------

static void call_look_up(void *ctx)
{
	struct informant *service = ctx;

	(void)service->base.plugin.methods->look_up(service->base.self); // any result is a failure, unless it is to stop
}

static void set_waiting(struct informant *service, bool is_waiting)
{
	pthread_mutex_lock(&service->mutex);
	service->shared.is_waiting = is_waiting;
	pthread_mutex_unlock(&service->mutex);
}

static void pausing(void *ctx, int for_s)
{
	struct informant *service = ctx;

	log_warning("discovery: %s: has stopped by itself: it is called again in %d s, what was learned serves on",
	            service->label, for_s);
	set_waiting(service, true);
}

static void resuming(void *ctx)
{
	set_waiting(ctx, false);
}

static void ended(void *ctx)
{
	struct informant *service = ctx;

	instance_close(&service->base, NULL);
	service->is_open = false;
	service->has_ended = true;
}

bool informant_start(struct informant *service, int wake_fd, int64_t now_ms)
{
	service->wake_fd = wake_fd;
	service->bucket = service->sends = bucket_new(service->rate, now_ms);
	return chore_start(&service->chore, "discovery");
}

void informant_stop(struct informant *service)
{
	registrar_stop(service->registrar);
	if (service->chore.is_started)
		chore_stop(&service->chore);
}

bool informant_has_ended(const struct informant *service)
{
	return (service->has_ended || !service->chore.is_started) && !service->is_registering;
}

// ---- making one -----------------------------------------------------------------------------------------------------

char *informant_key(const struct config_discovery *entry)
{
	char *options = values_json(entry->options), *key = NULL;
	FILE *out = NULL;
	size_t len;

	if (options)
		out = open_memstream(&key, &len);
	if (out) {
		fprintf(out, "%s %s %s %u %u %u", entry->plugin, options, entry->options->file->path, entry->rate,
		        entry->concurrency, entry->timeout_ms);
		for (size_t i = 0; i < entry->carrier_count; i++)
			fprintf(out, " %s", entry->carriers[i]);
		for (size_t i = 0; i < entry->register_count; i++)
			fprintf(out, " register %s", entry->register_apps[i]);
		if (fclose(out) != 0) {
			free(key);
			key = NULL;
		}
	}
	free(options);
	return key;
}

static int copy_carriers(struct informant *service, const struct config_discovery *entry)
{
	service->carriers = calloc(entry->carrier_count, sizeof(*service->carriers));
	for (size_t i = 0; service->carriers && i < entry->carrier_count; i++) {
		char *carrier = strdup(entry->carriers[i]);

		if (!carrier)
			return E_NOMEM;
		service->carriers[service->carrier_count++] = names_lower(carrier, carrier, strlen(carrier));
	}
	return service->carriers ? E_OK : E_NOMEM;
}

// Everything but the instance.
static int make(const struct config_discovery *entry, struct informant *service)
{
	static const struct chore_ops ops = {call_look_up, pausing, resuming, ended};

	must(pthread_mutex_init(&service->mutex, NULL) == 0);
	service->rate = entry->rate;
	service->concurrency = entry->concurrency;
	service->timeout_ms = entry->timeout_ms;
	service->question_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (chore_init(&service->chore, &ops, service) < 0 || service->question_fd < 0)
		return E_IO;
	service->key = informant_key(entry);
	service->plugin = strdup(entry->plugin);
	service->shared.slots = calloc(entry->concurrency, sizeof(*service->shared.slots));
	service->shared.queue = calloc(entry->concurrency, sizeof(*service->shared.queue));
	if (!service->key || !service->plugin || !service->shared.slots || !service->shared.queue)
		return E_NOMEM;
	return copy_carriers(service, entry);
}

// "verizon-eds 5gedge.verizon.com for verizon, visible".
static void write_label(struct informant *service)
{
	size_t len;

	instance_label(&service->base, service->label);
	len = strlen(service->label);
	for (size_t i = 0; i < service->carrier_count && len < sizeof(service->label); i++)
		len += (size_t)snprintf(service->label + len, sizeof(service->label) - len, "%s%s", i == 0 ? " for " : ", ",
		                        service->carriers[i]);
}

int informant_open(const struct config *config, const struct config_discovery *entry, struct report *report,
                 struct informant **ret_service)
{
	static const struct edgesteer_host job = {
		.stop_fd = lent_stop_fd, .question_fd = lent_question_fd, .take = lent_take, .answer = lent_answer,
		.pace = lent_pace,
	};
	const struct plugin_entry at = {PLUGIN_DISCOVERY, entry->plugin, entry->options, entry->mark};
	struct informant *service = calloc(1, sizeof(*service));
	const struct value *sites;
	int err = service ? make(entry, service) : E_NOMEM;

	if (err == E_OK)
		err = instance_open(&service->base, &job, config->server.plugin_dir, &at, report);
	if (err == E_OK) {
		service->base.say = say;
		service->is_open = true;
	}
	for (size_t row = 0; err == E_OK && (sites = instance_next_sites(&service->base, &row));)
		site_names_check(config, sites, report);
	if (err == E_OK && entry->register_count > 0)
		err = registrar_open(config, entry, report, &service->registrar);
	if (err < 0) {
		informant_free(service);
		return err;
	}
	write_label(service);
	*ret_service = service;
	return E_OK;
}

struct informant *informant_free(struct informant *service)
{
	if (!service)
		return NULL;
	if (service->is_open)
		instance_close(&service->base, NULL);
	registrar_free(service->registrar);
	chore_wipe(&service->chore);
	if (service->question_fd >= 0)
		close(service->question_fd);
	pthread_mutex_destroy(&service->mutex);
	for (size_t i = 0; i < service->carrier_count; i++)
		free(service->carriers[i]);
	free(service->carriers);
	free(service->shared.slots);
	free(service->shared.queue);
	free(service->key);
	free(service->plugin);
	free(service);
	return NULL;
}
