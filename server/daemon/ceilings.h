// Sites and targets with a ceiling: what they are answered is measured, or their load is pushed, and what is above it spills.
// Main thread only, but for ceilings_new().
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct ceilings;
struct config;
struct control_ceiling;
struct merge;
struct view;

// Those of a config, for its view. Walks over all that there is: on the builder's thread. NULL when out of memory.
struct ceilings *ceilings_new(const struct config *config, const struct view *view) MUST_USE;
// Takes NULL; returns NULL.
struct ceilings *ceilings_free(struct ceilings *ceilings);

// These take the place of `before` (NULL: nothing), which is freed: what there was before keeps its share.
void ceilings_follow(struct ceilings *ceilings, struct ceilings *before);
// To be called every second or so. True: a share has changed, and ceilings_apply() is to follow.
bool ceilings_turn(struct ceilings *ceilings, const struct view *view, int64_t now_ms);
// Sets the shares of all targets concerned. Out of memory, of some of them; the next call does it.
void ceilings_apply(const struct ceilings *ceilings, const struct view *view, struct merge *merge);

// All that are of answers, into a list for CONTROL_CEILINGS_MAX. How many.
size_t ceilings_list(const struct ceilings *ceilings, struct control_ceiling *list);
// A figure for the load ceiling of a site (`app` NULL) or a target, 0 or more, that counts for `ttl_ms`. E_NOTFOUND: it has none.
int ceilings_load(struct ceilings *ceilings, const char *app, const char *site, double figure, int64_t ttl_ms, int64_t now_ms) MUST_USE;

struct ceilings_shown {
	double ceiling, rate; // answers a second; or the load, by its last figure
	uint32_t share;       // of SHARE_ALL
	int64_t age_ms;       // of the figure; -1: there is none that counts
};
// The one of answers, or of the load, of a site (`app` NULL) or a target. False: it has none.
bool ceilings_of(const struct ceilings *ceilings, const char *app, const char *site, bool of_load, int64_t now_ms,
                 struct ceilings_shown *ret_shown);
