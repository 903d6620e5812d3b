// Which targets are drained by what, and how far; see drains.h.
#include "daemon/drains.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/must.h"
#include "control/cover.h"
#include "daemon/merge.h"
#include "state/selector.h"
#include "state/state.h"
#include "view/index.h"
#include "view/live.h"
#include "view/view.h"

struct setting {
	struct merge *merge;
	const struct state *state;
	int64_t wall_s;
};

static struct setting setting_of(struct merge *merge, const struct state *state)
{
	return (struct setting){merge, state, clock_wall_s()};
}

// It has taken all clients.
static bool is_whole(const struct setting *setting, const struct override *drain)
{
	return override_holds(drain, setting->wall_s) && !drain->is_returning && drain->share_now == 0;
}

// One that gives clients back does until it is gone: its targets' answers are those of a part from its first moment to its
// end (RFC 7871: the scopes).
bool drains_is_moving(const struct override *drain)
{
	return drain->kind == OVERRIDE_DRAIN && drain->over_s && drain->has_begun &&
	       (drain->is_returning || drain->share_now > 0);
}

uint32_t drains_share(const struct override *drain)
{
	return drains_is_moving(drain) && drain->share_now == SHARE_ALL ? SHARE_ALL - 1 : drain->share_now;
}

// Whether a drain of selectors has taken the clients of an app (NULL: of every app) at the site.
static bool is_selected(const struct setting *setting, const char *app, uint32_t site)
{
	const struct view *view = merge_view(setting->merge);

	for (size_t i = 0; i < state_selector_count(setting->state); i++) {
		const struct override *drain = state_selector_at(setting->state, i);

		if ((app ? drain->app && strcmp(drain->app, app) == 0 : !drain->app) && is_whole(setting, drain) &&
		    cover_site(view, drain, site))
			return true;
	}
	return false;
}

static bool has_selectors_of_apps(const struct state *state)
{
	for (size_t i = 0; i < state_selector_count(state); i++)
		if (state_selector_at(state, i)->app)
			return true;
	return false;
}

static void set_target(const struct setting *setting, uint32_t target, bool whole_site)
{
	const struct target *at = &merge_view(setting->merge)->targets[target];

	merge_set_selected(setting->merge, target, whole_site || is_selected(setting, at->app->name, at->site));
}

static void set_selector(const struct setting *setting, const struct override *drain)
{
	const struct view *view = merge_view(setting->merge);
	bool has_apps = has_selectors_of_apps(setting->state);
	int app = drain->app ? index_find_spelled(view, drain->app) : -1;

	if (drain->app && app < 0)
		return;
	for (int site = 0; (site = cover_next_site(view, drain, site)) >= 0; site++) {
		bool whole_site = is_selected(setting, NULL, (uint32_t)site);
		uint32_t count;
		const uint32_t *targets = index_targets_of(view, (uint32_t)site, &count);
		int own = app >= 0 ? index_target_at(view, (uint32_t)app, (uint32_t)site) : -1;

		if (own >= 0)
			set_target(setting, (uint32_t)own, whole_site);
		for (uint32_t i = 0; app < 0 && i < count; i++) {
			if (has_apps)
				set_target(setting, targets[i], whole_site);
			else
				merge_set_selected(setting->merge, targets[i], whole_site);
		}
	}
}

// It takes all clients, or none: another drain that moves some of them says so again in drains_step().
static void end_parts(void *ctx, const uint32_t *targets, uint32_t count)
{
	merge_end_parts(ctx, targets, count);
}

void drains_set(struct merge *merge, const struct state *state, const struct override *drain, bool holds)
{
	const struct setting setting = setting_of(merge, state);

	cover_lists(merge_view(merge), drain, end_parts, merge);
	must(drain->kind == OVERRIDE_DRAIN);
	if (selector_is(drain->site))
		set_selector(&setting, drain);
	else
		merge_set_override(merge, drain, holds && is_whole(&setting, drain));
}

// A drain that moves clients, and the share that it leaves.
struct moving {
	const struct override *drain;
	uint32_t share;
	struct merge *merge;
	int err;
};

static int by_share(const void *a, const void *b)
{
	const struct moving *left = a, *right = b;

	return (left->share < right->share) - (left->share > right->share);
}

static void set_share(void *ctx, uint32_t target)
{
	struct moving *moving = ctx;

	if (moving->err == E_OK)
		moving->err = merge_set_share(moving->merge, target, MERGE_STAYING, moving->share);
}

// The smallest share comes last, and stays.
static int apply(struct moving *list, size_t count)
{
	int err = E_OK;

	if (count > 1)
		qsort(list, count, sizeof(*list), by_share);
	for (size_t i = 0; i < count && err == E_OK; i++) {
		cover_each(merge_view(list[i].merge), list[i].drain, set_share, &list[i]);
		err = list[i].err;
	}
	return err == E_OK ? count > 0 : err;
}

int drains_step(struct merge *merge, const struct state *state)
{
	size_t all = state_override_count(state), count = 0, i;
	struct moving *list = NULL;
	int err;

	for (i = 0; i < all && !drains_is_moving(state_override_at(state, i)); i++)
		;
	if (i == all)
		return 0;
	list = malloc((all - i) * sizeof(*list));
	if (!list)
		return E_NOMEM;
	for (; i < all; i++) {
		const struct override *drain = state_override_at(state, i);

		if (drains_is_moving(drain))
			list[count++] = (struct moving){drain, drains_share(drain), merge, E_OK};
	}
	err = apply(list, count);
	free(list);
	return err;
}

bool drains_finish(struct merge *merge, const struct state *state)
{
	bool any = false;

	for (size_t i = 0; i < state_override_count(state); i++) {
		const struct override *drain = state_override_at(state, i);

		// What is known to be safe has been finished before.
		if (drain->kind != OVERRIDE_DRAIN || !drain->over_s || !drain->has_begun || drain->safe_mono_s ||
		    drains_is_moving(drain))
			continue;
		drains_set(merge, state, drain, true);
		any = true;
	}
	return any;
}
