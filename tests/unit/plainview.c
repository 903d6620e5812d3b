// Views made by hand; see plainview.h.
#include "plainview.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/must.h"
#include "view/index.h"

static void add_app(struct view *view, struct app *app, struct target *targets, const struct plainview_app *from)
{
	*app = (struct app){.name = arena_strdup(view->arena, from->name), .ttl_s = from->ttl_s,
	                    .first_target = view->target_count};
	must(app->name);
	for (uint16_t site = 0; site < view->site_count; site++)
		if (from->sites >> site & 1) {
			targets[view->target_count++] = (struct target){.app = app, .site = site, .slot = app->target_count};
			app->target_count++;
		}
}

struct view *plainview_new(uint64_t generation, const char *const *sites, const struct plainview_app *apps,
                           size_t count)
{
	struct view *view = calloc(1, sizeof(*view));

	must(view && (view->arena = arena_new(64 << 20)));
	view->generation = generation;
	while (sites[view->site_count])
		view->site_count++;
	must(view->site_count <= PLAINVIEW_SITES_MAX);

	struct site *all = arena_take_array(view->arena, view->site_count + 1, sizeof(*all));
	struct app *made = arena_take_array(view->arena, count + 1, sizeof(*made));
	struct target *targets = arena_take_array(view->arena, count * view->site_count + 1, sizeof(*targets));

	must(all && made && targets);
	for (uint32_t i = 0; i < view->site_count; i++)
		must((all[i].name = arena_strdup(view->arena, sites[i])));
	for (uint32_t i = 0; i < view->site_count; i++)
		all[i].is_public = i % 3 > 0;
	for (; view->app_count < count; view->app_count++)
		add_app(view, &made[view->app_count], targets, &apps[view->app_count]);
	view->sites = all;
	view->apps = made;
	view->targets = targets;
	must(index_view(view) == E_OK);
	return view;
}

int plainview_target(const struct view *view, const char *app, const char *site)
{
	for (uint32_t i = 0; i < view->target_count; i++) {
		const struct target *target = &view->targets[i];

		if (strcasecmp(target->app->name, app) == 0 && strcmp(view->sites[target->site].name, site) == 0)
			return (int)i;
	}
	return -1;
}

struct config *plainview_config(const struct view *view)
{
	struct arena *arena = view->arena;
	struct config *config = arena_take(arena, sizeof(*config));
	struct config_app *apps = arena_take_array(arena, view->app_count + 1, sizeof(*apps));
	struct config_site *sites = arena_take_array(arena, view->site_count + 1, sizeof(*sites));
	struct config_check *check = arena_take(arena, sizeof(*check));

	must(config && apps && sites && check);
	*check = (struct config_check){.name = "c", .type = CHECK_TCP, .port = 80, .interval_ms = 1000, .timeout_ms = 500,
	                               .rise = 1, .fall = 1};
	*config = (struct config){.arena = arena, .checks = check, .check_count = 1, .sites = sites, .apps = apps,
	                          .site_count = view->site_count, .app_count = view->app_count};
	for (uint32_t i = 0; i < view->site_count; i++)
		sites[i] = (struct config_site){.name = view->sites[i].name, .region = "", .is_public = true};
	for (uint32_t i = 0; i < view->app_count; i++) {
		const struct app *app = &view->apps[i];
		struct config_target *targets = arena_take_array(arena, (size_t)app->target_count + 1, sizeof(*targets));
		struct addr *addresses = arena_take_array(arena, (size_t)app->target_count + 1, sizeof(*addresses));

		must(targets && addresses);
		for (uint32_t k = 0; k < app->target_count; k++) {
			addresses[k] = (struct addr){ADDR_V4, {192, 0, 2, (uint8_t)view->targets[app->first_target + k].site}};
			targets[k] = (struct config_target){.site = view->targets[app->first_target + k].site,
			                                    .addresses = &addresses[k], .address_count = 1};
		}
		apps[i] = (struct config_app){.name = app->name, .ttl_s = app->ttl_s, .targets = targets,
		                              .target_count = app->target_count, .quorum = 1};
	}
	return config;
}
