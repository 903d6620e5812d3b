// The targets of one configuration as health.c watches them, each with its probe, its score and its timer. A list is made on
// the thread that builds a generation, beside the one in use: what keeps its app, site, address and check is the same watch
// in both, untouched, so that taking a list into use costs what differs.
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
struct line;

enum { WATCHLIST_NONE = UINT32_MAX };

// A target under watch. Lives as long as lists keep its app, site, address and check.
struct watch {
	struct probe probe;         // check NULL: nothing is probed
	struct health *health;      // NULL until it is first scheduled
	const char *site;
	uint32_t slot;              // in the lists' arrays by slot; stays when the target's number changes
	struct health_target shown; // `up` is in the list's `up` as well
	unsigned score;             // see score.h; means nothing before `decided`
	bool decided;               // some result, or a saved one, has given the score
	bool settled;               // has been probed, or has a saved state
	bool started;               // has been probed
	bool extended;              // the deadline of the probe under way has been put off
	struct line *line;          // of those whose time has come; NULL: it has not
	int64_t start_ms;           // monotonic: of the last probe while it is under way, else of the next one
	int64_t alarm_ms;           // monotonic: when the timer has something to do
	int64_t began_ns;           // monotonic: when the probe under way really began
	struct event timer;         // the next start; while a probe is under way, its deadline
	TAILQ_ENTRY(watch) in_line;
	char names[];               // the app's and the site's
};

// A watch that the list before did not have, and the one for the same app, site and address that it takes the place of.
struct watch_fresh {
	struct watch *watch;
	const struct watch *before; // NULL: none, or one whose state says nothing of this one
};

struct watchlist {
	struct watch **watches;     // by target number
	uint32_t *slots;            // by target number
	uint32_t count;             // of targets
	uint32_t *numbers;          // by slot: the target's number; WATCHLIST_NONE: nobody's, or of a watch that is gone
	uint8_t *up;                // by slot, of the list in use
	uint32_t slot_count;
	uint32_t unchecked;         // targets without a check
	double probes_at_worst;     // under way at once when every one times out: the sum of timeout / interval
	struct check **checks;      // of this configuration; each goes with its last watch
	size_t check_count;
	struct watch_fresh *fresh;
	size_t fresh_count;
	struct watch **gone;        // of the list before, not in this one
	size_t gone_count;
	const struct watchlist *previous; // that it was made beside
};

// Made of the config's targets; `previous` is the list in use (NULL: none), whose numbers, names and checks are read, not
// its states. E_NOMEM, E_LIMIT (a text to look for is too long).
int watchlist_new(const struct config *config, const struct watchlist *previous,
                  struct watchlist **ret_watchlist) MUST_USE;
// Frees a list that was never taken into use, with its fresh watches. Takes NULL; returns NULL.
struct watchlist *watchlist_discard(struct watchlist *watchlist);
// Frees the arrays of a list, not the watches. Takes NULL; returns NULL.
struct watchlist *watchlist_free(struct watchlist *watchlist);

// A watch and, with its last one, its check. It must be idle. Main thread.
void watchlist_free_watch(struct watch *watch);
// What was the list in use is `previous` no more: its checks count the fresh watches. Main thread.
void watchlist_adopt(struct watchlist *watchlist);
// Begins with what is known of the target. Main thread, as states are read.
void watchlist_inherit(const struct watch_fresh *fresh);
