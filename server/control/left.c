// Groups of clients; see left.h.
#include "control/left.h"

#include "base/must.h"
#include "view/live.h"
#include "view/view.h"

const struct site *left_site(const struct live *live, const struct app *app, unsigned slot)
{
	must(slot < app->target_count);
	return &live->view->sites[live->view->targets[app->first_target + slot].site];
}

// Stops at the first target that is up, usually the first.
enum left left_to(const struct live *live, const struct app *app, uint16_t carrier)
{
	enum left left = LEFT_NOTHING;

	for (unsigned slot = 0; slot < app->target_count; slot++) {
		uint8_t state = live_state(live, app->first_target + slot);

		if (!site_reached_by(left_site(live, app, slot), carrier))
			continue;
		if (!(state & (TARGET_CLOSED | TARGET_LEAVING)))
			return LEFT_UP;
		if (!(state & (TARGET_DRAINED | TARGET_LEAVING | TARGET_EMPTY)))
			left = LEFT_DOWN;
	}
	return left;
}

bool left_has_public(const struct live *live, const struct app *app)
{
	for (unsigned slot = 0; slot < app->target_count; slot++)
		if (left_site(live, app, slot)->is_public)
			return true;
	return false;
}

bool left_was_met(const struct live *live, const struct app *app, unsigned slot, uint16_t carrier)
{
	for (unsigned i = 0; i < slot; i++)
		if (!left_site(live, app, i)->is_public && site_reached_by(left_site(live, app, i), carrier))
			return true;
	return false;
}

void left_each_group(const struct live *live, const struct app *app, void (*group)(void *ctx, uint16_t carrier),
                     void *ctx)
{
	for (unsigned slot = 0; slot < app->target_count; slot++) {
		const struct site *site = left_site(live, app, slot);

		for (unsigned i = 0; i < site->carrier_count; i++)
			if (!left_was_met(live, app, slot, site->carriers[i]))
				group(ctx, site->carriers[i]);
	}
	if (left_has_public(live, app))
		group(ctx, LEFT_OTHERS);
}
