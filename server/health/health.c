// Schedules the probes and turns their results into health; see health.h. The cycle of one target:
//
//   due -> queue -> (fewer than `probes` under way) probe -> verdict, or the deadline -> score -> next start
#include "health/health.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/must.h"
#include "config/config.h"
#include "health/due.h"
#include "health/health_log.h"
#include "health/probe.h"
#include "health/score.h"
#include "health/watchlist.h"

enum {
	STARTS_PER_MS = 10,          // the first round is spread so that no more start at once
	STARTS_PER_TURN = 8,         // per turn of the loop: probes under way must progress, or all would time out together
	STALL_MS = 25,               // a timer later than this: the process was stopped, or busy
	CHANGES_PER_TURN = 500,      // watches started or stopped in one turn of the loop after a reload
};

#define ENGINE(id, name, port, keys, engine, help) [CHECK_##id] = &engine,

static const struct probe_type *const types[] = {CHECK_TYPES(ENGINE)};

_Static_assert(ARRAY_LEN(types) == CHECK_TYPE_COUNT, "an engine for each type of check");

struct health {
	struct event_base *base;
	struct health_ops ops;
	void *engines[ARRAY_LEN(types)];
	struct watchlist *list;         // in use; NULL before the first
	size_t fresh_started;           // of list->fresh
	size_t gone_stopped;            // of list->gone
	struct due due;
	unsigned limit;                 // of probes under way
	size_t unsettled;               // watches not settled yet
	struct event all_settled;       // calls ops.settled when there was nothing to wait for
	struct event wake;              // starts probes that are due
	struct event changing;          // starts and stops watches after a reload, CHANGES_PER_TURN in each turn
	uint32_t phase;                 // see spread_ms()
	struct health_log log;
	struct health_stats stats;      // but `waiting`
};

// The next of a sequence of offsets that are spread evenly over `range_ms`, however many are taken: multiples of the
// golden ratio, modulo one.
static int64_t spread_ms(struct health *health, uint64_t range_ms)
{
	health->phase += 0x9e3779b9u;
	return (int64_t)((health->phase * range_ms) >> 32);
}

static const struct config_check *check_of(const struct watch *watch)
{
	must(watch->probe.check);
	return &watch->probe.check->conf;
}

static const struct probe_type *type_of(const struct watch *watch)
{
	must((size_t)check_of(watch)->type < ARRAY_LEN(types));
	return types[check_of(watch)->type];
}

static void arm(struct watch *watch, int64_t at_ms)
{
	int64_t delay_ms = at_ms - clock_mono_ms();
	struct timeval delay = {0};

	watch->alarm_ms = at_ms;
	if (delay_ms > 0)
		delay = (struct timeval){delay_ms / 1000, delay_ms % 1000 * 1000};
	if (evtimer_add(&watch->timer, &delay) < 0)
		event_active(&watch->timer, EV_TIMEOUT, 0); // out of memory: on_timer() tries again
}

// ---- results

// The target's number in the list in use; WATCHLIST_NONE: it is no longer in it.
static uint32_t number_of(const struct watch *watch)
{
	must(watch->slot < watch->health->list->slot_count);
	return watch->health->list->numbers[watch->slot];
}

// The last checks have failed, but the target is not down for it, or not known to be down.
static bool is_failing(const struct watch *watch)
{
	return watch->shown.streak && (watch->shown.up || !watch->decided);
}

static void report_change(struct watch *watch, bool expected)
{
	struct health *health = watch->health;

	if (number_of(watch) == WATCHLIST_NONE)
		return;
	health->list->up[watch->slot] = watch->shown.up;
	watch->shown.since_s = clock_wall_s();
	log_line(expected ? LOG_LEVEL_DEBUG : LOG_LEVEL_NOTICE, "health: %s at %s is %s: %s", watch->probe.app, watch->site,
	         watch->shown.up ? "up" : "down", watch->shown.text);
	health->ops.changed(health->ops.ctx, number_of(watch));
}

