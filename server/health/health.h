// Active health checks: one probe per address of each target that has a check, over libcurl's multi interface (HTTP,
// HTTPS) or a plain connect (TCP), on the main thread's event base. Owns the probes and each target's measured
// health; knows nothing about drains and forces. Targets are numbered as in the view: the config's apps in order, and
// each app's targets in order. Main thread only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "health/result.h"

struct event_base;
struct health;
struct watchlist;

// An address that is probed.
struct health_address {
	struct addr addr;
	const struct health_target *shown; // as health_target()
	uint32_t endpoint;                 // a 31-bit hash of the address and the port: what its state is saved for
};

// Called from the event loop, never from inside a call of this header, except where it says so. They may call functions that
// only read, such as health_target(), but not those that configure or free.
struct health_ops {
	// An address's `up` has changed, or its first result has confirmed it, and perhaps the target's. May be called several
	// times in one turn of the loop.
	void (*changed)(void *ctx, size_t target, const struct health_address *address);
	// Every address has a result: its first one, or the saved one. Once per health_configure(), and again after new
	// addresses have come at run time.
	void (*settled)(void *ctx);
	// The saved state of an address from before a restart: 1 up, 0 down, since *ret_since_s by the wall clock (0: not
	// known); -1 none for this `endpoint`. Called only by the first health_configure(), before it returns, and by
	// health_set_addresses(). May be NULL.
	int (*saved)(void *ctx, const char *app, const char *site, uint32_t endpoint, int64_t *ret_since_s);
	// The addresses that are probed of a target may be other ones than before; these are all: what is saved of others
	// can go. Called by health_configure() and health_set_addresses() too. May be NULL.
	void (*listed)(void *ctx, const char *app, const char *site, const uint32_t *endpoints, size_t count);
	void *ctx;
};

// NULL: out of memory. `ops` is copied. The process must ignore SIGPIPE.
struct health *health_new(struct event_base *base, const struct health_ops *ops) MUST_USE;
// Cancels all probes. Takes NULL; returns NULL.
struct health *health_free(struct health *health);

// Takes a list into use and owns it; it was made by watchlist_new() with health_list() as `previous`. Addresses that keep
// their app, site and check keep their state and their schedule. Others start anew: the first success decides, or `fall`
// failures, asked for one after the other without a pause. Until then an address whose check alone has changed keeps its
// `up`, a new address of a target that keeps another one has the target's, and any other is down. CA files are read
// again. `limit`: the most probes under way, at least 1.
void health_configure(struct health *health, struct watchlist *list, unsigned limit);
// Sets the addresses that are probed of a target whose addresses come at run time (the config has none), up to
// CONFIG_ADDRESSES_MAX, each once. Those that stay go on as they are. A new one has the target's state until it is
// first judged; the first ones have what is saved of them. The target may be up or down after it: changed() is not
// called. E_NOMEM: all is as before.
int health_set_addresses(struct health *health, size_t target, const struct addr *addresses, size_t count) MUST_USE;
// The list in use; NULL before the first. Valid until the next health_configure().
const struct watchlist *health_list(const struct health *health);

size_t health_count(const struct health *health);
// Targets without a check.
size_t health_unchecked(const struct health *health);
// A target is up while one of the addresses that are probed for it is, or without a check.
bool health_up(const struct health *health, size_t target);
// Whether it has a check.
bool health_checked(const struct health *health, size_t target);
// Whether a result, or a saved one, has decided it, or there is nothing to be probed.
bool health_known(const struct health *health, size_t target);
// Whether some of the target's own addresses are up and some are down. With check addresses: never.
bool health_partial(const struct health *health, size_t target);
// Whether the target's addresses, or those probed for it, come at run time.
bool health_dynamic(const struct health *health, size_t target);
// Whether it stands or falls as a whole: it has check addresses, or no check.
bool health_whole(const struct health *health, size_t target);
// What there is to show of a target: the state of the address that has been up for the longest, or has fallen last.
// Owned by `health`; valid until control returns to the event loop, or the next change of its addresses.
const struct health_target *health_target(const struct health *health, size_t target);
// The addresses that are probed for it, into list[CONFIG_ADDRESSES_MAX], in the order they were given. Returns how many.
size_t health_addresses(const struct health *health, size_t target, struct health_address *list);
// Whether every address has a result, see health_ops.settled.
bool health_settled(const struct health *health);

void health_stats(const struct health *health, struct health_stats *ret_stats);
