// Selectors against the sites of a view; see cover.h.
#include "control/cover.h"

#include <string.h>

#include "base/attr.h"
#include "base/must.h"
#include "base/names.h"
#include "state/selector.h"
#include "state/state.h"
#include "view/index.h"
#include "view/view.h"

struct at {
	const struct view *view;
	const struct site *site;
};

static bool is_reached(const void *ctx, const char *carrier)
{
	const struct at *at = ctx;
	int number = names_find(at->view->places->carriers, carrier, strlen(carrier));

	return number > 0 && !at->site->is_public && site_reached_by(at->site, (uint16_t)number);
}

bool cover_site(const struct view *view, const struct override *override, uint32_t site)
{
	struct at at = {view, &view->sites[site]};
	const struct selector_site facts = {at.site->name, at.site->region, is_reached, &at};

	must(site < view->site_count);
	return selector_matches(override->site, &facts);
}

int cover_next_site(const struct view *view, const struct override *override, int site)
{
	if (!selector_is(override->site)) {
		int only = index_find_site(view, override->site);

		return only >= site ? only : -1;
	}
	for (; (uint32_t)site < view->site_count; site++)
		if (cover_site(view, override, (uint32_t)site))
			return site;
	return -1;
}

void cover_lists(const struct view *view, const struct override *override,
                 void (*each)(void *ctx, const uint32_t *targets, uint32_t count), void *ctx)
{
	int app = override->app ? index_find_spelled(view, override->app) : -1;

	if (override->app && app < 0)
		return;
	for (int site = 0; (site = cover_next_site(view, override, site)) >= 0; site++) {
		uint32_t count;
		const uint32_t *targets = index_targets_of(view, (uint32_t)site, &count);
		int found = app >= 0 ? index_target_at(view, (uint32_t)app, (uint32_t)site) : -1;
		uint32_t own = (uint32_t)found;

		if (found >= 0)
			each(ctx, &own, 1);
		else if (app < 0 && count > 0)
			each(ctx, targets, count);
	}
}

struct each {
	void (*each)(void *ctx, uint32_t target);
	void *ctx;
};

static void each_of(void *ctx, const uint32_t *targets, uint32_t count)
{
	const struct each *each = ctx;

	for (uint32_t i = 0; i < count; i++)
		each->each(each->ctx, targets[i]);
}

void cover_each(const struct view *view, const struct override *override, void (*each)(void *ctx, uint32_t target),
                void *ctx)
{
	struct each all = {each, ctx};

	cover_lists(view, override, each_of, &all);
}

static void count_list(void *ctx, const uint32_t *targets UNUSED, uint32_t count)
{
	*(size_t *)ctx += count;
}

size_t cover_count(const struct view *view, const struct override *override)
{
	size_t count = 0;

	cover_lists(view, override, count_list, &count);
	return count;
}

const struct override *cover_drained(const struct state *state, const struct view *view, const char *app, uint32_t site,
                                     int64_t now_s)
{
	const struct override *best = state_drained(state, app, view->sites[site].name, now_s);

	for (size_t i = 0; i < state_selector_count(state); i++) {
		const struct override *drain = state_selector_at(state, i);

		if (!drain->has_begun || !override_holds(drain, now_s) ||
		    (drain->app && (!app || strcmp(drain->app, app) != 0)) || !cover_site(view, drain, site))
			continue;
		if (!best || override_lasts_longer(drain, best))
			best = drain;
	}
	return best;
}
