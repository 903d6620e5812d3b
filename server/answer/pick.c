// Chooses a target; see pick.h.
#include "answer/pick.h"

#include <math.h>

#include "answer/locate.h"
#include "base/hash.h"
#include "base/must.h"
#include "view/live.h"
#include "view/view.h"

const char *pick_outcome_text(enum pick_outcome outcome)
{
	static const char *const texts[] = {
		[PICK_HEALTHY] = "healthy",
		[PICK_FAIL_OPEN] = "fail-open",
		[PICK_DRAINED] = "all drained",
		[PICK_UNREACHABLE] = "none reachable",
	};

	must(outcome <= PICK_UNREACHABLE);
	return texts[outcome];
}

// The client's part of the rendezvous hash.
static uint64_t hash_key(const struct app *app, const struct location *where)
{
	struct addr cut = addr_cut(where->client, locate_hash_len(app, where));
	struct addr_key key = addr_key(&cut);

	return hash_mix(key.hi ^ hash_mix(key.lo + cut.family));
}

// Weighted rendezvous hashing over the allowed members of a group: each member's score is a hash of (client, site)
// scaled by its weight, and the highest wins. When a member goes down, only its own clients move. A standby (weight 0)
// is a group of its own.
static unsigned share(const struct live *live, const struct app *app, const struct ranking *ranking, unsigned first,
                      uint8_t barred, uint64_t key)
{
	const struct view *view = live->view;
	unsigned best = first;
	double best_score = -1;

	dev_must(ranking->steps[first].group_end >= first && ranking->steps[first].group_end < ranking->count);
	for (unsigned i = first; i <= ranking->steps[first].group_end; i++) {
		uint32_t number = app->first_target + ranking->steps[i].slot;
		const struct target *target = &view->targets[number];

		if (live_state(live, number) & barred)
			continue;

		uint64_t draw = hash_mix(key ^ view->sites[target->site].seed);
		double u = ((double)(draw >> 11) + 0.5) * 0x1p-53; // in (0, 1]
		double score = target->weight / -log(u);

		if (score > best_score) {
			best_score = score;
			best = i;
		}
	}
	return best;
}

// The index of the first step whose target has none of the `barred` bits; ranking->count if all have.
static unsigned first_allowed(const struct live *live, const struct app *app, const struct ranking *ranking,
                              uint8_t barred)
{
	unsigned i = 0;

	while (i < ranking->count && live_state(live, app->first_target + ranking->steps[i].slot) & barred)
		i++;
	return i;
}

struct pick pick_target(const struct live *live, const struct app *app, const struct location *where)
{
	const struct ranking *ranking = where->ranking;
	struct pick pick = {.outcome = PICK_HEALTHY};
	uint8_t barred = TARGET_DOWN | TARGET_DRAINED;
	unsigned i = first_allowed(live, app, ranking, barred);

	if (unlikely(i == ranking->count)) {
		barred = TARGET_DRAINED;
		pick.outcome = PICK_FAIL_OPEN;
		i = first_allowed(live, app, ranking, barred);
		if (i == ranking->count) {
			pick.outcome = ranking->count ? PICK_DRAINED : PICK_UNREACHABLE;
			return pick;
		}
	}
	if (unlikely(ranking->steps[i].group_end > i)) {
		i = share(live, app, ranking, i, barred, hash_key(app, where));
		pick.hashed = true;
	}
	pick.target_number = app->first_target + ranking->steps[i].slot;
	pick.target = &live->view->targets[pick.target_number];
	dev_must(pick.target->app == app && !(live_state(live, pick.target_number) & barred));
	return pick;
}
