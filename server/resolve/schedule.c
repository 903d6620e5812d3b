// When a name is looked up, and what is told of it; see schedule.h.
#include "resolve/schedule.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"

// Look-ups start four every ten milliseconds, and so many are under way at most: AWS's resolver takes 1024 packets a
// second from an instance, and a look-up is two.
enum { BURST = 4, BURST_PAUSE_MS = 10, UNDER_WAY_MAX = 4096, SAVE_PAUSE_S = 60 };

_Static_assert((int)RESOLVE_ADDRESSES_MAX == (int)RECEIVED_ADDRESSES_MAX, "one family may have all of them");

void schedule_set_timer(struct event *event, int64_t wait_ms)
{
	struct timeval wait = {wait_ms / 1000, wait_ms % 1000 * 1000};

	if (event_add(event, &wait) < 0) // out of memory: too early is better than never
		event_active(event, EV_TIMEOUT, 0);
}

// ---- what is known --------------------------------------------------------------------------------------------------

// Where both families together have too many, each gives way to what the other needs of its half.
void schedule_merge(const struct scheduled *entry, struct resolve_addresses *merged)
{
	const struct received *v4 = &entry->last_good[0], *v6 = &entry->last_good[1];
	const size_t half = RESOLVE_ADDRESSES_MAX / 2, most_v6 = v6->count < half ? v6->count : half;
	size_t n4 = v4->count < RESOLVE_ADDRESSES_MAX - most_v6 ? v4->count : RESOLVE_ADDRESSES_MAX - most_v6;
	size_t n6 = v6->count < RESOLVE_ADDRESSES_MAX - n4 ? v6->count : RESOLVE_ADDRESSES_MAX - n4;
	uint32_t floor_s = entry->resolve->ops.pace.floor_ms / 1000, ttl_s = UINT32_MAX;

	memcpy(merged->list, v4->addresses, n4 * sizeof(struct addr));
	memcpy(merged->list + n4, v6->addresses, n6 * sizeof(struct addr));
	merged->count = n4 + n6;
	if (n4 && v4->ttl_s < ttl_s)
		ttl_s = v4->ttl_s;
	if (n6 && v6->ttl_s < ttl_s)
		ttl_s = v6->ttl_s;
	merged->ttl_s = merged->count == 0 ? 0 : ttl_s < floor_s ? floor_s : ttl_s;
}

static bool same_addresses(const struct resolve_addresses *a, const struct resolve_addresses *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!addr_equal(&a->list[i], &b->list[i]))
			return false;
	return true;
}

// Tells what has changed. `good_s`: the wall clock when it is confirmed.
static void tell(struct scheduled *entry, bool is_stale, int64_t good_s)
{
	const struct resolve_ops *ops = &entry->resolve->ops;
	struct resolve_name *shown = &entry->shown;
	struct resolve_addresses next = {.good_s = good_s};
	int64_t age_s = clock_wall_s() - good_s;
	bool is_expired = is_stale && good_s && age_s >= (int64_t)entry->resolve->max_age_s;

	schedule_merge(entry, &next);

	bool is_same = same_addresses(&shown->last_good, &next);
	bool is_news = !is_same || entry->is_first || shown->last_good.ttl_s != next.ttl_s || shown->is_stale != is_stale ||
	               shown->is_expired != is_expired;

	if (is_expired && !shown->is_expired)
		resolve_log_expired(&entry->resolve->log, shown, age_s);
	shown->last_good = next;
	shown->is_stale = is_stale;
	shown->is_expired = is_expired;
	if (next.count > 0 && (!is_same || good_s - entry->saved_s >= SAVE_PAUSE_S) && !is_stale) {
		entry->saved_s = good_s;
		ops->save(ops->ctx, shown);
	}
	entry->is_first = false;
	if (is_news)
		ops->changed(ops->ctx, shown);
}

// ---- the schedule ---------------------------------------------------------------------------------------------------