// Applies a result to the score. The first success decides, or `fall` failures before any.
static void apply_result(struct watch *watch, bool success)
{
	const struct config_check *check = check_of(watch);
	struct health_target *shown = &watch->shown;
	bool first = !watch->decided, was_up = shown->up, was_failing = is_failing(watch);
	unsigned streak = shown->streak;

	shown->probes++;
	shown->failures += !success;
	if (first && !success && streak + 1 < check->fall) {
		shown->streak++;
	} else {
		watch->score = first ? score_sure(success, check->rise, check->fall)
		                     : score_next(watch->score, success, check->rise, check->fall);
		must(watch->score < check->rise + check->fall);
		watch->decided = true;
		shown->up = score_up(watch->score, check->rise);
		shown->streak = score_streak(watch->score, check->rise, check->fall);
	}
	watch->health->stats.failing += is_failing(watch);
	watch->health->stats.failing -= was_failing;
	if (watch->decided && (first || shown->up != was_up))
		report_change(watch, shown->up && streak == 0);
	else if (is_failing(watch) && !was_failing)
		health_log_failing(&watch->health->log, watch);
	if (was_failing && shown->up && success)
		health_log_recovered(&watch->health->log, watch, streak);
}

static void settle(struct watch *watch)
{
	struct health *health = watch->health;

	if (watch->settled)
		return;
	watch->settled = true;
	if (number_of(watch) == WATCHLIST_NONE)
		return;
	must(health->unsettled > 0);
	if (--health->unsettled == 0)
		health->ops.settled(health->ops.ctx);
}

// A probe that starts an interval late has missed a turn: failures are detected later than the check promises. First
// probes do not count: they are expected to queue.
static void count_late(struct watch *watch)
{
	struct health *health = watch->health;
	int64_t late_ms = watch->began_ns / 1000000 - watch->start_ms;

	if (!watch->started || late_ms < check_of(watch)->interval_ms)
		return;
	health->stats.late++;
	health_log_late(&health->log, watch, late_ms, health->due.count, health->stats.under_way + 1 >= health->limit);
}

// The state is not known yet, or the last result contradicts it.
static bool in_doubt(const struct watch *watch)
{
	return !watch->decided || watch->shown.streak;
}

// Sets the next start: one interval after this one, or for the first time somewhere within an interval. Starts that the
// probe has overrun are skipped. In doubt, so are those less than half an interval after a probe that started late:
// otherwise one short disturbance could account for all the failures that `fall` requires.
static void schedule(struct watch *watch)
{
	int64_t interval_ms = check_of(watch)->interval_ms, earliest_ms = clock_mono_ms() - interval_ms + 1;
	int64_t passed_ms = watch->began_ns / 1000000 + interval_ms / 2;

	watch->start_ms += watch->started ? interval_ms : spread_ms(watch->health, (uint64_t)interval_ms);
	watch->started = true;
	if (in_doubt(watch) && passed_ms > earliest_ms)
		earliest_ms = passed_ms;
	if (watch->start_ms < earliest_ms)
		watch->start_ms += (earliest_ms - watch->start_ms + interval_ms - 1) / interval_ms * interval_ms;
	arm(watch, watch->start_ms);
}

static void conclude(struct watch *watch, const struct verdict *verdict)
{
	struct health *health = watch->health;

	must(health->stats.under_way > 0 && !watch->due && !watch->probe.run);
	watch->shown.took_us = (uint32_t)((clock_mono_ns() - watch->began_ns) / 1000);
	watch->shown.last_probe_s = clock_wall_s();
	watch->shown.layer = verdict->layer;
	memcpy(watch->shown.text, verdict->text, sizeof(watch->shown.text));
	health->stats.under_way--;
	health->stats.probes++;
	health->stats.failures += verdict->layer != HEALTH_OK;
	if (verdict->layer == HEALTH_LOCAL)
		health_log_local(&health->log, watch);
	else
		apply_result(watch, verdict->layer == HEALTH_OK);
	if (!watch->decided && verdict->layer != HEALTH_LOCAL) {
		watch->start_ms = clock_mono_ms(); // again at once: somebody waits for the state
		arm(watch, watch->start_ms);
		return;
	}
	schedule(watch);
	settle(watch);
}

// ---- starts and deadlines

static void start_probe(struct watch *watch)
{
	struct health *health = watch->health;

	watch->began_ns = clock_mono_ns();
	watch->extended = false;
	must(!watch->probe.run && health->stats.under_way < health->limit);
	count_late(watch);
	health->stats.under_way++;
	if (type_of(watch)->start(health->engines[check_of(watch)->type], &watch->probe) == E_OK) {
		arm(watch, (watch->began_ns + 999999) / 1000000 + check_of(watch)->timeout_ms);
		return;
	}

	struct verdict verdict;

	probe_verdict(&verdict, HEALTH_LOCAL, "cannot start a probe: %s", strerror(errno));
	conclude(watch, &verdict);
}

