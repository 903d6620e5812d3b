// The objects of all providers by the target that they mean, and which of them is used where several mean one. Main
// thread.
//
// Of the objects of one app and site, the one that is used:
//
//   the oldest of those that are there; of equal age that of the provider written first, then the first by key
//   none is there: the oldest of those that have vanished and are still answered
//   those with the same load balancer are one target with it: ready where one of them is
//   the others are not used, which is logged once
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum { MERGED_MAX = 131072 };

struct object;

// Zero-initialised is a valid, empty one.
struct merged {
	struct object **objects; // by app, site and preference
	size_t count;
	struct object **room;    // for as many as there may be after merged_settle()
	size_t cap;
	struct object **added;   // not in `objects` yet
	size_t added_count, added_cap;
	size_t gone;             // of `objects`
};

// The objects of one app and site.
struct merged_group {
	struct object **objects;
	size_t count;
	struct object *used;
	size_t used_count; // those that are one target, with it
	uint8_t ready;     // enum edgesteer_health, of them
};

void merged_done(struct merged *merged);
// Makes room for `count` more. E_NOMEM.
int merged_reserve(struct merged *merged, size_t count) MUST_USE;
// Takes ownership. There is room. To be followed by merged_settle().
void merged_add(struct merged *merged, struct object *object);
void merged_remove(struct merged *merged, struct object *object);
// Carries out what was added and removed.
void merged_settle(struct merged *merged);
// The ranks of providers have changed.
void merged_sort(struct merged *merged);

// The group at *at, which is moved behind it. False: there is none. After merged_settle().
bool merged_next(const struct merged *merged, size_t *at, struct merged_group *ret_group);
// False: there is no object of this app and site.
bool merged_find(const struct merged *merged, const char *app, const char *site, struct merged_group *ret_group);
