// What a generation takes over from the one in use. Prepared on the builder's thread, so that the main thread's only
// walk over all targets is a copy of one byte for each.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct config;
struct handouts;
struct merge;
struct view;
struct watchlist;

// A target that caches may hold for longer than the next generation allows: its TTL is reduced, or it is removed. The
// names are owned by the view in use.
struct handover_lingering {
	const char *app, *site;
	uint32_t ttl_s;       // with which it has been answered
	uint8_t gone;         // 1: the next generation does not have the target
};

struct handover {
	struct watchlist *watchlist;  // of the next generation; shares unchanged watches with the list in use
	struct merge *merge;          // of the next view: every target up, no override
	struct handover_lingering *lingering;
	size_t lingering_count;
};

// Prepares `view` of `config`, not published yet, to replace `previous` and the watchlist in use (both NULL: the first
// generation), which must stay while this runs. Its targets get their counters from `handouts`. E_NOMEM; E_LIMIT: too
// many counters, or a check's text is too long. On the builder's thread.
int handover_prepare(const struct config *config, struct view *view, const struct view *previous,
                     const struct watchlist *watchlist, struct handouts *handouts,
                     struct handover **ret_handover) MUST_USE;
// Frees it, with the watchlist and merge unless they were taken out (set to NULL). Takes NULL; returns NULL.
struct handover *handover_free(struct handover *handover);
