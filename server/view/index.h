// The index of a view: names to numbers, and the targets of each site. Made with the view on the builder's thread, so that
// what an operator names, or a reload compares, is found without a walk over everything.
#pragma once

#include <stdint.h>

#include "base/attr.h"

struct view;

struct view_index {
	uint32_t *apps, *sites;        // open addressing: number + 1, 0: empty; owned by the view
	uint32_t app_mask, site_mask;
	uint32_t *site_first;          // by site: where its targets begin in site_targets; one more at the end
	uint32_t *site_targets;        // target numbers, site by site, each site's ascending
};

// Indexes a view whose sites, apps and targets are all there. E_NOMEM. index_wipe() in every case.
int index_view(struct view *view) MUST_USE;
void index_wipe(struct view_index *index);

// The number of an app (letters' case apart) or a site; -1: the view has none of that name.
int index_find_app(const struct view *view, const char *name) PURE;
int index_find_site(const struct view *view, const char *name) PURE;
// An app that is spelled just so: for what is kept by name, where the name in other letters' case is another one.
int index_find_spelled(const struct view *view, const char *name) PURE;
// The number of an app's target at a site, both by number; -1: it has none there.
int index_target_at(const struct view *view, uint32_t app, uint32_t site) PURE;
// The targets at a site, by number.
const uint32_t *index_targets_of(const struct view *view, uint32_t site, uint32_t *ret_count);