// Waits a tenth longer at most, so that names that were looked up together part, and never less: before its TTL is over, a
// resolver has nothing new.
static void wait_for(struct scheduled *entry, int64_t wait_ms)
{
	struct resolve *resolve = entry->resolve;

	wait_ms += (int64_t)(hash_mix(++resolve->draws) % (uint64_t)(wait_ms / 10 + 1));
	entry->shown.next_ms = clock_mono_ms() + wait_ms;
	schedule_set_timer(&entry->timer, wait_ms);
}

static void wait_after_success(struct scheduled *entry)
{
	const struct resolve_pace *pace = &entry->resolve->ops.pace;
	int64_t wait_ms = (int64_t)entry->shown.last_good.ttl_s * 1000;

	entry->failing_ms = 0;
	entry->backoff = 0;
	wait_for(entry, wait_ms < pace->floor_ms ? pace->floor_ms : wait_ms > pace->cap_ms ? pace->cap_ms : wait_ms);
}

static void wait_after_failure(struct scheduled *entry)
{
	const struct resolve_pace *pace = &entry->resolve->ops.pace;
	int64_t now_ms = clock_mono_ms(), wait_ms = pace->retry_ms;
	int64_t left_ms = (entry->shown.last_good.good_s + entry->resolve->max_age_s - clock_wall_s()) * 1000;

	if (!entry->failing_ms)
		entry->failing_ms = now_ms;
	if (now_ms - entry->failing_ms >= pace->retry_for_ms && wait_ms << entry->backoff < pace->retry_max_ms)
		entry->backoff++;
	wait_ms <<= entry->backoff;
	if (wait_ms > pace->retry_max_ms)
		wait_ms = pace->retry_max_ms;
	if (left_ms >= pace->retry_ms && left_ms < wait_ms) // they expire when it has been tried once more
		wait_ms = left_ms;
	wait_for(entry, wait_ms);
}

static void make_known(struct scheduled *entry)
{
	struct resolve *resolve = entry->resolve;

	if (entry->shown.is_known)
		return;
	must(resolve->unknown > 0);
	entry->shown.is_known = entry->is_first = true;
	if (--resolve->unknown == 0 && resolve->settle)
		event_active(resolve->settle, EV_TIMEOUT, 0);
}

// ---- look-ups -------------------------------------------------------------------------------------------------------

void schedule_drop(struct scheduled *entry)
{
	must(entry->asking == 0 && entry->is_gone);
	event_del(&entry->timer);
	free(entry);
}

// Takes the outcomes of both families. A family that failed while the other has addresses is stale only when it had
// some: a load balancer's name servers may know nothing of AAAA. False: the look-up failed, at least in part.
static bool settle_outcomes(struct scheduled *entry)
{
	bool has_addresses = false, is_stale = false;

	for (int i = 0; i < FAMILIES; i++)
		has_addresses |= entry->outcomes[i] == OUTCOME_ADDRESSES;
	for (int i = 0; i < FAMILIES; i++) {
		if (has_addresses && entry->outcomes[i] == OUTCOME_NOTHING)
			entry->last_good[i].count = 0;
		is_stale |= entry->outcomes[i] == OUTCOME_FAILED && entry->last_good[i].count > 0;
	}
	return has_addresses && !is_stale;
}

static void finish(struct scheduled *entry)
{
	struct resolve *resolve = entry->resolve;
	struct resolve_name *shown = &entry->shown;
	bool is_good = settle_outcomes(entry);

	make_known(entry);
	if (is_good) {
		shown->error[0] = '\0';
		tell(entry, false, clock_wall_s());
		if (entry->failing_ms)
			resolve_log_recovered(&resolve->log, shown, clock_mono_ms() - entry->failing_ms);
		wait_after_success(entry);
		return;
	}
	snprintf(shown->error, sizeof(shown->error), "%s", entry->why);
	shown->failures++;
	resolve->failures++;
	tell(entry, entry->last_good[0].count + entry->last_good[1].count > 0, shown->last_good.good_s);
	if (!entry->failing_ms)
		resolve_log_failed(&resolve->log, shown);
	wait_after_failure(entry);
}

