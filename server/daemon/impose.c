// Overrides by kind; see impose.h.
#include "daemon/impose.h"

#include "base/err.h"
#include "base/log.h"
#include "daemon/adopts.h"
#include "daemon/drains.h"
#include "daemon/merge.h"
#include "state/state.h"

void impose_one(struct merge *merge, const struct state *state, const struct config *config,
                const struct override *which, bool holds)
{
	switch (which->kind) {
	case OVERRIDE_DRAIN:
		drains_set(merge, state, which, holds);
		return;
	case OVERRIDE_FORCE:
		merge_set_override(merge, which, holds);
		return;
	case OVERRIDE_ADOPT:
		if (adopts_set(merge, config, which, holds) < 0)
			log_error("out of memory: all clients of %s are steered for now", which->app);
		return;
	}
}

void impose_all(struct merge *merge, const struct state *state, const struct config *config)
{
	for (size_t i = 0; i < state_override_count(state); i++) {
		const struct override *override = state_override_at(state, i);

		if (override->kind != OVERRIDE_ADOPT)
			impose_one(merge, state, config, override, true);
	}
	if (adopts_apply(merge, state, config) < 0)
		log_error("out of memory: some apps steer all of their clients, whatever their `adopt`, until the next reload");
	if (drains_step(merge, state) < 0)
		log_error("out of memory: drains over a time do not go on"); // they are tried again in a second
}

int impose_step(struct merge *merge, const struct state *state)
{
	bool any = drains_finish(merge, state);
	int moving = drains_step(merge, state), adopting = adopts_step(merge, state);

	if (moving < 0 || adopting < 0)
		return moving < 0 ? moving : adopting;
	return any || moving || adopting;
}

bool impose_is_moving(const struct override *override)
{
	return drains_is_moving(override) || adopts_is_moving(override);
}
