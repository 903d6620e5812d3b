// Open addressing by name, and a counting sort of the targets by site; see index.h.
#include "view/index.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"
#include "view/view.h"

enum { NAME_BYTES = 256 }; // hashed at a time

// Ignores the case of letters.
static uint64_t hash_of(const char *name)
{
	char folded[NAME_BYTES];
	uint64_t hash = 0;

	while (*name) {
		size_t len = 0;

		for (; name[len] && len < sizeof(folded); len++)
			folded[len] = (char)tolower((unsigned char)name[len]);
		hash = hash_bytes(hash, folded, len);
		name += len;
	}
	return hash_mix(hash);
}

static const char *app_name(const struct view *view, uint32_t number)
{
	return view->apps[number].name;
}

static const char *site_name(const struct view *view, uint32_t number)
{
	return view->sites[number].name;
}

static int make_table(struct view *view, uint32_t count, const char *(*name)(const struct view *, uint32_t),
                      uint32_t **ret_slots, uint32_t *ret_mask)
{
	uint32_t mask = 15;

	while (mask < (uint64_t)count * 2)
		mask = mask * 2 + 1;

	uint32_t *slots = arena_take_array(view->arena, (size_t)mask + 1, sizeof(*slots));

	if (!slots)
		return E_NOMEM;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = (uint32_t)hash_of(name(view, i)) & mask;

		while (slots[at])
			at = (at + 1) & mask;
		slots[at] = i + 1;
	}
	*ret_slots = slots;
	*ret_mask = mask;
	return E_OK;
}

static int sort_targets(struct view *view, struct view_index *index)
{
	uint32_t *first = arena_take_array(view->arena, (size_t)view->site_count + 2, sizeof(*first));
	uint32_t *targets = arena_take_array(view->arena, (size_t)view->target_count + 1, sizeof(*targets));

	index->site_first = first;
	index->site_targets = targets;
	index->site_apps = arena_take_array(view->arena, (size_t)view->target_count + 1, sizeof(*index->site_apps));
	if (!first || !targets || !index->site_apps)
		return E_NOMEM;
	// Counted one element further on, so that filling moves each start to its final position.
	for (uint32_t i = 0; i < view->target_count; i++) {
		must(view->targets[i].site < view->site_count);
		first[view->targets[i].site + 2]++;
	}
	for (uint32_t i = 1; i < view->site_count + 2; i++)
		first[i] += first[i - 1];
	for (uint32_t i = 0; i < view->target_count; i++) {
		uint32_t at = first[view->targets[i].site + 1]++;

		targets[at] = i;
		index->site_apps[at] = (uint32_t)(view->targets[i].app - view->apps);
		must(index->site_apps[at] < view->app_count);
	}
	must(first[view->site_count] == view->target_count);
	return E_OK;
}

static int sum_up(struct view *view, struct view_index *index)
{
	index->site_ttl_s = arena_take_array(view->arena, (size_t)view->site_count + 1, sizeof(*index->site_ttl_s));
	index->brief_apps = arena_take_array(view->arena, (size_t)view->app_count + 1, sizeof(*index->brief_apps));
	if (!index->site_ttl_s || !index->brief_apps)
		return E_NOMEM;
	for (uint32_t i = 0; i < view->app_count; i++) {
		const struct app *app = &view->apps[i];

		must(app->first_target <= view->target_count && app->target_count <= view->target_count - app->first_target);
		index->brief_apps[i] = (struct index_app){app->first_target, app->target_count, true};
		for (uint32_t k = app->first_target; k < app->first_target + app->target_count; k++) {
			uint16_t site = view->targets[k].site;

			index->brief_apps[i].all_public = index->brief_apps[i].all_public && view->sites[site].is_public;
			if (app->ttl_s > index->site_ttl_s[site])
				index->site_ttl_s[site] = app->ttl_s;
		}
	}
	return E_OK;
}

int index_view(struct view *view)
{
	struct view_index *index = arena_take(view->arena, sizeof(*index));
	int err = index ? make_table(view, view->app_count, app_name, &index->apps, &index->app_mask) : E_NOMEM;

	if (err == E_OK)
		err = make_table(view, view->site_count, site_name, &index->sites, &index->site_mask);
	if (err == E_OK)
		err = sort_targets(view, index);
	if (err == E_OK)
		err = sum_up(view, index);
	if (err == E_OK)
		view->index = index;
	return err;
}

int index_find_app(const struct view *view, const char *name)
{
	const struct view_index *index = view->index;

	for (uint32_t at = (uint32_t)hash_of(name) & index->app_mask; index->apps[at]; at = (at + 1) & index->app_mask)
		if (strcasecmp(view->apps[index->apps[at] - 1].name, name) == 0)
			return (int)index->apps[at] - 1;
	return -1;
}

int index_find_spelled(const struct view *view, const char *name)
{
	int app = index_find_app(view, name);

	return app >= 0 && strcmp(view->apps[app].name, name) == 0 ? app : -1;
}

int index_find_site(const struct view *view, const char *name)
{
	const struct view_index *index = view->index;

	for (uint32_t at = (uint32_t)hash_of(name) & index->site_mask; index->sites[at]; at = (at + 1) & index->site_mask)
		if (strcmp(view->sites[index->sites[at] - 1].name, name) == 0)
			return (int)index->sites[at] - 1;
	return -1;
}

int index_target_at(const struct view *view, uint32_t app, uint32_t site)
{
	const struct app *found = &view->apps[app];

	must(app < view->app_count);
	for (uint32_t i = found->first_target; i < found->first_target + found->target_count; i++)
		if (view->targets[i].site == site)
			return (int)i;
	return -1;
}

int index_find_target(const struct view *view, const char *app, const char *site)
{
	int app_at = index_find_spelled(view, app), site_at = index_find_site(view, site);

	return app_at < 0 || site_at < 0 ? -1 : index_target_at(view, (uint32_t)app_at, (uint32_t)site_at);
}

const uint32_t *index_targets_of(const struct view *view, uint32_t site, uint32_t *ret_count)
{
	const struct view_index *index = view->index;

	must(site < view->site_count);
	*ret_count = index->site_first[site + 1] - index->site_first[site];
	return index->site_targets + index->site_first[site];
}
