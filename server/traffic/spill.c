// Ceilings; see spill.h.
#include "traffic/spill.h"

#include "base/must.h"

static const double smoothing = 0.3; // of each new measurement
static const double aim = 0.95, still = 0.9; // of the ceiling

static uint32_t share_for(double share)
{
	return share >= SHARE_ALL ? SHARE_ALL : share <= SPILL_LEAST ? SPILL_LEAST : (uint32_t)share;
}

void spill_turn(struct spill *spill, double ceiling, double rate)
{
	uint32_t before = spill->share, most;

	must(ceiling > 0 && before > 0 && before <= SHARE_ALL);
	spill->rate += smoothing * (rate - spill->rate);
	if (spill->rate > ceiling) {
		spill->share = share_for(before * (aim * ceiling / spill->rate));
	} else if (spill->rate < still * ceiling && before < SHARE_ALL) {
		most = before + SHARE_ALL / 20;
		spill->share = share_for(spill->rate > 0 ? before * (aim * ceiling / spill->rate) : most);
		if (spill->share > most)
			spill->share = most;
	}
	spill->rate *= (double)spill->share / before; // as it will be
}
