// What all providers give at one moment, one row for each app and site; immutable, shared by reference count, and sorted
// by app and site. A config decides what of it is used, see join.h.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/users.h"
#include "config/config.h"
#include "edgesteer-plugin.h"

struct arena;
struct merged;

// Texts are the snapshot's.
struct provided {
	const char *app, *site;
	const char *alias;           // NULL: `addresses`
	const struct addr *addresses;
	size_t address_count;
	struct addr check_address;   // family ADDR_NONE: none
	const char *check_name;      // NULL: none
	const char *from;            // "file targets.csv: KEY", for people
	const char *provider;        // "file targets.csv"
	const char *key;
	struct mark mark;            // of the entry in `providers`
	enum ready_rule rule;
	enum edgesteer_health ready; // at that moment
	bool is_stale;               // not confirmed since the start
};

struct snapshot {
	struct users users;
	struct arena *arena;
	const struct provided *targets;
	size_t count;
};

// With one user. NULL when out of memory. Main thread.
struct snapshot *snapshot_new(const struct merged *merged) MUST_USE;
// Any thread. Returns `snapshot`.
struct snapshot *snapshot_hold(struct snapshot *snapshot);
// Frees it with its last user. Takes NULL; returns NULL. Any thread.
struct snapshot *snapshot_release(struct snapshot *snapshot);
