// Which addresses are probed for which target, and what their results say of it; see health.h.
#include "health/health.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "config/config.h"
#include "health/health_log.h"
#include "health/probe.h"
#include "health/probing.h"
#include "health/score.h"
#include "health/watchlist.h"

enum {
	STARTS_PER_MS = 10,          // the first round is spread so that no more start at once
	CHANGES_PER_TURN = 500,      // watches started or stopped in one turn of the loop after a reload
};

struct health {
	struct health_ops ops;
	struct probing *probing;
	struct watchlist *list;         // in use; NULL before the first
	size_t fresh_started;           // of list->fresh
	size_t gone_stopped;            // of list->gone
	size_t unsettled;               // endpoints not settled yet
	struct event all_settled;       // calls ops.settled when there was nothing to wait for
	struct event changing;          // starts and stops watches after a reload, CHANGES_PER_TURN in each turn
};

// ---- results

// The target's number in the list in use; WATCHLIST_NONE: it is no longer in it.
static uint32_t number_of(const struct health *health, const struct watch *watch)
{
	must(watch->slot < health->list->slot_count);
	return health->list->numbers[watch->slot];
}

static struct health_address address_of(const struct endpoint *endpoint)
{
	return (struct health_address){endpoint->probe.addr, &endpoint->shown, watch_endpoint_hash(endpoint)};
}

// A target with one address has one line for both.
static void log_change(const struct endpoint *endpoint, bool was_up, bool expected)
{
	enum log_level level = expected ? LOG_LEVEL_DEBUG : LOG_LEVEL_NOTICE;
	const struct watch *watch = endpoint->watch;
	const char *state = endpoint->shown.up ? "up" : "down";
	size_t count = watch_count(watch), up_count = watch_up_count(watch);
	char name[WATCH_NAME_LEN];

	watch_name(endpoint, name);
	if (count == 1) {
		log_line(level, "health: %s is %s: %s", name, state, endpoint->shown.text);
		return;
	}
	log_line(level, "health: %s is %s: %s; %zu of %zu addresses are up", name, state, endpoint->shown.text, up_count,
	         count);
	if (was_up != (up_count > 0))
		log_line(level, "health: %s at %s is %s", watch->names, watch->site,
		         was_up ? "down: none of its addresses is up" : "up");
}

static void on_judged(void *ctx, struct endpoint *endpoint, bool expected)
{
	const struct health *health = ctx;
	const struct watch *watch = endpoint->watch;
	uint8_t *marks = &health->list->marks[watch->slot];
	bool was_up = *marks & WATCH_UP;
	struct health_address address;

	if (number_of(health, watch) == WATCHLIST_NONE)
		return;
	*marks = watch_marks(watch);
	endpoint->shown.since_s = clock_wall_s();
	log_change(endpoint, was_up, expected);
	address = address_of(endpoint);
	health->ops.changed(health->ops.ctx, number_of(health, watch), &address);
}

static void on_settled(void *ctx, const struct endpoint *endpoint)
{
	struct health *health = ctx;

	if (number_of(health, endpoint->watch) == WATCHLIST_NONE)
		return;
	must(health->unsettled > 0);
	if (--health->unsettled > 0)
		return;
	probing_all_known(health->probing, true);
	health->ops.settled(health->ops.ctx);
}

static void on_all_settled(evutil_socket_t fd, short what, void *ctx)
{
	const struct health *health = ctx;

	(void)fd;
	(void)what;
	health->ops.settled(health->ops.ctx);
}

// The number has changed from outside of the loop. `is_told`: ops.settled is due where there is nothing to wait for.
static void set_unsettled(struct health *health, size_t unsettled, bool is_told)
{
	health->unsettled = unsettled;
	probing_all_known(health->probing, unsettled == 0);
	if (unsettled > 0)
		event_del(&health->all_settled);
	else if (is_told)
		event_active(&health->all_settled, EV_TIMEOUT, 0);
}

// ---- configuration

