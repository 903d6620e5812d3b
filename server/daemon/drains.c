// Which targets are drained by what; see drains.h.
#include "daemon/drains.h"

#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "control/cover.h"
#include "daemon/merge.h"
#include "state/selector.h"
#include "state/state.h"
#include "view/index.h"
#include "view/view.h"

struct setting {
	struct merge *merge;
	const struct state *state;
	int64_t now_ms;
};

// It has taken all clients.
static bool is_whole(const struct override *drain, int64_t now_ms)
{
	return override_holds(drain, now_ms / 1000) && override_share(drain, now_ms) == 0;
}

bool drains_is_moving(const struct override *drain, int64_t now_ms)
{
	int64_t end_ms = (override_start_s(drain) + drain->over_s) * 1000;

	return drain->kind == OVERRIDE_DRAIN && drain->over_s && drain->has_begun && now_ms < end_ms;
}

// Whether a drain of selectors has taken the clients of an app (NULL: of every app) at the site.
static bool is_selected(const struct setting *setting, const char *app, uint32_t site)
{
	const struct view *view = merge_view(setting->merge);

	for (size_t i = 0; i < state_selector_count(setting->state); i++) {
		const struct override *drain = state_selector_at(setting->state, i);

		if ((app ? drain->app && strcmp(drain->app, app) == 0 : !drain->app) && is_whole(drain, setting->now_ms) &&
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

void drains_set(struct merge *merge, const struct state *state, const struct override *drain, bool holds)
{
	const struct setting setting = {merge, state, clock_wall_ms()};

	must(drain->kind == OVERRIDE_DRAIN);
	if (selector_is(drain->site))
		set_selector(&setting, drain);
	else
		merge_set_override(merge, drain, holds && is_whole(drain, setting.now_ms));
}

bool drains_step(struct merge *merge, const struct state *state)
{
	bool any = false;

	for (size_t i = 0; i < state_override_count(state); i++) {
		const struct override *drain = state_override_at(state, i);

		if (drain->kind != OVERRIDE_DRAIN || !drain->over_s || !drain->has_begun || drain->safe_mono_s)
			continue;
		drains_set(merge, state, drain, true);
		any = true;
	}
	return any;
}
