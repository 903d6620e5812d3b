// What is known of a name that is looked up, and who is told of changes. For resolve.h and what stands below it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum {
	RESOLVE_ADDRESSES_MAX = 32, // of one name; of more, the lowest of each family
	RESOLVE_NAMES_MAX = 32768,
	RESOLVE_SERVERS_MAX = 8,
	RESOLVE_ERROR_LEN = 256,
};

// The addresses of a name as they are kept.
struct resolve_addresses {
	struct addr list[RESOLVE_ADDRESSES_MAX]; // in ascending order, IPv4 first
	size_t count;
	uint32_t ttl_s;  // as received, at least the floor
	int64_t good_s;  // wall clock: when a look-up last confirmed them; 0: never
};

// What is known of a name.
struct resolve_name {
	const char *name;
	struct resolve_addresses last_good;
	bool is_known;         // has been looked up, or was saved; else there is nothing to be told yet
	bool is_stale;         // the last look-up has not confirmed the addresses, or they are from before the start
	bool is_expired;       // stale for longer than max_age_s
	int64_t next_ms;       // monotonic: the next look-up; 0: one is under way, or waits for its turn
	uint64_t failures;     // look-ups that failed since the start
	char error[RESOLVE_ERROR_LEN]; // why the last look-up failed; "": it did not
};

// How long things take; 0 stands for the default.
struct resolve_pace {
	unsigned floor_ms;     // the least time between two look-ups of a name, and the least TTL: 5 s
	unsigned cap_ms;       // the most: 1 h
	unsigned retry_ms;     // after a failure: 5 s,
	unsigned retry_for_ms; // for so long: 1 min; then the pause doubles each time,
	unsigned retry_max_ms; // up to 5 min
	unsigned gather_ms;    // how long the first of the two replies waits for the other: 50 ms
	unsigned first_ms;     // how long settled() waits for names of which nothing is known: 5 s
};

// Called from the event loop, never from inside a call of resolve.h, except for `saved`. They may call resolve_get().
struct resolve_ops {
	// The addresses, their TTL, is_known, is_stale or is_expired have changed. Valid during the call.
	void (*changed)(void *ctx, const struct resolve_name *name);
	// To be saved: the addresses have changed, or good_s is a minute newer than what was saved last.
	void (*save)(void *ctx, const struct resolve_name *name);
	// The addresses saved before a restart. False: none. Called by resolve_configure(), for names that are new.
	bool (*saved)(void *ctx, const char *name, struct resolve_addresses *ret_addresses);
	// Something is known of every name of the first resolve_configure(), or has been looked for in vain, or first_ms have
	// passed. Once.
	void (*settled)(void *ctx);
	void *ctx;
	struct resolve_pace pace;
};