static void stop(struct watch *watch)
{
	for (struct endpoint *endpoint = watch->endpoints; endpoint; endpoint = endpoint->next)
		probing_stop(endpoint);
}

// The saved state from before a restart counts as a first result.
static void restore(const struct health *health, struct endpoint *endpoint)
{
	const struct config_check *check = &endpoint->probe.check->conf;
	const struct watch *watch = endpoint->watch;
	int64_t since_s = 0;
	int saved = -1;

	if (health->ops.saved)
		saved = health->ops.saved(health->ops.ctx, watch->names, watch->site, watch_endpoint_hash(endpoint), &since_s);
	if (saved < 0)
		return;
	endpoint->score = score_sure(saved > 0, check->rise, check->fall);
	endpoint->shown.up = saved > 0;
	endpoint->shown.since_s = since_s;
	endpoint->decided = endpoint->settled = true;
}

static void report_listed(const struct health *health, const struct watch *watch)
{
	uint32_t endpoints[CONFIG_ADDRESSES_MAX];
	size_t count = 0;

	for (const struct endpoint *endpoint = watch->endpoints; endpoint; endpoint = endpoint->next) {
		must(count < ARRAY_LEN(endpoints));
		endpoints[count++] = watch_endpoint_hash(endpoint);
	}
	if (health->ops.listed)
		health->ops.listed(health->ops.ctx, watch->names, watch->site, endpoints, count);
}

// Schedules the first probes of a fresh watch.
static void start_watch(struct health *health, struct watch *watch)
{
	if (!watch->check)
		return;
	for (struct endpoint *endpoint = watch->endpoints; endpoint; endpoint = endpoint->next)
		probing_start(health->probing, endpoint, health->list->fresh_count / STARTS_PER_MS);
	if (!watch->is_dynamic)
		report_listed(health, watch);
}

// Stops up to `count` of the watches that are not in the list.
static void stop_gone(struct health *health, size_t count)
{
	const struct watchlist *list = health->list;

	for (; health->gone_stopped < list->gone_count && count > 0; count--) {
		stop(list->gone[health->gone_stopped]);
		watch_free(list->gone[health->gone_stopped++]);
	}
}

// Starts and stops up to `count` watches. True when none are left to start or stop.
static bool change(struct health *health, size_t count)
{
	const struct watchlist *list = health->list;

	for (; health->fresh_started < list->fresh_count && count > 0; count--)
		start_watch(health, list->fresh[health->fresh_started++].watch);
	stop_gone(health, count);
	return health->fresh_started == list->fresh_count && health->gone_stopped == list->gone_count;
}

static void on_changing(evutil_socket_t fd, short what, void *ctx)
{
	static const struct timeval now = {0};
	struct health *health = ctx;

	(void)fd;
	(void)what;
	if (!change(health, CHANGES_PER_TURN) && evtimer_add(&health->changing, &now) < 0)
		event_active(&health->changing, EV_TIMEOUT, 0);
	probing_wake(health->probing); // stopped probes have made room
}

static void warn_of_limits(const struct watchlist *list, unsigned limit)
{
	double at_worst = 0;

	for (enum check_type type = 0; type < CHECK_TYPE_COUNT; type++) {
		at_worst += list->at_worst[type];
		if (probing_at_once(type))
			health_log_limit_of(check_type_rows[type].name, list->at_worst[type], probing_at_once(type));
	}
	health_log_limit(at_worst, limit);
}

// Addresses that come at run time are not in the new watch: it goes on with what the old one has.
static void inherit_watch(const struct watch_fresh *fresh)
{
	struct watch *watch = fresh->watch, *before = fresh->before;

	if (!watch->is_dynamic) {
		watch_inherit(watch, before);
	} else if (watch->is_whole == before->is_whole) {
		for (struct endpoint *endpoint = before->endpoints; endpoint; endpoint = endpoint->next)
			if (!checks_same(endpoint->probe.check, watch->check))
				probing_stop(endpoint);
		watch_take(watch, before);
	}
}

