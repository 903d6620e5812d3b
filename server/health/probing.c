// Schedules probes; see probing.h.
#include "health/probing.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"
#include "config/config.h"
#include "health/due.h"
#include "health/health_log.h"
#include "health/probe.h"
#include "health/score.h"
#include "health/watch.h"

enum {
	STARTS_PER_TURN = 8,         // per turn of the loop: probes under way must progress, or all would time out together
	STALL_MS = 25,               // a timer later than this: the process was stopped, or busy
};

#define ENGINE(id, name, port, keys, engine, help) [CHECK_##id] = &engine,

static const struct probe_type *const types[] = {CHECK_TYPES(ENGINE)};

_Static_assert(ARRAY_LEN(types) == CHECK_TYPE_COUNT, "an engine for each type of check");

// The probes of one type. They wait in a queue of their own, so that a type of which as many are under way as may holds up no
// other.
struct lane {
	const struct probe_type *type;
	void *engine;
	struct due due;
	unsigned under_way;
	int64_t full_ms;                // monotonic: when it last had as many under way as may; 0: never
};

struct probing {
	struct event_base *base;
	struct probing_ops ops;
	struct lane lanes[ARRAY_LEN(types)];
	unsigned turn;                  // the lane whose turn it is, modulo their number
	unsigned limit;                 // of probes under way
	int64_t full_ms;                // as a lane's
	bool all_known;                 // see due_take()
	struct event wake;              // starts probes that are due
	uint32_t phase;                 // see spread_ms()
	struct health_log log;
	struct health_stats stats;      // but `waiting`
};

// The next of a sequence of offsets that are spread evenly over `range_ms`, however many are taken: multiples of the
// golden ratio, modulo one.
static int64_t spread_ms(struct probing *probing, uint64_t range_ms)
{
	probing->phase += 0x9e3779b9u;
	return (int64_t)((probing->phase * range_ms) >> 32);
}

static const struct config_check *check_of(const struct endpoint *endpoint)
{
	must(endpoint->probe.check);
	return &endpoint->probe.check->conf;
}

static struct lane *lane_of(const struct endpoint *endpoint)
{
	must((size_t)check_of(endpoint)->type < ARRAY_LEN(types));
	return &endpoint->probing->lanes[check_of(endpoint)->type];
}

// Whether one more of the lane's probes may be under way.
static bool has_room(const struct probing *probing, const struct lane *lane)
{
	return probing->stats.under_way < probing->limit && (!lane->type->at_once || lane->under_way < lane->type->at_once);
}

static void enter(struct probing *probing, struct lane *lane)
{
	must(has_room(probing, lane));
	probing->stats.under_way++;
	lane->under_way++;
}

static void leave(struct probing *probing, struct lane *lane)
{
	must(probing->stats.under_way > 0 && lane->under_way > 0);
	if (probing->stats.under_way >= probing->limit)
		probing->full_ms = clock_mono_ms();
	else if (!has_room(probing, lane))
		lane->full_ms = clock_mono_ms();
	probing->stats.under_way--;
	lane->under_way--;
}

static void arm(struct endpoint *endpoint, int64_t at_ms)
{
	int64_t delay_ms = at_ms - clock_mono_ms();
	struct timeval delay = {0};

	endpoint->alarm_ms = at_ms;
	if (delay_ms > 0)
		delay = (struct timeval){delay_ms / 1000, delay_ms % 1000 * 1000};
	if (evtimer_add(&endpoint->timer, &delay) < 0)
		event_active(&endpoint->timer, EV_TIMEOUT, 0); // out of memory: on_timer() tries again
}

// ---- results

// The last checks have failed, but it does not count as down, or is not known to be down.
static bool is_failing(const struct endpoint *endpoint)
{
	return endpoint->shown.streak && (endpoint->shown.up || !endpoint->decided);
}

