// Orders that hold nothing; see dangling.h. The view is walked once for all orders: there may be many of both.
#include "control/dangling.h"

#include <string.h>

#include "base/err.h"
#include "base/report.h"
#include "state/state.h"
#include "view/view.h"

static int name_order(struct table *named, const char *app, const char *site)
{
	if ((app && table_add(named, app, "", 0) == E_NOMEM) || table_add(named, "", site, 0) == E_NOMEM)
		return E_NOMEM;
	return E_OK;
}

static int name_orders(const struct state *state, size_t from, size_t count, struct table *named)
{
	size_t drains = state_drain_count(state), forces = state_force_count(state);
	int err = E_OK;

	for (size_t i = from; err == E_OK && i < drains && i - from < count; i++)
		err = name_order(named, state_drain_at(state, i)->app, state_drain_at(state, i)->site);
	for (size_t i = from; err == E_OK && i < forces && i - from < count; i++)
		err = name_order(named, state_force_at(state, i)->app, state_force_at(state, i)->site);
	return err;
}

static void find(struct table *named, const char *app, const char *site, uint32_t number)
{
	struct table_slot *slot = table_find(named, app, site);

	if (slot)
		slot->value = number + 1;
}

int dangling_look(const struct state *state, size_t from, size_t count, const struct view *view,
                struct dangling *ret_vacant)
{
	struct table named = {0};

	if (name_orders(state, from, count, &named) < 0) {
		table_done(&named);
		return E_NOMEM;
	}
	for (uint32_t i = 0; named.count && i < view->app_count; i++)
		find(&named, view->apps[i].name, "", i);
	for (uint32_t i = 0; named.count && i < view->site_count; i++)
		find(&named, "", view->sites[i].name, i);
	*ret_vacant = (struct dangling){view, named};
	return E_OK;
}

void dangling_done(struct dangling *vacant)
{
	table_done(&vacant->named);
}

// 1 + the number, 0 when the view does not have it.
static uint32_t number_of(const struct dangling *vacant, const char *app, const char *site)
{
	const struct table_slot *slot = table_find(&vacant->named, app, site);

	return slot ? slot->value : 0;
}

const char *dangling_why(const struct dangling *vacant, const char *app, const char *site)
{
	uint32_t site_number = number_of(vacant, "", site), app_number = app ? number_of(vacant, app, "") : 0;

	if (app && !app_number)
		return "no such app";
	if (!site_number)
		return "no such site";
	if (!app)
		return NULL;

	const struct app *found = &vacant->view->apps[app_number - 1];

	for (unsigned slot = 0; slot < found->target_count; slot++)
		if (vacant->view->targets[found->first_target + slot].site == site_number - 1)
			return NULL;
	return "the app has no target there";
}

void dangling_warn(const struct state *state, const struct view *view, struct report *report)
{
	struct dangling vacant;

	if (dangling_look(state, 0, STATE_ORDERS_MAX, view, &vacant) < 0) {
		report_warning(report, NULL, 0, 0, "out of memory: whether all drains and forces hold something is not known");
		return;
	}
	for (size_t i = 0; i < state_drain_count(state); i++) {
		const struct drain *drain = state_drain_at(state, i);
		const char *why = dangling_why(&vacant, drain->app, drain->site);

		if (why)
			report_warning(report, NULL, 0, 0, "the drain of %s%s%s holds nothing: %s; given by %s, reason: %s",
			               drain->app ? drain->app : "", drain->app ? " at " : "", drain->site, why, drain->who,
			               drain->reason ? drain->reason : "none given");
	}
	for (size_t i = 0; i < state_force_count(state); i++) {
		const struct force *force = state_force_at(state, i);
		const char *why = dangling_why(&vacant, force->app, force->site);

		if (why)
			report_warning(report, NULL, 0, 0, "the force of %s at %s to %s holds nothing: %s; given by %s", force->app,
			               force->site, force->to == FORCE_UP ? "up" : "down", why, force->who);
	}
	dangling_done(&vacant);
}