// Carries over what is known from the previous list. Costs time for each difference, and the copy of one byte per
// target. Returns how many endpoints are not settled.
static size_t inherit(struct health *health, const struct watchlist *old)
{
	struct watchlist *list = health->list;
	size_t unsettled = health->unsettled;

	must(!old || old->slot_count <= list->slot_count);
	if (old)
		memcpy(list->marks, old->marks, old->slot_count);
	for (size_t i = 0; unsettled > 0 && i < list->gone_count; i++)
		unsettled -= watch_unsettled(list->gone[i]);
	unsettled += list->fresh_unsettled;
	for (size_t i = 0; i < list->fresh_count; i++) {
		const struct watch_fresh *fresh = &list->fresh[i];
		struct watch *watch = fresh->watch;

		list->marks[fresh->slot] = fresh->marks;
		if (old && !fresh->inherits)
			continue;
		unsettled -= watch_unsettled(watch);
		if (fresh->inherits)
			inherit_watch(fresh);
		for (struct endpoint *endpoint = watch->endpoints; !old && endpoint; endpoint = endpoint->next)
			restore(health, endpoint);
		list->marks[fresh->slot] = watch_marks(watch);
		unsettled += watch_unsettled(watch);
	}
	return unsettled;
}

void health_configure(struct health *health, struct watchlist *list, unsigned limit)
{
	struct watchlist *old = health->list;
	size_t unsettled;

	must(list->previous == old);
	if (old)
		(void)change(health, SIZE_MAX); // the rest from the previous reload
	health->list = list;
	health->fresh_started = health->gone_stopped = 0;
	unsettled = inherit(health, old);
	watchlist_adopt(list);
	watchlist_free(old);
	// The daemon's start waits for the first round; a reload must not block the loop.
	if (old)
		event_active(&health->changing, EV_TIMEOUT, 0);
	else
		(void)change(health, SIZE_MAX);
	warn_of_limits(list, limit);
	probing_configure(health->probing, limit);
	set_unsettled(health, unsettled, true);
}

// ---- addresses that come at run time

static void free_chain(struct endpoint *endpoint)
{
	struct endpoint *next;

	for (; endpoint; endpoint = next) {
		next = endpoint->next;
		probing_stop(endpoint);
		watch_endpoint_free(endpoint);
	}
}

// The watch's endpoints become those of `addresses`, in this order: new ones, made beforehand, from *fresh. The others
// are left in a list of their own, which it returns.
static struct endpoint *relink(struct watch *watch, const struct addr *addresses, size_t count, struct endpoint *fresh)
{
	struct endpoint *chain = NULL, **end = &chain, *left;

	for (size_t i = 0; i < count; i++) {
		struct endpoint **from = watch_find(watch, &addresses[i]);

		if (!from)
			from = &fresh;
		must(*from); // each address is given once
		*end = *from;
		*from = (*from)->next;
		end = &(*end)->next;
	}
	must(!fresh);
	*end = NULL;
	left = watch->endpoints;
	watch->endpoints = chain;
	return left;
}

// New endpoints for the addresses that the watch does not have, with the target's state, or what is saved.
static int make_fresh(const struct health *health, struct watch *watch, const struct addr *addresses, size_t count,
                      struct endpoint **ret_fresh)
{
	const struct health_target target = *watch_shown(watch);
	struct endpoint *fresh = NULL, **end = &fresh;

	for (size_t i = 0; i < count; i++) {
		if (watch_find(watch, &addresses[i]))
			continue;
		*end = watch_endpoint_new(watch, &addresses[i]);
		if (!*end) {
			free_chain(fresh);
			return E_NOMEM;
		}
		if (watch->endpoints)
			watch_endpoint_inherit(*end, NULL, &target);
		else
			restore(health, *end);
		end = &(*end)->next;
	}
	*ret_fresh = fresh;
	return E_OK;
}

