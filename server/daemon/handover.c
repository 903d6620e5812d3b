// Matches the targets of two views by name, and prepares everything that depends on it; see handover.h.
#include "daemon/handover.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/must.h"
#include "daemon/alias_plan.h"
#include "daemon/caches.h"
#include "daemon/ceilings.h"
#include "daemon/merge.h"
#include "health/judge.h"
#include "health/watchlist.h"
#include "view/handouts.h"
#include "view/index.h"
#include "view/learned.h"
#include "view/view.h"

enum { NONE = UINT32_MAX };

static const size_t GONE_BYTES_MAX = (size_t)4 << 30; // two names a target

// The number in `previous` of each target of `view`, or NONE. Names are looked up once per app and site. Owned by the
// caller; NULL: out of memory.
static uint32_t *match_targets(const struct view *view, const struct view *previous)
{
	uint32_t *old_of_new = malloc(((size_t)view->target_count + 1) * sizeof(*old_of_new));
	int *old_sites = malloc(((size_t)view->site_count + 1) * sizeof(*old_sites));

	if (!old_of_new || !old_sites) {
		free(old_of_new);
		free(old_sites);
		return NULL;
	}
	for (uint32_t i = 0; i < view->site_count; i++)
		old_sites[i] = previous ? index_find_site(previous, view->sites[i].name) : -1;
	for (uint32_t i = 0; i < view->app_count; i++) {
		const struct app *app = &view->apps[i];
		int old_app = previous ? index_find_app(previous, app->name) : -1;

		for (uint32_t k = app->first_target; k < app->first_target + app->target_count; k++) {
			int old_site = old_sites[view->targets[k].site];
			int found = -1;

			if (old_app >= 0 && old_site >= 0)
				found = index_target_at(previous, (uint32_t)old_app, (uint32_t)old_site);
			must(found < 0 || (uint32_t)found < previous->target_count);
			old_of_new[k] = found < 0 ? NONE : (uint32_t)found;
		}
	}
	free(old_sites);
	return old_of_new;
}

// Where each target of the view in use is in the next one. The caller frees it; NULL when out of memory.
static uint32_t *invert(const struct view *view, const struct view *previous, const uint32_t *old_of_new)
{
	uint32_t count = previous ? previous->target_count : 0;
	uint32_t *new_of_old = malloc(((size_t)count + 1) * sizeof(*new_of_old));

	if (!new_of_old)
		return NULL;
	for (uint32_t i = 0; i < count; i++)
		new_of_old[i] = NONE;
	for (uint32_t i = 0; i < view->target_count; i++)
		if (old_of_new[i] != NONE)
			new_of_old[old_of_new[i]] = i;
	return new_of_old;
}

static int add_gone(struct handover *handover, const char *app, const char *site)
{
	struct handover_gone *gone = &handover->gone[handover->gone_count++];

	*gone = (struct handover_gone){arena_strdup(handover->arena, app), arena_strdup(handover->arena, site)};
	return gone->app && gone->site ? E_OK : E_NOMEM;
}

// Notes what goes, and what caches may hold for longer than the next view allows. Targets that keep their TTL or get a
// longer one are left out: no cache holds them from the old view for longer than from the new one.
static int note_changes(struct handover *handover, const struct view *view, const struct view *previous,
                        const uint32_t *old_of_new)
{
	uint32_t *new_of_old = invert(view, previous, old_of_new);
	uint32_t count = previous ? previous->target_count : 0;
	int err = E_OK;

	handover->arena = arena_new(GONE_BYTES_MAX);
	handover->gone = handover->arena ? arena_take_array(handover->arena, (size_t)count + 1, sizeof(*handover->gone)) : NULL;
	if (!new_of_old || !handover->gone)
		err = E_NOMEM;
	for (uint32_t i = 0; err == E_OK && i < count; i++) {
		const struct target *old = &previous->targets[i];
		const char *app = old->app->name, *site = previous->sites[old->site].name;
		uint32_t now = new_of_old[i];

		if (now != NONE && view->targets[now].app->ttl_s >= old->app->ttl_s)
			continue;
		if (now == NONE)
			err = add_gone(handover, app, site);
		if (err == E_OK && !handover->caches_are_incomplete)
			err = caches_add(handover->caches, app, site, old->app->ttl_s);
		if (err == E_LIMIT) {
			handover->caches_are_incomplete = true;
			err = E_OK;
		}
	}
	free(new_of_old);
	return err;
}

int handover_prepare(const struct config *config, struct view *view, const struct handover_from *from,
                     struct handouts *handouts, struct handover **ret_handover)
{
	struct handover *handover = calloc(1, sizeof(*handover));
	uint32_t *old_of_new = handover ? match_targets(view, from->view) : NULL;
	int err = old_of_new ? handouts_bind(handouts, view, from->view, old_of_new) : E_NOMEM;

	if (handover)
		handover->old_of_new = old_of_new;
	if (err == E_OK && !(handover->caches = caches_next(from->caches)))
		err = E_NOMEM;
	if (err == E_OK)
		err = note_changes(handover, view, from->view, old_of_new);
	if (err == E_OK)
		err = watchlist_new(config, from->watchlist, &handover->watchlist);
	if (err == E_OK && !(handover->aliases = alias_plan_new(config)))
		err = E_NOMEM;
	if (err == E_OK && !(handover->ceilings = ceilings_new(config, view)))
		err = E_NOMEM;
	if (err == E_OK && !(handover->merge = merge_new(view)))
		err = E_NOMEM;
	if (err == E_OK && !(handover->frame = judge_frame_new(config)))
		err = E_NOMEM;
	if (err == E_OK)
		*ret_handover = handover;
	else
		handover_free(handover);
	return err;
}

struct handover *handover_free(struct handover *handover)
{
	if (!handover)
		return NULL;
	watchlist_discard(handover->watchlist);
	judge_frame_free(handover->frame);
	merge_free(handover->merge);
	learned_free(handover->learned);
	alias_plan_free(handover->aliases);
	ceilings_free(handover->ceilings);
	caches_free(handover->caches);
	free(handover->old_of_new);
	arena_free(handover->arena);
	free(handover);
	return NULL;
}
