// The index of a view: names to numbers, and the targets of each site. Made with the view on the builder's thread, so that
// what an operator names, or a reload compares, is found without a walk over everything.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct view;

struct view_index {
	uint32_t *apps, *sites;        // open addressing: number + 1, 0: empty
	uint32_t app_mask, site_mask;
	uint32_t *site_first;          // by site: where its targets begin in site_targets; one more at the end
	uint32_t *site_targets;        // target numbers, site by site, each site's ascending
	uint32_t *site_ttl_s;          // by site: the longest TTL of an app with a target there
	uint32_t *site_apps;           // of the target at the same place in site_targets
	struct index_app *brief_apps;  // by app
};

// What a walk over very many apps needs of each, side by side.
struct index_app {
	uint32_t first_target;
	uint16_t target_count;
	bool all_public;               // every one of its targets is at a public site
};

// Gives a view whose sites, apps and targets are all there its index, in its arena. E_NOMEM.
int index_view(struct view *view) MUST_USE;

// The number of an app (letters' case apart) or a site; -1: the view has none of that name.
int index_find_app(const struct view *view, const char *name) PURE;
int index_find_site(const struct view *view, const char *name) PURE;
// An app that is spelled just so: for what is kept by name, where the name in other letters' case is another one.
int index_find_spelled(const struct view *view, const char *name) PURE;
// The number of an app's target at a site, both by number; -1: it has none there.
int index_target_at(const struct view *view, uint32_t app, uint32_t site) PURE;
// The targets at a site, by number.
const uint32_t *index_targets_of(const struct view *view, uint32_t site, uint32_t *ret_count);
