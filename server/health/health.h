// Active health checks: one probe per target that has a check, over libcurl's multi interface (HTTP, HTTPS) or a plain
// connect (TCP), on the main thread's event base. Owns the probes and each target's measured health; knows nothing of
// drains and forces. Targets are numbered as in the view: the config's apps in order, each one's targets in order.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "health/result.h"

struct event_base;
struct health;
struct watchlist;

// Called from the event loop, never from inside a call of this header. They may ask health_target() and the like, not
// health_configure() or health_free().
struct health_ops {
	// Some target's `up` changed, or the first result has settled what it is. May be called several times in one turn of
	// the loop.
	void (*changed)(void *ctx, size_t target);
	// Every target has had its first result since the last configure, or its saved one. Once per configure.
	void (*settled)(void *ctx);
	// The saved state of a target from before a restart: 1 up, 0 down, -1 none of what health_probed() says is probed.
	// Asked by the first configure only, and before it returns. May be NULL.
	int (*saved)(void *ctx, const char *app, const char *site, uint32_t probed);
	void *ctx;
};

// NULL without memory. The process must ignore SIGPIPE.
struct health *health_new(struct event_base *base, const struct health_ops *ops) MUST_USE;
// Takes NULL; returns NULL.
struct health *health_free(struct health *health);

// Takes a list into use, made with watchlist_new() beside health_list(), and owns it. Targets that keep their app, site,
// address and check carry their state and their schedule. Others start anew: the first result decides at once; until then
// one whose check alone has changed shows the `up` it had, and any other is down. Files of authorities are read anew.
// `limit`: of probes under way, at least 1.
void health_configure(struct health *health, struct watchlist *list, unsigned limit);
// The list in use; NULL before the first. Valid until the next health_configure().
const struct watchlist *health_list(const struct health *health);

size_t health_count(const struct health *health);
// Targets without a check.
size_t health_unchecked(const struct health *health);
bool health_up(const struct health *health, size_t target);
// Owned by `health`; valid until the next call that changes it.
const struct health_target *health_target(const struct health *health, size_t target);
// A number of 31 bits that stands for the address and the port probed, to be saved with the state.
uint32_t health_probed(const struct health *health, size_t target);
bool health_settled(const struct health *health);

// Totals since the start, and what is going on.
struct health_stats {
	uint64_t probes, failures;
	uint64_t late;           // probes that began an interval or more after their time; the first of a target never is
	uint64_t under_way, waiting;
};
void health_stats(const struct health *health, struct health_stats *ret_stats);
