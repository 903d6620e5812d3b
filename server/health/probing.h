// Probes endpoints at the pace of their checks, and turns the results into their states. The cycle of one endpoint:
//
//   due -> queue of its type -> (fewer than the limits under way) probe -> verdict, or the deadline -> score -> next start
//
// For health.c, main thread only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "config/check_types.h"

struct endpoint;
struct event_base;
struct health_stats;
struct probing;

// Called from the event loop.
struct probing_ops {
	// The endpoint's `up` has changed, or its first result has confirmed it. `expected`: nothing worth a notice.
	void (*judged)(void *ctx, struct endpoint *endpoint, bool expected);
	// It has been probed for the first time.
	void (*settled)(void *ctx, const struct endpoint *endpoint);
	void *ctx;
};

// NULL: out of memory. `ops` is copied.
struct probing *probing_new(struct event_base *base, const struct probing_ops *ops) MUST_USE;
// No endpoint may be left. Takes NULL; returns NULL.
struct probing *probing_free(struct probing *probing);

// A new configuration is in use. `limit`: the most probes under way, at least 1.
void probing_configure(struct probing *probing, unsigned limit);
// Schedules the first probe of a new endpoint, within so many milliseconds; does nothing for one that is probed already.
void probing_start(struct probing *probing, struct endpoint *endpoint, uint64_t within_ms);
// Cancels its timer, its place in the queue and its probe, without a result. It may be started again.
void probing_stop(struct endpoint *endpoint);
// Starts probes that are due in the loop's next turn: there may be room now.
void probing_wake(struct probing *probing);
// Whether no state is waited for, see due_take().
void probing_all_known(struct probing *probing, bool all_known);

// How many probes of a type are under way at most; 0: as many as of all.
unsigned probing_at_once(enum check_type type) PURE;
void probing_stats(const struct probing *probing, struct health_stats *ret_stats);