// Starts probes that are due in the loop's next turn.
static void wake(struct health *health)
{
	static const struct timeval now = {0};

	if (health->due.count && health->stats.under_way < health->limit && evtimer_add(&health->wake, &now) < 0)
		event_active(&health->wake, EV_TIMEOUT, 0);
}

static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
	struct health *health = ctx;
	struct watch *watch;

	(void)fd;
	(void)what;
	for (int i = 0; i < STARTS_PER_TURN && health->stats.under_way < health->limit; i++) {
		watch = due_take(&health->due, health->unsettled == 0);
		if (!watch)
			return;
		start_probe(watch);
	}
	wake(health);
}

static void probe_done(struct probe *probe, const struct verdict *verdict)
{
	struct watch *watch = (struct watch *)((char *)probe - offsetof(struct watch, probe));

	conclude(watch, verdict);
	wake(watch->health);
}

static void time_out(struct watch *watch)
{
	struct verdict verdict;

	probe_verdict(&verdict, HEALTH_TIMEOUT, "no success within %u ms: %s", check_of(watch)->timeout_ms,
	              type_of(watch)->stage(&watch->probe));
	type_of(watch)->cancel(&watch->probe);
	probe_done(&watch->probe, &verdict);
}

// A deadline that fires more than STALL_MS late: responses may have arrived that we had no time to read, possibly from
// all targets. So it is extended once, by as much as it was late but at most by the timeout.
static bool extend(struct watch *watch, int64_t late_ms)
{
	int64_t timeout_ms = check_of(watch)->timeout_ms;

	if (late_ms <= STALL_MS || watch->extended)
		return false;
	watch->extended = true;
	arm(watch, watch->alarm_ms + late_ms + (late_ms < timeout_ms ? late_ms : timeout_ms));
	return true;
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct watch *watch = ctx;
	int64_t late_ms = clock_mono_ms() - watch->alarm_ms;

	(void)fd;
	(void)what;
	if (late_ms < 0) { // fired early: the loop's clock is coarse
		arm(watch, watch->alarm_ms);
	} else if (!watch->probe.run) {
		due_add(&watch->health->due, watch, in_doubt(watch));
		wake(watch->health);
	} else if (!extend(watch, late_ms)) {
		time_out(watch);
	}
}

// ---- configuration

// Cancels the watch's timer, its place in the queue and its probe, without a result.
static void stop(struct watch *watch)
{
	if (!watch->health)
		return;
	evtimer_del(&watch->timer);
	watch->health->stats.failing -= is_failing(watch);
	due_remove(&watch->health->due, watch);
	if (watch->probe.run) {
		type_of(watch)->cancel(&watch->probe);
		must(!watch->probe.run && watch->health->stats.under_way > 0);
		watch->health->stats.under_way--;
	}
}

// A 31-bit hash of the address and the port that are probed.
static uint32_t endpoint_hash(const struct watch *watch)
{
	uint64_t port = watch->probe.check ? check_of(watch)->port : 0;

	return (uint32_t)(hash_mix(hash_bytes(port, &watch->probe.addr, sizeof(watch->probe.addr))) >> 33);
}

// The saved state from before a restart counts as a first result.
static void restore(struct health *health, struct watch *watch)
{
	const struct config_check *check = check_of(watch);
	int64_t since_s = 0;
	int saved = -1;

	if (health->ops.saved)
		saved = health->ops.saved(health->ops.ctx, watch->probe.app, watch->site, endpoint_hash(watch), &since_s);
	if (saved < 0)
		return;
	watch->score = score_sure(saved > 0, check->rise, check->fall);
	watch->shown.up = saved > 0;
	watch->shown.since_s = since_s;
	watch->decided = watch->settled = true;
}

// Schedules the first probe of a fresh watch.
static void start_watch(struct health *health, struct watch *watch)
{
	if (!watch->probe.check)
		return;
	watch->health = health;
	watch->probe.done = probe_done;
	probe_event_assign(&watch->timer, health->base, -1, 0, on_timer, watch);
	watch->start_ms = clock_mono_ms() + spread_ms(health, health->list->fresh_count / STARTS_PER_MS);
	arm(watch, watch->start_ms);
}

// Starts and stops up to `count` watches. True when none are left to start or stop.
static bool change(struct health *health, size_t count)
{
	struct watchlist *list = health->list;

	for (; health->fresh_started < list->fresh_count && count > 0; count--)
		start_watch(health, list->fresh[health->fresh_started++].watch);
	for (; health->gone_stopped < list->gone_count && count > 0; count--) {
		stop(list->gone[health->gone_stopped]);
		watchlist_free_watch(list->gone[health->gone_stopped++]);
	}
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
	wake(health); // stopped probes have made room
}

