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
struct merge;
struct resolve;
struct state;

struct aliases_ops {
	// A target's addresses or their TTL have changed. From the event loop.
	void (*set)(void *ctx, uint32_t target, const struct addr *addresses, size_t count, uint32_t ttl_s);
	// Something is known of every name, or has been looked for in vain, or waiting has taken too long. Once.
	void (*settled)(void *ctx);
	void *ctx;
};

// `ops` is copied. NULL: out of memory.
struct aliases *aliases_new(struct event_base *base, struct state *state, const struct aliases_ops *ops) MUST_USE;
// Before `state` is closed. Takes NULL; returns NULL.
struct aliases *aliases_free(struct aliases *aliases);

// Takes the names of a generation into use, and gives their targets what is known of them, in a view that is not published
// yet: that of `merge`. Owns `plan` in every case. E_NOMEM, E_IO: the names in use have not changed.
int aliases_take(struct aliases *aliases, struct alias_plan *plan, struct merge *merge) MUST_USE;
bool aliases_settled(const struct aliases *aliases);
const struct resolve *aliases_resolve(const struct aliases *aliases);
