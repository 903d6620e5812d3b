// Views: freeing them, finding things in them by name; see view.h.
#include "view/view.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct view *view_free(struct view *view)
{
	if (!view)
		return NULL;
	for (uint32_t i = 0; i < view->steer_count; i++)
		steer_free(view->steers[i]);
	free(view->steers);
	free(view->handouts);
	zonedb_free(view->zones);
	places_free(view->places);
	arena_free(view->arena);
	free(view);
	return NULL;
}

uint64_t view_handouts(const struct view *view, uint32_t target)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < view->workers; i++)
		sum += atomic_load_explicit(&view->handouts[(size_t)i * view->handout_stride + target],
		                            memory_order_relaxed);
	return sum;
}

int view_find_site(const struct view *view, const char *name)
{
	for (uint32_t i = 0; i < view->site_count; i++)
		if (strcmp(view->sites[i].name, name) == 0)
			return (int)i;
	return -1;
}

int view_find_app(const struct view *view, const char *name)
{
	for (uint32_t i = 0; i < view->app_count; i++)
		if (strcasecmp(view->apps[i].name, name) == 0)
			return (int)i;
	return -1;
}

int view_find_target(const struct view *view, const char *app, const char *site)
{
	int app_number = view_find_app(view, app), site_number = view_find_site(view, site);

	if (app_number < 0 || site_number < 0)
		return -1;

	const struct app *found = &view->apps[app_number];

	for (uint32_t i = 0; i < found->target_count; i++)
		if (view->targets[found->first_target + i].site == site_number)
			return (int)(found->first_target + i);
	return -1;
}

struct steer_input view_steer_input(const struct view *view)
{
	return (struct steer_input){view->places, view->sites, &view->model, view->measured};
}
