// The targets of one configuration as health.c keeps them, each with its probe, its score and its timer. Owns copies of
// everything it took from the config.
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

// A target under watch. Lives as long as configurations keep its app, site, address and check.
struct watch {
	struct probe probe;         // check NULL: nothing is probed
	struct health *health;      // NULL until it is first scheduled
	const char *site;
	size_t number;
	struct health_target shown;
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
};

struct watchlist {
	struct arena *arena;        // checks and names
	struct watch **watches;     // by target number; each one by itself in memory, as watchlists pass them on
	size_t count;
};

// E_NOMEM, E_LIMIT.
int watchlist_new(const struct config *config, struct watchlist **ret_roster) MUST_USE;
// Frees it with the watches it still has, which must be idle. Takes NULL; returns NULL.
struct watchlist *watchlist_free(struct watchlist *watchlist);

// Passes watches on from `old` where app, site, address and check are the same: they take their successors' places,
// and NULL stays behind. Where only the check differs, the successor begins with the state of the old one. E_NOMEM:
// nothing has changed.
int watchlist_inherit(struct watchlist *watchlist, struct watchlist *old) MUST_USE;
