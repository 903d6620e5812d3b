// Views made by hand of nothing but sites, apps and targets, indexed, for tests of what goes by names and numbers.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "view/view.h"

enum { PLAINVIEW_SITES_MAX = 32 };

struct plainview_app {
	const char *name;
	uint32_t ttl_s;
	uint32_t sites; // a bit for each site, the first one's is the lowest: where it has a target
};

// `sites` ends with NULL. Texts are copied. Freed by view_free().
struct view *plainview_new(uint64_t generation, const char *const *sites, const struct plainview_app *apps,
                           size_t count);
// The number of an app's target at a site, found by walking over all of them; -1: there is none.
int plainview_target(const struct view *view, const char *app, const char *site);
// The configuration that would give the view: every target at one address and with one check, which may be changed. It
// goes with the view.
struct config *plainview_config(const struct view *view);
