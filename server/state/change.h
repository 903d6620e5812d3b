// One change of the overrides on its way into the store. Made by the main thread; then the writer's, which frees it.
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "state/override.h"

enum change_type { CHANGE_PUT, CHANGE_REMOVE, CHANGE_EXPIRE };

struct change {
	enum change_type type;
	struct override *put;        // CHANGE_PUT: owned; its revision is set by the commit
	struct override_match match; // CHANGE_REMOVE: owns its texts
	int64_t now_s;               // CHANGE_EXPIRE: what ran out by then,
	uint64_t upto;               // of those given by this revision
	// Set by the commit.
	int err;
	uint64_t revision;           // of this change; 0: nothing has changed
};

// NULL: out of memory.
struct change *change_put(const struct override *override) MUST_USE;
struct change *change_remove(const struct override_match *match) MUST_USE;
struct change *change_expire(int64_t now_s, uint64_t upto) MUST_USE;
// Takes NULL; returns NULL.
struct change *change_free(struct change *change);