// Applies a result to the score. The first success decides, or `fall` failures before any.
static void apply_result(struct endpoint *endpoint, bool success)
{
	const struct config_check *check = check_of(endpoint);
	struct probing *probing = endpoint->probing;
	struct health_target *shown = &endpoint->shown;
	bool first = !endpoint->decided, was_up = shown->up, was_failing = is_failing(endpoint);
	unsigned streak = shown->streak;

	shown->probes++;
	shown->failures += !success;
	if (first && !success && streak + 1 < check->fall) {
		shown->streak++;
	} else {
		endpoint->score = first ? score_sure(success, check->rise, check->fall)
		                        : score_next(endpoint->score, success, check->rise, check->fall);
		must(endpoint->score < check->rise + check->fall);
		endpoint->decided = true;
		shown->up = score_up(endpoint->score, check->rise);
		shown->streak = score_streak(endpoint->score, check->rise, check->fall);
	}
	probing->stats.failing += is_failing(endpoint);
	probing->stats.failing -= was_failing;
	probing->stats.down += was_up;
	probing->stats.down -= shown->up;
	if (endpoint->decided && (first || shown->up != was_up))
		probing->ops.judged(probing->ops.ctx, endpoint, shown->up && streak == 0);
	else if (is_failing(endpoint) && !was_failing)
		health_log_failing(&probing->log, endpoint);
	if (was_failing && shown->up && success)
		health_log_recovered(&probing->log, endpoint, streak);
}

static void settle(struct endpoint *endpoint)
{
	const struct probing *probing = endpoint->probing;

	if (endpoint->settled)
		return;
	endpoint->settled = true;
	probing->ops.settled(probing->ops.ctx, endpoint);
}

// A probe that starts an interval late has missed a turn: failures are detected later than the check promises. First
// probes do not count: they are expected to queue.
static void count_late(struct endpoint *endpoint)
{
	struct probing *probing = endpoint->probing;
	const struct lane *lane = lane_of(endpoint);
	int64_t late_ms = endpoint->began_ns / 1000000 - endpoint->start_ms;
	enum health_late why = HEALTH_LATE_BUSY;

	if (!endpoint->started || late_ms < check_of(endpoint)->interval_ms)
		return;
	probing->stats.late++;
	if (probing->full_ms >= endpoint->start_ms) // it waited for room meanwhile
		why = HEALTH_LATE_LIMIT;
	else if (lane->full_ms >= endpoint->start_ms)
		why = HEALTH_LATE_TYPE;
	health_log_late(&probing->log, endpoint, late_ms, lane->due.count, why);
}

// The state is not known yet, or the last result contradicts it.
static bool in_doubt(const struct endpoint *endpoint)
{
	return !endpoint->decided || endpoint->shown.streak;
}

// Sets the next start: one interval after this one, or for the first time somewhere within an interval. Starts that the
// probe has overrun are skipped. In doubt, so are those less than half an interval after a probe that started late:
// otherwise one short disturbance could account for all the failures that `fall` requires.
static void schedule(struct endpoint *endpoint)
{
	int64_t interval_ms = check_of(endpoint)->interval_ms, earliest_ms = clock_mono_ms() - interval_ms + 1;
	int64_t passed_ms = endpoint->began_ns / 1000000 + interval_ms / 2;

	endpoint->start_ms += endpoint->started ? interval_ms : spread_ms(endpoint->probing, (uint64_t)interval_ms);
	endpoint->started = true;
	if (in_doubt(endpoint) && passed_ms > earliest_ms)
		earliest_ms = passed_ms;
	if (endpoint->start_ms < earliest_ms)
		endpoint->start_ms += (earliest_ms - endpoint->start_ms + interval_ms - 1) / interval_ms * interval_ms;
	arm(endpoint, endpoint->start_ms);
}

static void count(struct health_stats *stats, enum health_layer layer, uint32_t took_us)
{
	stats->probes++;
	stats->failures += layer != HEALTH_OK;
	stats->at[layer]++;
	stats->took_us += took_us;
#define COUNT_WITHIN(ms, text) stats->within_##ms##_ms += took_us <= (ms) * 1000u;
	HEALTH_SPANS(COUNT_WITHIN)
#undef COUNT_WITHIN
}