static enum outcome outcome_of(struct scheduled *entry, enum addr_family family, int err, const uint8_t *reply, size_t len,
                               const char *why)
{
	struct received *last_good = &entry->last_good[family == ADDR_V6];
	char wrong[RECEIVED_WHY_LEN];

	if (err == E_OK) {
		err = received_read(reply, len, family, &entry->resolve->zones, last_good, wrong);
		why = err == E_NOTFOUND ? "the reply has no addresses" : wrong;
	}
	if (err == E_OK)
		return OUTCOME_ADDRESSES;
	if (err == E_NOTFOUND) {
		if (!entry->why[0])
			snprintf(entry->why, sizeof(entry->why), "%s", why);
		return OUTCOME_NOTHING;
	}
	snprintf(entry->why, sizeof(entry->why), "%s: %s", family == ADDR_V4 ? "A" : "AAAA", why);
	return OUTCOME_FAILED;
}

static void on_reply(void *ctx, enum addr_family family, int err, const uint8_t *reply, size_t len, const char *why)
{
	struct scheduled *entry = ctx;
	enum outcome outcome = OUTCOME_FAILED;

	must(entry->asking > 0);
	if (err == E_STOPPED)
		entry->is_stopped = true; // the resolver's configuration has changed
	else if (!entry->is_gone)
		outcome = outcome_of(entry, family, err, reply, len, why);
	entry->outcomes[family == ADDR_V6] = outcome;
	if (--entry->asking > 0) {
		if (outcome == OUTCOME_ADDRESSES)
			schedule_set_timer(&entry->timer, entry->resolve->ops.pace.gather_ms);
		return;
	}
	must(entry->resolve->under_way > 0);
	entry->resolve->under_way--;
	event_del(&entry->timer);
	if (entry->is_gone)
		schedule_drop(entry);
	else if (entry->is_stopped)
		schedule_queue_up(entry);
	else
		finish(entry);
}

// Either it is time for a look-up, or the second reply has not come soon after the first: what the first says is told.
void schedule_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct scheduled *entry = arg;

	(void)fd;
	(void)what;
	if (entry->asking == 0) {
		schedule_queue_up(entry);
		return;
	}
	make_known(entry);
	tell(entry, entry->shown.is_stale, entry->shown.is_stale ? entry->shown.last_good.good_s : clock_wall_s());
}

static void look_up(struct scheduled *entry)
{
	struct resolve *resolve = entry->resolve;

	entry->asking = FAMILIES;
	entry->is_stopped = false;
	entry->why[0] = '\0';
	entry->outcomes[0] = entry->outcomes[1] = OUTCOME_WAITING;
	resolve->under_way++;
	resolve->lookups++;
	asker_ask(resolve->asker, entry->name, ADDR_V4, on_reply, entry);
	asker_ask(resolve->asker, entry->name, ADDR_V6, on_reply, entry);
}

void schedule_on_start(evutil_socket_t fd, short what, void *arg)
{
	struct resolve *resolve = arg;

	(void)fd;
	(void)what;
	resolve->started_ms = clock_mono_ms();
	for (int i = 0; i < BURST && resolve->under_way < UNDER_WAY_MAX && !TAILQ_EMPTY(&resolve->queue); i++) {
		struct scheduled *entry = TAILQ_FIRST(&resolve->queue);

		TAILQ_REMOVE(&resolve->queue, entry, queued);
		entry->is_queued = false;
		look_up(entry);
	}
	if (!TAILQ_EMPTY(&resolve->queue))
		schedule_set_timer(resolve->start, BURST_PAUSE_MS);
}

// Names of which nothing is known go first.
void schedule_queue_up(struct scheduled *entry)
{
	struct resolve *resolve = entry->resolve;
	int64_t wait_ms = resolve->started_ms + BURST_PAUSE_MS - clock_mono_ms();

	must(!entry->is_queued && entry->asking == 0);
	entry->is_queued = true;
	entry->shown.next_ms = 0;
	if (entry->shown.is_known)
		TAILQ_INSERT_TAIL(&resolve->queue, entry, queued);
	else
		TAILQ_INSERT_HEAD(&resolve->queue, entry, queued);
	if (!event_pending(resolve->start, EV_TIMEOUT, NULL))
		schedule_set_timer(resolve->start, wait_ms > 0 ? wait_ms : 0);
}
