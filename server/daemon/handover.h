// What a generation takes over from the one in use: worked out on the builder's thread, so that the main thread has no walk
// over every target left but the plain copying of an octet for each. See DESIGN section 4.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct config;
struct handouts;
struct merge;
struct view;
struct watchlist;

// A target of the view in use that caches may hold for longer than the next generation says: its TTL goes down, or it goes
// itself. The names are the view's in use.
struct handover_lingering {
	const char *app, *site;
	uint32_t ttl_s;       // that it was handed out with
	uint8_t gone;         // 1: the next generation does not have the target
};

struct handover {
	struct watchlist *watchlist;  // made beside the one in use
	struct merge *merge;          // of the next view, with nothing set
	struct handover_lingering *lingering;
	size_t lingering_count;
};

// `view` of `config`, not published yet, takes over from `previous` and the list of watches in use (both NULL: the first
// generation), which must stay while this runs. Its targets get their counters from `handouts`. E_NOMEM, E_LIMIT.
int handover_prepare(const struct config *config, struct view *view, const struct view *previous,
                     const struct watchlist *watchlist, struct handouts *handouts,
                     struct handover **ret_handover) MUST_USE;
// Frees it with what nobody has taken out of it. Takes NULL; returns NULL.
struct handover *handover_free(struct handover *handover);
