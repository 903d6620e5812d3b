// Active health checks: one probe per target that has a check, over libcurl's multi interface (HTTP, HTTPS) or a plain
// connect (TCP), on the main thread's event base. Owns the probes and each target's measured health; knows nothing
// about drains and forces. Targets are numbered as in the view: the config's apps in order, and each app's targets in
// order. Main thread only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "health/result.h"

struct event_base;
struct health;
struct watchlist;

// Called from the event loop, never from inside a call of this header, except for `saved`. They may call functions that
// only read, such as health_target(), but not health_configure() or health_free().
struct health_ops {
	// A target's `up` has changed, or its first result has confirmed it. May be called several times in one turn of the
	// loop.
	void (*changed)(void *ctx, size_t target);
	// Every target has a result: its first one, or the saved one. Once per health_configure().
	void (*settled)(void *ctx);
	// The saved state of a target from before a restart: 1 up, 0 down, since *ret_since_s by the wall clock (0: not
	// known); -1 none for this health_endpoint(). Called only by the first health_configure(), before it returns. May
	// be NULL.
	int (*saved)(void *ctx, const char *app, const char *site, uint32_t endpoint, int64_t *ret_since_s);
	void *ctx;
};

// NULL: out of memory. `ops` is copied. The process must ignore SIGPIPE.
struct health *health_new(struct event_base *base, const struct health_ops *ops) MUST_USE;
// Cancels all probes. Takes NULL; returns NULL.
struct health *health_free(struct health *health);

// Takes a list into use and owns it; it was made by watchlist_new() with health_list() as `previous`. Targets that keep
// their app, site, address and check keep their state and their schedule. Others start anew: the first success decides,
// or `fall` failures, asked for one after the other without a pause; until then a target whose check alone has changed
// keeps its `up`, and any other is down. CA files are read again. `limit`: the most probes under way, at least 1.
void health_configure(struct health *health, struct watchlist *list, unsigned limit);
// The list in use; NULL before the first. Valid until the next health_configure().
const struct watchlist *health_list(const struct health *health);

size_t health_count(const struct health *health);
// Targets without a check.
size_t health_unchecked(const struct health *health);
bool health_up(const struct health *health, size_t target);
// Whether a result, or a saved one, has decided it, or there is nothing to be probed.
bool health_known(const struct health *health, size_t target);
// Owned by `health`; valid until control returns to the event loop, or the next health_configure().
const struct health_target *health_target(const struct health *health, size_t target);
// A 31-bit hash of the address and the port probed, saved with the state: a saved state counts for this endpoint only.
uint32_t health_endpoint(const struct health *health, size_t target);
// Whether every target has a result, see health_ops.settled.
bool health_settled(const struct health *health);

struct health_stats {
	uint64_t probes, failures; // totals since the start
	uint64_t failing;          // now: targets whose last check failed, without being down for it yet
	uint64_t late;             // total of probes started an interval or more after they were due; never a first one
	uint64_t under_way, waiting; // now
};
void health_stats(const struct health *health, struct health_stats *ret_stats);
