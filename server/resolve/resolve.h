// Names of hosts that targets have in the place of addresses (`alias`), and of hosts to probe: looked up again and again,
// by their TTL, and the last good addresses kept through whatever goes wrong. Knows names and addresses, nothing of
// targets. Main thread only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "resolve/resolve_name.h"

struct event_base;
struct resolve;

struct resolve_config {
	const struct sockaddr_storage *servers; // none: the system's
	size_t server_count;
	unsigned timeout_ms, attempts;          // see asker.h
	bool keeps_servers;                     // all of these are as in use: look-ups under way go on
	unsigned max_age_s;                     // of addresses, before it is warned of
	const char *const *zones;               // our own, into which no name may lead; canonical texts
	size_t zone_count;
	const char *const *names;               // hosts' names, canonical; any may be there more than once
	size_t name_count;
};

// `ops` is copied. NULL: out of memory.
struct resolve *resolve_new(struct event_base *base, const struct resolve_ops *ops) MUST_USE;
// Takes NULL; returns NULL.
struct resolve *resolve_free(struct resolve *resolve);

// Takes names into use. Those that were there keep what is known of them and their schedule; others start with what was
// saved. `config` is copied. E_LIMIT: more than RESOLVE_NAMES_MAX different names; E_NOMEM; E_IO: the resolver cannot be
// set up (logged). On an error nothing has changed.
int resolve_configure(struct resolve *resolve, const struct resolve_config *config) MUST_USE;

// NULL: there is no such name. Valid until control returns to the event loop.
const struct resolve_name *resolve_get(const struct resolve *resolve, const char *name);

struct resolve_stats {
	uint64_t names, stale, empty; // now; empty: without any address
	uint64_t lookups, failures;   // since the start, of names that are still there or not
	uint64_t oldest_s;            // the age of the oldest addresses that are not confirmed
};
void resolve_stats(const struct resolve *resolve, struct resolve_stats *ret_stats);
