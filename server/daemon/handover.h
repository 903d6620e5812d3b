// What a generation takes over from the one in use. Prepared on the builder's thread, so that the main thread's only
// walk over all targets is a copy of one byte for each.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct alias_plan;
struct arena;
struct caches;
struct ceilings;
struct config;
struct handouts;
struct judge_frame;
struct learned;
struct merge;
struct view;
struct watchlist;

// A target that the next generation does not have.
struct handover_gone {
	const char *app, *site; // in the handover's arena
};

struct handover {
	struct watchlist *watchlist;  // of the next generation; shares unchanged watches with the list in use
	struct judge_frame *frame;    // of the next generation
	struct merge *merge;          // of the next view: every target up, no override
	struct alias_plan *aliases;   // of the next view
	struct ceilings *ceilings;    // of the next view
	struct learned *learned;      // for the next view's sites and places; NULL: nothing, or they are the same
	struct caches *caches;        // with the targets whose TTL is reduced, or that are removed
	uint32_t *old_of_new;         // by the next view's targets: their numbers in use, or UINT32_MAX; owned
	struct arena *arena;
	struct handover_gone *gone;   // in the arena
	size_t gone_count;
	size_t gone_done;             // of them; kept by whoever works them off
	bool caches_are_incomplete;   // there were more than can be kept
};

// What is taken over from. All of it must stay as it is while handover_prepare() runs.
struct handover_from {
	const struct view *view;           // in use; NULL: none, and then the others are NULL as well
	const struct watchlist *watchlist; // in use
	const struct caches *caches;
};

// Prepares `view` of `config`, not published yet, to replace what is in use. Its targets get their counters from
// `handouts`. E_NOMEM; E_LIMIT: too many counters, or a check's text is too long. On the builder's thread.
int handover_prepare(const struct config *config, struct view *view, const struct handover_from *from,
                     struct handouts *handouts, struct handover **ret_handover) MUST_USE;
// Frees it, with what was not taken out of it (set to NULL). Takes NULL; returns NULL.
struct handover *handover_free(struct handover *handover);