// Carries over what is known from the previous list. Costs time for each difference, and the copy of one byte per
// target.
static void inherit(struct health *health, const struct watchlist *old)
{
	struct watchlist *list = health->list;

	must(!old || old->slot_count <= list->slot_count);
	if (old)
		memcpy(list->up, old->up, old->slot_count);
	for (size_t i = 0; health->unsettled > 0 && i < list->gone_count; i++)
		health->unsettled -= !list->gone[i]->settled;
	health->unsettled += list->fresh_unsettled;
	for (size_t i = 0; i < list->fresh_count; i++) {
		struct watch_fresh *fresh = &list->fresh[i];
		struct watch *watch = fresh->watch;

		list->up[fresh->slot] = fresh->up;
		if (old && !fresh->before)
			continue;
		health->unsettled -= !watch->settled;
		watchlist_inherit(fresh);
		if (!old && watch->probe.check)
			restore(health, watch);
		list->up[fresh->slot] = watch->shown.up;
		health->unsettled += !watch->settled;
	}
}

void health_configure(struct health *health, struct watchlist *list, unsigned limit)
{
	struct watchlist *old = health->list;

	must(list->previous == old && limit > 0);
	if (old)
		(void)change(health, SIZE_MAX); // the rest from the previous reload
	health->list = list;
	health->limit = limit;
	health->fresh_started = health->gone_stopped = 0;
	inherit(health, old);
	watchlist_adopt(list);
	watchlist_free(old);
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i]->refresh)
			types[i]->refresh(health->engines[i]);
	// The daemon's start waits for the first round; a reload must not block the loop.
	if (old)
		event_active(&health->changing, EV_TIMEOUT, 0);
	else
		(void)change(health, SIZE_MAX);
	health_log_limit(list->probes_at_worst, limit);
	wake(health); // the limit may have been raised
	event_del(&health->all_settled);
	if (health->unsettled == 0)
		event_active(&health->all_settled, EV_TIMEOUT, 0);
}

static void on_all_settled(evutil_socket_t fd, short what, void *ctx)
{
	struct health *health = ctx;

	(void)fd;
	(void)what;
	health->ops.settled(health->ops.ctx);
}

struct health *health_new(struct event_base *base, const struct health_ops *ops)
{
	struct health *health = calloc(1, sizeof(*health));

	if (!health)
		return NULL;
	health->base = base;
	health->ops = *ops;
	health->phase = (uint32_t)hash_mix((uint64_t)clock_mono_ns());
	due_init(&health->due);
	probe_event_assign(&health->wake, base, -1, 0, on_wake, health);
	evtimer_assign(&health->all_settled, base, on_all_settled, health);
	probe_event_assign(&health->changing, base, -1, 0, on_changing, health);
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (!(health->engines[i] = types[i]->open(base)))
			return health_free(health);
	return health;
}

struct health *health_free(struct health *health)
{
	if (!health)
		return NULL;
	if (health->list) {
		(void)change(health, SIZE_MAX);
		for (uint32_t i = 0; i < health->list->count; i++) {
			stop(health->list->watches[i]);
			watchlist_free_watch(health->list->watches[i]);
		}
		watchlist_free(health->list);
	}
	event_del(&health->changing);
	event_del(&health->wake);
	event_del(&health->all_settled);
	must(health->stats.under_way == 0 && health->due.count == 0);
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (health->engines[i])
			types[i]->close(health->engines[i]);
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

uint32_t health_endpoint(const struct health *health, size_t target)
{
	must(target < health_count(health));
	return endpoint_hash(health->list->watches[target]);
}

bool health_up(const struct health *health, size_t target)
{
	must(target < health_count(health));
	return health->list->up[health->list->slots[target]];
}

bool health_known(const struct health *health, size_t target)
{
	must(target < health_count(health));
	return health->list->watches[target]->decided || !health->list->watches[target]->probe.check;
}

const struct health_target *health_target(const struct health *health, size_t target)
{
	must(target < health_count(health));
	return &health->list->watches[target]->shown;
}

bool health_settled(const struct health *health)
{
	return health->list && health->unsettled == 0;
}

void health_stats(const struct health *health, struct health_stats *ret_stats)
{
	*ret_stats = health->stats;
	ret_stats->waiting = health->due.count;
}
