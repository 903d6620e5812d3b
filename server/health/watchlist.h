// The targets of one configuration as health.c watches them, each with its probe, its score and its timer. A list is
// made on the thread that builds a generation, while another one is in use: targets that keep their app, site, address
// and check share one watch in both lists, so that taking a list into use costs time only for the differences.
#pragma once

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/attr.h"
#include "health/probe.h"
#include "health/result.h"

struct config;
struct due_queue;

enum { WATCHLIST_NONE = UINT32_MAX };

// One watched target. Lives as long as successive lists keep its app, site, address and check.
struct watch {
	struct probe probe;         // check NULL: not probed
	struct health *health;      // NULL until it is first scheduled
	const char *site;
	uint32_t slot;              // index of the lists' arrays by slot; stays when the target's number changes
	struct health_target shown; // `up` is also in the list's `up`
	unsigned score;             // see score.h; undefined before `decided`
	bool decided;               // a result, or a saved state, has set the score
	bool settled;               // has been probed, or has a saved state
	bool started;               // has been probed
	bool extended;              // the deadline of the probe under way has been extended
	struct due_queue *due;      // that it is in, see due.h; NULL: none
	int64_t start_ms;           // monotonic: scheduled start of the probe under way, or else of the next one
	int64_t alarm_ms;           // monotonic: when the timer is to fire
	int64_t began_ns;           // monotonic: actual start of the last probe
	struct event timer;         // the next start; while a probe is under way, its deadline
	TAILQ_ENTRY(watch) queued;
	char names[];               // the app's and the site's
};

// A watch that the previous list did not have, and the one for the same app, site and address that it replaces.
struct watch_fresh {
	struct watch *watch;
	const struct watch *before; // NULL: none, or one whose state says nothing about this target
	uint32_t slot;              // the watch's slot and state as made, so that taking the list into use need not
	bool up;                    // touch a watch that takes over nothing
};

struct watchlist {
	struct watch **watches;     // by target number
	uint32_t *slots;            // by target number
	uint32_t count;             // of targets
	uint32_t *numbers;          // by slot: the target's number; WATCHLIST_NONE: unused, or of a watch that was removed
	uint8_t *up;                // by slot; valid once the list is in use
	uint32_t slot_count;
	uint32_t unchecked;         // targets without a check
	double probes_at_worst;     // under way at once if every target times out: the sum of timeout / interval
	struct check **checks;      // of this configuration; each is freed with its last watch
	size_t check_count;
	struct watch_fresh *fresh;
	size_t fresh_count;
	size_t fresh_unsettled;     // fresh watches that are not settled, as made
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

// Frees a watch and, with the last watch that refers to it, its check. It must be neither queued nor under way. Main
// thread.
void watchlist_free_watch(struct watch *watch);
// The list is in use now: lets its fresh watches own its checks, and forgets `previous`. Main thread.
void watchlist_adopt(struct watchlist *watchlist);
// Sets a fresh watch's initial state from the watch that it replaces. Main thread, as states are read.
void watchlist_inherit(const struct watch_fresh *fresh);