static void conclude(struct endpoint *endpoint, const struct verdict *verdict)
{
	struct probing *probing = endpoint->probing;

	must(!endpoint->due && !endpoint->probe.run);
	leave(probing, lane_of(endpoint));
	endpoint->shown.took_us = (uint32_t)((clock_mono_ns() - endpoint->began_ns) / 1000);
	endpoint->shown.last_probe_s = clock_wall_s();
	endpoint->shown.layer = verdict->layer;
	memcpy(endpoint->shown.text, verdict->text, sizeof(endpoint->shown.text));
	count(&probing->stats, verdict->layer, endpoint->shown.took_us);
	if (verdict->layer == HEALTH_LOCAL)
		health_log_local(&probing->log, endpoint);
	else
		apply_result(endpoint, verdict->layer == HEALTH_OK);
	if (!endpoint->decided && verdict->layer != HEALTH_LOCAL) {
		endpoint->start_ms = clock_mono_ms(); // again at once: somebody waits for the state
		arm(endpoint, endpoint->start_ms);
		return;
	}
	schedule(endpoint);
	settle(endpoint);
}

// ---- starts and deadlines

static void start_probe(struct endpoint *endpoint)
{
	struct lane *lane = lane_of(endpoint);

	endpoint->began_ns = clock_mono_ns();
	endpoint->extended = false;
	must(!endpoint->probe.run);
	enter(endpoint->probing, lane);
	count_late(endpoint);
	if (lane->type->start(lane->engine, &endpoint->probe) == E_OK) {
		arm(endpoint, (endpoint->began_ns + 999999) / 1000000 + check_of(endpoint)->timeout_ms);
		return;
	}

	struct verdict verdict;

	probe_verdict(&verdict, HEALTH_LOCAL, "cannot start a probe: %s", strerror(errno));
	conclude(endpoint, &verdict);
}

// The lane next in turn that has a probe to start, and room for it; NULL: none has.
static struct lane *next_lane(struct probing *probing)
{
	for (size_t i = 0; i < ARRAY_LEN(probing->lanes); i++) {
		struct lane *lane = &probing->lanes[(probing->turn + i) % ARRAY_LEN(probing->lanes)];

		if (lane->due.count > 0 && has_room(probing, lane))
			return lane;
	}
	return NULL;
}

// Starts probes that are due in the loop's next turn.
void probing_wake(struct probing *probing)
{
	static const struct timeval now = {0};

	if (next_lane(probing) && evtimer_add(&probing->wake, &now) < 0)
		event_active(&probing->wake, EV_TIMEOUT, 0);
}

static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
	struct probing *probing = ctx;
	struct lane *lane;

	(void)fd;
	(void)what;
	for (int i = 0; i < STARTS_PER_TURN && (lane = next_lane(probing)); i++) {
		probing->turn = (unsigned)(lane - probing->lanes + 1);
		start_probe(due_take(&lane->due, probing->all_known));
	}
	probing_wake(probing);
}

static void probe_done(struct probe *probe, const struct verdict *verdict)
{
	struct endpoint *endpoint = (struct endpoint *)((char *)probe - offsetof(struct endpoint, probe));

	conclude(endpoint, verdict);
	probing_wake(endpoint->probing);
}

static void time_out(struct endpoint *endpoint)
{
	const struct probe_type *type = lane_of(endpoint)->type;
	bool is_local = type->waits_here && type->waits_here(&endpoint->probe);
	struct verdict verdict;

	probe_verdict(&verdict, is_local ? HEALTH_LOCAL : HEALTH_TIMEOUT, "no success within %u ms: %s",
	              check_of(endpoint)->timeout_ms, type->stage(&endpoint->probe));
	type->cancel(&endpoint->probe);
	probe_done(&endpoint->probe, &verdict);
}

