// The index of a view: from names to numbers, and from sites to targets. Made with the view on the builder's thread, so
// that names given by operators, or compared by a reload, are found without a linear search.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct view;

struct view_index {
	uint32_t *apps, *sites;        // open addressing: number + 1, 0: empty
	uint32_t app_mask, site_mask;
	uint32_t *site_first;          // by site: index of its first target in site_targets; one more at the end
	uint32_t *site_targets;        // target numbers, site by site, ascending within a site
	uint32_t *site_ttl_s;          // by site: the longest TTL of an app with a target there
	uint32_t *site_apps;           // app numbers of the targets in site_targets
	struct index_app *brief_apps;  // by app
};

// What a walk over very many apps reads of each, kept compact.
struct index_app {
	uint32_t first_target;
	uint16_t target_count;
	bool all_public;               // every one of its targets is at a public site
};

// Makes the index of a view with all its sites, apps and targets, in the view's arena. E_NOMEM.
int index_view(struct view *view) MUST_USE;

// The number of an app (regardless of case) or a site by name; -1: the view has none.
int index_find_app(const struct view *view, const char *name) PURE;
int index_find_site(const struct view *view, const char *name) PURE;
// An app whose name is spelled exactly so: for what is kept by name, where another case is another name.
int index_find_spelled(const struct view *view, const char *name) PURE;
// The number of an app's target at a site, both given by number; -1: it has none there.
int index_target_at(const struct view *view, uint32_t app, uint32_t site) PURE;
// The same by name, the app's spelled exactly so; -1: the view has no such app, site or target.
int index_find_target(const struct view *view, const char *app, const char *site) PURE;
// The numbers of the targets at a site, how many in *ret_count. Owned by the view.
const uint32_t *index_targets_of(const struct view *view, uint32_t site, uint32_t *ret_count);
