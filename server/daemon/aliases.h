// Targets by host name: which addresses a name's look-up gives each of its targets, and what is saved of them. Owned by the
// daemon; main thread only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"

struct alias_plan;
struct aliases;
struct config;
struct event_base;
struct resolve;
struct state;

// Where a target's addresses go. E_NOMEM: see aliases_is_short().
struct aliases_sink {
	int (*set)(void *ctx, uint32_t target, const struct addr *addresses, size_t count, uint32_t ttl_s);
	// Those to probe, where that is a name too.
	int (*set_probed)(void *ctx, uint32_t target, const struct addr *addresses, size_t count);
	void *ctx;
};

struct aliases_ops {
	// Addresses, or their TTL, have changed: called from the event loop for each target.
	struct aliases_sink sink;
	// Something is known of every name, or has been looked for in vain, or waiting has taken too long. Once.
	void (*settled)(void *ctx);
	void *ctx;
};

// `ops` is copied. NULL: out of memory.
struct aliases *aliases_new(struct event_base *base, struct state *state, const struct aliases_ops *ops) MUST_USE;
// Before `state` is closed. Takes NULL; returns NULL.
struct aliases *aliases_free(struct aliases *aliases);

// Takes the names of a generation into use. Owns `plan` in every case. `old_of_new`: by the plan's targets, which one of the
// plan in use it is, or ALIAS_PLAN_NONE; NULL: there is no plan in use. E_NOMEM, E_IO: the names in use have not changed.
int aliases_take(struct aliases *aliases, struct alias_plan *plan, const uint32_t *old_of_new) MUST_USE;
// Gives every target what is known of its names; those of which nothing is known yet are left as they are. E_NOMEM: call it
// again.
int aliases_fill(struct aliases *aliases, const struct aliases_sink *sink) MUST_USE;
// Some targets have not what is known, for want of memory: aliases_fill() is to be called again.
bool aliases_is_short(const struct aliases *aliases);
bool aliases_settled(const struct aliases *aliases);
const struct resolve *aliases_resolve(const struct aliases *aliases);
