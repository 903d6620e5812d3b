// When which target is probed, and what the results come to; see health.h. The order of things for one target:
//
//   its time comes -> line -> (fewer than `probes` under way) probe -> verdict, or the deadline -> score -> its next time
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
#include "health/probe.h"
#include "health/score.h"
#include "health/watchlist.h"

enum {
	STARTS_PER_MS = 10,          // the first round is spread so that no more begin at once
	STARTS_PER_TURN = 8,         // of the loop: what is under way goes first, or all of it would time out together
	STALL_MS = 25,               // an event later than this: the process stood still, or was busy
	LOG_EVERY_MS = 60000,        // of what comes in crowds
	CHANGES_PER_TURN = 500,      // watches begun or ended in one turn of the loop after a reload
};

#define ENGINE(id, name, port, keys, engine, help) [CHECK_##id] = &engine,

static const struct probe_type *const types[] = {CHECK_TYPES(ENGINE)};

_Static_assert(ARRAY_LEN(types) == CHECK_TYPE_COUNT, "an engine for each type of check");

TAILQ_HEAD(line, watch);

struct health {
	struct event_base *base;
	struct health_ops ops;
	void *engines[ARRAY_LEN(types)];
	struct watchlist *list;         // in use; NULL before the first
	size_t begun;                   // of list->fresh
	size_t ended;                   // of list->gone
	struct line doubtful, sure;     // see next_in_line()
	bool sure_next;
	unsigned limit;                 // of probes under way
	size_t unsettled;               // watches not settled yet
	struct event all_settled;       // calls ops.settled when there was nothing to wait for
	struct event wake;              // begins what waits
	struct event changing;          // begins and ends watches after a reload, some in each turn
	uint32_t phase;                 // see spread_ms()
	int64_t local_logged_ms, late_logged_ms;
	struct health_stats stats;
};

// The next of a sequence of moments that lie evenly in `range_ms`, however many of them are taken: multiples of the
// golden ratio, modulo one.
static int64_t spread_ms(struct health *health, uint64_t range_ms)
{
	health->phase += 0x9e3779b9u;
	return (int64_t)((health->phase * range_ms) >> 32);
}

static const struct config_check *check_of(const struct watch *watch)
{
	return &watch->probe.check->conf;
}

static const struct probe_type *type_of(const struct watch *watch)
{
	return types[check_of(watch)->type];
}

static void arm(struct watch *watch, int64_t at_ms)
{
	int64_t delay_ms = at_ms - clock_mono_ms();
	struct timeval delay = {0};

	watch->alarm_ms = at_ms;
	if (delay_ms > 0)
		delay = (struct timeval){delay_ms / 1000, delay_ms % 1000 * 1000};
	evtimer_add(&watch->timer, &delay);
}

// ---- results

// The target's number in the list in use; WATCHLIST_NONE: it is gone from it.
static uint32_t number_of(const struct watch *watch)
{
	return watch->health->list->numbers[watch->slot];
}

// A result that counts.
static void judge(struct watch *watch, bool success)
{
	const struct config_check *check = check_of(watch);
	struct health_target *shown = &watch->shown;
	bool first = !watch->decided, was_up = shown->up;

	watch->score = first ? score_sure(success, check->rise, check->fall)
	                     : score_next(watch->score, success, check->rise, check->fall);
	watch->decided = true;
	shown->up = score_up(watch->score, check->rise);
	shown->streak = score_streak(watch->score, check->rise, check->fall);
	if ((!first && shown->up == was_up) || number_of(watch) == WATCHLIST_NONE)
		return;
	watch->health->list->up[watch->slot] = shown->up;
	shown->since_s = clock_wall_s();
	log_line(first && shown->up ? LOG_LEVEL_DEBUG : LOG_LEVEL_NOTICE, "health: %s at %s is %s: %s", watch->probe.app,
	         watch->site, shown->up ? "up" : "down", shown->text);
	watch->health->ops.changed(watch->health->ops.ctx, number_of(watch));
}

// This machine's own trouble comes in crowds: a line a minute says it.
static bool may_log(int64_t *logged_ms)
{
	int64_t now_ms = clock_mono_ms();

	if (*logged_ms && now_ms - *logged_ms < LOG_EVERY_MS)
		return false;
	*logged_ms = now_ms;
	return true;
}

static void log_local(struct watch *watch)
{
	if (may_log(&watch->health->local_logged_ms))
		log_error("health: cannot probe %s at %s, and perhaps others: %s", watch->probe.app, watch->site,
		          watch->shown.text);
}