// A deadline that fires more than STALL_MS late: responses may have arrived that we had no time to read, possibly from
// all targets. So it is extended once, by as much as it was late but at most by the timeout.
static bool extend(struct endpoint *endpoint, int64_t late_ms)
{
	int64_t timeout_ms = check_of(endpoint)->timeout_ms;

	if (late_ms <= STALL_MS || endpoint->extended)
		return false;
	endpoint->extended = true;
	arm(endpoint, endpoint->alarm_ms + late_ms + (late_ms < timeout_ms ? late_ms : timeout_ms));
	return true;
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct endpoint *endpoint = ctx;
	int64_t late_ms = clock_mono_ms() - endpoint->alarm_ms;

	(void)fd;
	(void)what;
	if (late_ms < 0) { // fired early: the loop's clock is coarse
		arm(endpoint, endpoint->alarm_ms);
	} else if (!endpoint->probe.run) {
		due_add(&lane_of(endpoint)->due, endpoint, in_doubt(endpoint));
		probing_wake(endpoint->probing);
	} else if (!extend(endpoint, late_ms)) {
		time_out(endpoint);
	}
}

// ---- endpoints come and go

void probing_start(struct probing *probing, struct endpoint *endpoint, uint64_t within_ms)
{
	if (endpoint->probing)
		return;
	endpoint->probing = probing;
	endpoint->probe.done = probe_done;
	probing->stats.addresses++;
	probing->stats.down += !endpoint->shown.up;
	probe_event_assign(&endpoint->timer, probing->base, -1, 0, on_timer, endpoint);
	endpoint->start_ms = clock_mono_ms() + spread_ms(probing, within_ms);
	arm(endpoint, endpoint->start_ms);
}

void probing_stop(struct endpoint *endpoint)
{
	struct probing *probing = endpoint->probing;

	if (!probing)
		return;

	struct lane *lane = lane_of(endpoint);

	evtimer_del(&endpoint->timer);
	probing->stats.failing -= is_failing(endpoint);
	probing->stats.addresses--;
	probing->stats.down -= !endpoint->shown.up;
	due_remove(&lane->due, endpoint);
	if (endpoint->probe.run) {
		lane->type->cancel(&endpoint->probe);
		must(!endpoint->probe.run);
		leave(probing, lane);
	}
	endpoint->probing = NULL;
	endpoint->started = false;
}

void probing_configure(struct probing *probing, unsigned limit)
{
	must(limit > 0);
	probing->limit = limit;
	for (size_t i = 0; i < ARRAY_LEN(probing->lanes); i++)
		if (types[i]->refresh)
			types[i]->refresh(probing->lanes[i].engine);
	probing_wake(probing); // the limit may have been raised
}

void probing_all_known(struct probing *probing, bool all_known)
{
	probing->all_known = all_known;
}

static uint64_t count_waiting(const struct probing *probing)
{
	uint64_t count = 0;

	for (size_t i = 0; i < ARRAY_LEN(probing->lanes); i++)
		count += probing->lanes[i].due.count;
	return count;
}

struct probing *probing_new(struct event_base *base, const struct probing_ops *ops)
{
	struct probing *probing = calloc(1, sizeof(*probing));

	if (!probing)
		return NULL;
	probing->base = base;
	probing->ops = *ops;
	probing->limit = 1;
	probing->phase = (uint32_t)hash_mix((uint64_t)clock_mono_ns());
	for (size_t i = 0; i < ARRAY_LEN(probing->lanes); i++) {
		probing->lanes[i].type = types[i];
		due_init(&probing->lanes[i].due);
	}
	probe_event_assign(&probing->wake, base, -1, 0, on_wake, probing);
	for (size_t i = 0; i < ARRAY_LEN(probing->lanes); i++)
		if (!(probing->lanes[i].engine = types[i]->open(base)))
			return probing_free(probing);
	return probing;
}

struct probing *probing_free(struct probing *probing)
{
	if (!probing)
		return NULL;
	event_del(&probing->wake);
	must(probing->stats.under_way == 0 && count_waiting(probing) == 0);
	for (size_t i = 0; i < ARRAY_LEN(probing->lanes); i++)
		if (probing->lanes[i].engine)
			types[i]->close(probing->lanes[i].engine);
	free(probing);
	return NULL;
}

unsigned probing_at_once(enum check_type type)
{
	must((size_t)type < ARRAY_LEN(types));
	return types[type]->at_once;
}

void probing_stats(const struct probing *probing, struct health_stats *ret_stats)
{
	*ret_stats = probing->stats;
	ret_stats->waiting = count_waiting(probing);
}
