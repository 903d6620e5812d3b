// Weighted records; see plain.h.
#include "traffic/plain.h"

#include <math.h>

#include "base/hash.h"
#include "view/app.h"
#include "view/live.h"
#include "view/view.h"

// Of the records without one of the barred bits; those of weight 0 only with `any_weight`, and then evenly.
static int choose(const struct live *live, const struct app *app, uint64_t draw, uint8_t barred, bool any_weight)
{
	const struct view *view = live->view;
	double best_score = 0;
	int best = -1;

	for (uint32_t slot = 0; slot < app->target_count; slot++) {
		const struct target *target = &view->targets[app->first_target + slot];
		uint64_t mixed = hash_mix(draw ^ view->sites[target->site].seed);
		double score = (any_weight ? 1 : target->weight) / -log(((double)(mixed >> 11) + 0.5) * 0x1p-53);

		if (live_state(live, app->first_target + slot) & barred || score <= best_score)
			continue;
		best_score = score;
		best = (int)slot;
	}
	return best;
}

int plain_record(const struct live *live, const struct app *app, uint64_t draw)
{
	static const uint8_t barred[] = {TARGET_CLOSED, TARGET_DRAINED | TARGET_EMPTY};
	int slot = -1;

	for (unsigned i = 0; i < ARRAY_LEN(barred) && slot < 0; i++) {
		slot = choose(live, app, draw, barred[i], false);
		if (slot < 0)
			slot = choose(live, app, draw, barred[i], true);
	}
	return slot;
}
