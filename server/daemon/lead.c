// Which targets have the short TTL; see lead.h.
#include "daemon/lead.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/must.h"
#include "control/cover.h"
#include "daemon/addresses.h"
#include "state/state.h"
#include "view/index.h"
#include "view/view.h"

struct lead {
	uint64_t generation; // of the view that the numbers are of
	uint32_t *targets;   // that have the short TTL
	size_t count, room;
	uint64_t drains;     // stands for those that gave it
	bool is_short;       // of memory
};

struct lead *lead_new(void)
{
	return calloc(1, sizeof(struct lead));
}

struct lead *lead_free(struct lead *lead)
{
	if (lead)
		free(lead->targets);
	free(lead);
	return NULL;
}

// The longest TTL that the config gives to what the drain is of.
static uint32_t longest_ttl_s(const struct view *view, const struct override *drain)
{
	int app = drain->app ? index_find_spelled(view, drain->app) : -1;
	uint32_t ttl_s = 0;

	if (drain->app)
		return app < 0 ? 0 : view->apps[app].ttl_s;
	for (int site = 0; (site = cover_next_site(view, drain, site)) >= 0; site++)
		if (ttl_s < view->index->site_ttl_s[site])
			ttl_s = view->index->site_ttl_s[site];
	return ttl_s;
}

bool lead_is_due(const struct view *view, const struct override *drain, unsigned lead_s, int64_t wall_s)
{
	int64_t start_s = override_start_s(drain);

	if (drain->kind != OVERRIDE_DRAIN || drain->is_returning || cover_count(view, drain) > LEAD_TARGETS_MAX)
		return false;
	if (drain->has_begun)
		return drain->share_now > 0;
	return start_s - (int64_t)(lead_s ? lead_s : 2 * longest_ttl_s(view, drain)) <= wall_s;
}

static uint64_t due_now(const struct view *view, const struct state *state, unsigned lead_s)
{
	int64_t wall_s = clock_wall_s();
	uint64_t due = 0;

	for (size_t i = 0; i < state_override_count(state); i++) {
		const struct override *drain = state_override_at(state, i);

		if ((drain->over_s || !drain->has_begun) && lead_is_due(view, drain, lead_s, wall_s))
			due = due * 31 + drain->revision + 1;
	}
	return due;
}

struct lowering {
	struct lead *lead;
	const struct view *view;
};

static void lower_one(void *ctx, uint32_t target)
{
	const struct lowering *lowering = ctx;
	struct lead *lead = lowering->lead;

	if (lead->count == lead->room) {
		size_t room = lead->room ? lead->room * 2 : 64;
		uint32_t *targets = reallocarray(lead->targets, room, sizeof(*targets));

		if (!targets) {
			lead->is_short = true;
			return;
		}
		lead->targets = targets;
		lead->room = room;
	}
	if (addresses_cap(lowering->view, target, LEAD_TTL_S) < 0)
		lead->is_short = true;
	else
		lead->targets[lead->count++] = target;
}

// Those of a view that is gone are gone with it.
static void give_back(struct lead *lead, const struct view *view)
{
	size_t kept = 0;

	if (lead->generation != view->generation)
		lead->count = 0;
	for (size_t i = 0; i < lead->count; i++)
		if (addresses_cap(view, lead->targets[i], 0) < 0)
			lead->targets[kept++] = lead->targets[i];
	lead->is_short = kept > 0;
	lead->count = kept;
	lead->generation = view->generation;
}

bool lead_apply(struct lead *lead, const struct view *view, const struct state *state, unsigned lead_s,
                void (*lowered)(void *ctx, const char *site, uint32_t ttl_s), void *ctx)
{
	int64_t wall_s = clock_wall_s();
	uint64_t due = due_now(view, state, lead_s);
	struct lowering lowering = {lead, view};
	bool is_known = due == lead->drains; // for another view: what is answered has the short TTL already

	if (due == lead->drains && lead->generation == view->generation && !lead->is_short)
		return true;
	give_back(lead, view);
	lead->drains = due;
	for (size_t i = 0; i < state_override_count(state) && due; i++) {
		const struct override *drain = state_override_at(state, i);

		if ((!drain->over_s && drain->has_begun) || !lead_is_due(view, drain, lead_s, wall_s))
			continue;
		cover_each(view, drain, lower_one, &lowering);
		for (int site = 0; !is_known && (site = cover_next_site(view, drain, site)) >= 0; site++)
			lowered(ctx, view->sites[site].name, view->index->site_ttl_s[site]);
	}
	return !lead->is_short;
}
