// The targets of one configuration as health.c watches them. A list is made on the thread that builds a generation, while
// another one is in use: targets that keep their app, site, addresses and check share one watch in both lists, so that
// taking a list into use costs time only for the differences.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "health/watch.h"

struct config;

enum { WATCHLIST_NONE = UINT32_MAX };

// A watch that the previous list did not have, and the one for the same app and site that it replaces.
struct watch_fresh {
	struct watch *watch;
	struct watch *before;       // NULL: none
	bool inherits;              // what is known of that one; else it says nothing about this target
	uint32_t slot;              // the watch's slot and marks as made, so that taking the list into use need not
	uint8_t marks;              // touch a watch that takes over nothing
};

struct watchlist {
	struct watch **watches;     // by target number
	uint32_t *slots;            // by target number
	uint32_t count;             // of targets
	uint32_t *numbers;          // by slot: the target's number; WATCHLIST_NONE: unused, or of a watch that was removed
	uint8_t *marks;             // by slot: enum watch_mark; valid once the list is in use
	uint32_t slot_count;
	uint32_t unchecked;         // targets without a check
	double at_worst[CHECK_TYPE_COUNT]; // probes under way at once if every address times out: the sum of timeout / interval
	struct check **checks;      // of this configuration; each is freed with its last watch
	size_t check_count;
	struct watch_fresh *fresh;
	size_t fresh_count;
	size_t fresh_unsettled;     // endpoints of fresh watches that are not settled, as made
	struct watch **gone;        // of the previous list, not in this one
	size_t gone_count;
	const struct watchlist *previous; // the list in use when it was made; NULL: none
};

// Makes a list of the config's targets. `previous` is the list in use (NULL: none), which must stay; its numbers, names
// and checks are read, not its states. E_NOMEM; E_LIMIT: an `expect-body` is too long. Any thread.
int watchlist_new(const struct config *config, const struct watchlist *previous,
                  struct watchlist **ret_watchlist) MUST_USE;
// Frees a list that was never taken into use, and its fresh watches. Takes NULL; returns NULL.
struct watchlist *watchlist_discard(struct watchlist *watchlist);
// Frees the arrays of a list, but not its watches. Takes NULL; returns NULL.
struct watchlist *watchlist_free(struct watchlist *watchlist);

// The list is in use now: lets its fresh watches own its checks, and forgets `previous`. Main thread.
void watchlist_adopt(struct watchlist *watchlist);