// A probe that begins an interval late has missed a turn: what is wrong is seen later than the check says. First probes
// do not count, they are meant to come in a crowd.
static void tell_late(struct watch *watch)
{
	struct health *health = watch->health;
	int64_t late_ms = watch->began_ns / 1000000 - watch->start_ms;

	if (!watch->started || late_ms < check_of(watch)->interval_ms)
		return;
	health->stats.late++;
	if (!may_log(&health->late_logged_ms))
		return;
	log_warning("health: probes come late: %s at %s is probed %.1f s after its time and %" PRIu64 " more wait, because %s",
	            watch->probe.app, watch->site, (double)late_ms / 1000, health->stats.waiting,
	            health->stats.under_way + 1 >= health->limit ? "`probes` allows no more at once"
	                                                         : "the main thread has no time for more");
}

static void settle(struct watch *watch)
{
	struct health *health = watch->health;

	if (watch->settled)
		return;
	watch->settled = true;
	if (number_of(watch) != WATCHLIST_NONE && --health->unsettled == 0)
		health->ops.settled(health->ops.ctx);
}

// Not known yet, or the last result speaks against it.
static bool in_doubt(const struct watch *watch)
{
	return !watch->decided || watch->shown.streak;
}

// Sets the next start: an interval after this one's, somewhere in the interval after the first one's. Starts that the
// probe has overrun are left out; in doubt those as well that would come less than half an interval after a probe that
// began late, or one short trouble would be all of the failures that `fall` asks for.
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

	watch->shown.took_us = (uint32_t)((clock_mono_ns() - watch->began_ns) / 1000);
	watch->shown.last_probe_s = clock_wall_s();
	watch->shown.layer = verdict->layer;
	memcpy(watch->shown.text, verdict->text, sizeof(watch->shown.text));
	health->stats.under_way--;
	health->stats.probes++;
	health->stats.failures += verdict->layer != HEALTH_OK;
	if (verdict->layer == HEALTH_LOCAL)
		log_local(watch);
	else
		judge(watch, verdict->layer == HEALTH_OK);
	schedule(watch);
	settle(watch);
}

// ---- starts and deadlines

static void begin(struct watch *watch)
{
	struct health *health = watch->health;

	watch->began_ns = clock_mono_ns();
	watch->extended = false;
	tell_late(watch);
	health->stats.under_way++;
	if (type_of(watch)->start(health->engines[check_of(watch)->type], &watch->probe) == E_OK) {
		arm(watch, (watch->began_ns + 999999) / 1000000 + check_of(watch)->timeout_ms);
		return;
	}

	struct verdict verdict;

	probe_verdict(&verdict, HEALTH_LOCAL, "cannot begin a probe: %s", strerror(errno));
	conclude(watch, &verdict);
}

static void stand_in_line(struct watch *watch)
{
	struct health *health = watch->health;

	watch->line = in_doubt(watch) ? &health->doubtful : &health->sure;
	TAILQ_INSERT_TAIL(watch->line, watch, in_line);
	health->stats.waiting++;
}

static void leave_line(struct watch *watch)
{
	if (!watch->line)
		return;
	TAILQ_REMOVE(watch->line, watch, in_line);
	watch->line = NULL;
	watch->health->stats.waiting--;
}

// Where probes come late, a state in doubt is what matters: it is made sure of at the check's own pace. Once all are
// known every other place is for the rest, or a crowd of targets that come and go would keep them from being probed.
static struct watch *next_in_line(struct health *health)
{
	struct watch *doubtful = TAILQ_FIRST(&health->doubtful), *sure = TAILQ_FIRST(&health->sure);

	health->sure_next = !health->sure_next && health->unsettled == 0;
	return sure && (health->sure_next || !doubtful) ? sure : doubtful;
}

// Lets those that wait begin in the loop's next turn.
static void wake(struct health *health)
{
	static const struct timeval now = {0};

	if (health->stats.waiting && health->stats.under_way < health->limit)
		evtimer_add(&health->wake, &now);
}

static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
	struct health *health = ctx;
	struct watch *watch;

	(void)fd;
	(void)what;
	for (int i = 0; i < STARTS_PER_TURN && health->stats.under_way < health->limit; i++) {
		watch = next_in_line(health);
		if (!watch)
			return;
		leave_line(watch);
		begin(watch);
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

// A deadline that comes late by more than STALL_MS: answers may be waiting that nobody has had the time to read, and of
// all targets at once. So it is put off once by as much as it was late.
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
	if (late_ms < 0) { // the loop's clock is coarse
		arm(watch, watch->alarm_ms);
	} else if (!watch->probe.run) {
		stand_in_line(watch);
		wake(watch->health);
	} else if (!extend(watch, late_ms)) {
		time_out(watch);
	}
}

// ---- configuration