int health_set_addresses(struct health *health, size_t target, const struct addr *addresses, size_t count)
{
	struct watch *watch;
	struct endpoint *fresh, *left;
	size_t unsettled = health->unsettled;
	int err;

	must(target < health_count(health) && count <= CONFIG_ADDRESSES_MAX);
	watch = health->list->watches[target];
	must(watch->is_dynamic);
	if (!watch->check)
		return E_OK;
	err = make_fresh(health, watch, addresses, count, &fresh);
	if (err < 0)
		return err;
	unsettled -= watch_unsettled(watch);
	left = relink(watch, addresses, count, fresh);
	unsettled += watch_unsettled(watch);
	free_chain(left);
	for (struct endpoint *endpoint = watch->endpoints; endpoint; endpoint = endpoint->next)
		probing_start(health->probing, endpoint, 0);
	health->list->marks[watch->slot] = watch_marks(watch);
	set_unsettled(health, unsettled, health->unsettled > 0);
	report_listed(health, watch);
	return E_OK;
}

// ---- begin and end

struct health *health_new(struct event_base *base, const struct health_ops *ops)
{
	struct health *health = calloc(1, sizeof(*health));
	const struct probing_ops probing_ops = {on_judged, on_settled, health};

	if (!health)
		return NULL;
	health->ops = *ops;
	evtimer_assign(&health->all_settled, base, on_all_settled, health);
	probe_event_assign(&health->changing, base, -1, 0, on_changing, health);
	health->probing = probing_new(base, &probing_ops);
	return health->probing ? health : health_free(health);
}

struct health *health_free(struct health *health)
{
	if (!health)
		return NULL;
	if (health->list) {
		stop_gone(health, SIZE_MAX);
		for (uint32_t i = 0; i < health->list->count; i++) {
			stop(health->list->watches[i]);
			watch_free(health->list->watches[i]);
		}
		watchlist_free(health->list);
	}
	event_del(&health->changing);
	event_del(&health->all_settled);
	probing_free(health->probing);
	free(health);
	return NULL;
}

// ---- queries

const struct watchlist *health_list(const struct health *health)
{
	return health->list;
}

size_t health_count(const struct health *health)
{
	return health->list ? health->list->count : 0;
}

size_t health_unchecked(const struct health *health)
{
	return health->list ? health->list->unchecked : 0;
}

static uint8_t marks_of(const struct health *health, size_t target)
{
	must(target < health_count(health));
	return health->list->marks[health->list->slots[target]];
}

static const struct watch *watch_of(const struct health *health, size_t target)
{
	must(target < health_count(health));
	return health->list->watches[target];
}

bool health_up(const struct health *health, size_t target)
{
	return marks_of(health, target) & WATCH_UP;
}

bool health_checked(const struct health *health, size_t target)
{
	return marks_of(health, target) & WATCH_CHECKED;
}

bool health_partial(const struct health *health, size_t target)
{
	return marks_of(health, target) & WATCH_PARTIAL;
}

bool health_dynamic(const struct health *health, size_t target)
{
	return marks_of(health, target) & WATCH_DYNAMIC;
}

bool health_whole(const struct health *health, size_t target)
{
	const struct watch *watch = watch_of(health, target);

	return watch->is_whole || !watch->check;
}

bool health_known(const struct health *health, size_t target)
{
	const struct watch *watch = watch_of(health, target);

	for (const struct endpoint *endpoint = watch->endpoints; endpoint; endpoint = endpoint->next)
		if (endpoint->decided)
			return true;
	return !watch->check;
}

const struct health_target *health_target(const struct health *health, size_t target)
{
	return watch_shown(watch_of(health, target));
}

size_t health_addresses(const struct health *health, size_t target, struct health_address *list)
{
	size_t count = 0;

	for (const struct endpoint *endpoint = watch_of(health, target)->endpoints; endpoint; endpoint = endpoint->next) {
		must(count < CONFIG_ADDRESSES_MAX);
		list[count++] = address_of(endpoint);
	}
	return count;
}

bool health_settled(const struct health *health)
{
	return health->list && health->unsettled == 0;
}

void health_stats(const struct health *health, struct health_stats *ret_stats)
{
	probing_stats(health->probing, ret_stats);
}