// Ends what the watch has under way, without a result.
static void stop(struct watch *watch)
{
	if (!watch->health)
		return;
	evtimer_del(&watch->timer);
	leave_line(watch);
	if (watch->probe.run) {
		type_of(watch)->cancel(&watch->probe);
		watch->health->stats.under_way--;
	}
}

// The address and the port as one number of 31 bits.
static uint32_t probed_of(const struct watch *watch)
{
	uint64_t port = watch->probe.check ? check_of(watch)->port : 0;

	return (uint32_t)(hash_mix(hash_bytes(port, &watch->probe.addr, sizeof(watch->probe.addr))) >> 33);
}

// The state from before a restart counts as a result.
static void restore(struct health *health, struct watch *watch)
{
	const struct config_check *check = check_of(watch);
	int saved = health->ops.saved ? health->ops.saved(health->ops.ctx, watch->probe.app, watch->site, probed_of(watch))
	                               : -1;

	if (saved < 0)
		return;
	watch->score = score_sure(saved > 0, check->rise, check->fall);
	watch->shown.up = saved > 0;
	watch->decided = watch->settled = true;
}

// Gives a fresh watch its first start.
static void enlist(struct health *health, struct watch *watch)
{
	if (!watch->probe.check)
		return;
	watch->health = health;
	watch->probe.done = probe_done;
	probe_event_assign(&watch->timer, health->base, -1, 0, on_timer, watch);
	watch->start_ms = clock_mono_ms() + spread_ms(health, health->list->fresh_count / STARTS_PER_MS);
	arm(watch, watch->start_ms);
}

// Begins and ends up to `count` watches. True when none is left to be begun or ended.
static bool change(struct health *health, size_t count)
{
	struct watchlist *list = health->list;

	for (; health->begun < list->fresh_count && count > 0; count--)
		enlist(health, list->fresh[health->begun++].watch);
	for (; health->ended < list->gone_count && count > 0; count--) {
		stop(list->gone[health->ended]);
		watchlist_free_watch(list->gone[health->ended++]);
	}
	return health->begun == list->fresh_count && health->ended == list->gone_count;
}

static void on_changing(evutil_socket_t fd, short what, void *ctx)
{
	static const struct timeval now = {0};
	struct health *health = ctx;

	(void)fd;
	(void)what;
	if (!change(health, CHANGES_PER_TURN))
		evtimer_add(&health->changing, &now);
	wake(health); // what was removed has made room
}

// When everything times out at once, as many probes are under way as the sum of timeout / interval. With room for fewer
// they stand in line, and a death is seen late just when it matters.
static void warn_of_limit(const struct health *health)
{
	double worst = health->list->probes_at_worst;

	if (worst > health->limit + 0.5) // a sum of fractions
		log_warning("health: if every target timed out, %.0f probes would be under way at once; `probes` allows %u, "
		            "so probes would come late", worst, health->limit);
}

// What is known of the targets goes over from the list before; costs what differs, and a copy of an octet a target.
static void inherit(struct health *health, const struct watchlist *old)
{
	struct watchlist *list = health->list;

	if (old)
		memcpy(list->up, old->up, old->slot_count);
	for (size_t i = 0; i < list->gone_count; i++)
		health->unsettled -= !list->gone[i]->settled;
	for (size_t i = 0; i < list->fresh_count; i++) {
		struct watch *watch = list->fresh[i].watch;

		watchlist_inherit(&list->fresh[i]);
		if (!old && watch->probe.check)
			restore(health, watch);
		list->up[watch->slot] = watch->shown.up;
		health->unsettled += !watch->settled;
	}
}

void health_configure(struct health *health, struct watchlist *list, unsigned limit)
{
	struct watchlist *old = health->list;

	must(list->previous == old && limit > 0);
	if (old)
		(void)change(health, SIZE_MAX); // what the reload before has left
	health->list = list;
	health->limit = limit;
	health->begun = health->ended = 0;
	inherit(health, old);
	watchlist_adopt(list);
	watchlist_free(old);
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i]->refresh)
			types[i]->refresh(health->engines[i]);
	// The first round is what the start waits for; a reload must keep nobody waiting.
	if (old)
		event_active(&health->changing, EV_TIMEOUT, 0);
	else
		(void)change(health, SIZE_MAX);
	warn_of_limit(health);
	wake(health); // a higher limit has made room
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
	TAILQ_INIT(&health->doubtful);
	TAILQ_INIT(&health->sure);
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
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (health->engines[i])
			types[i]->close(health->engines[i]);
	free(health);
	return NULL;
}

// ---- what others ask

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

uint32_t health_probed(const struct health *health, size_t target)
{
	return probed_of(health->list->watches[target]);
}

bool health_up(const struct health *health, size_t target)
{
	must(target < health_count(health));
	return health->list->up[health->list->slots[target]];
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
}
