// Chooses a target; see pick.h.
#include "answer/pick.h"

#include <math.h>

#include "answer/locate.h"
#include "base/hash.h"
#include "base/must.h"
#include "view/learned.h"
#include "view/live.h"
#include "view/view.h"

const char *pick_outcome_text(enum pick_outcome outcome)
{
	static const char *const texts[] = {
		[PICK_HEALTHY] = "healthy",
		[PICK_FAIL_OPEN] = "fail-open",
		[PICK_EMPTY] = "no address",
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

// Whether a slot of the app can be chosen: its target has none of the `barred` bits and, where something is learned of
// the client, is in the reach that follows from it.
static ALWAYS_INLINE bool is_open(const struct live *live, const struct app *app, const struct learned_row *learned,
                                  unsigned slot, uint8_t barred)
{
	const struct view *view = live->view;
	uint32_t number = app->first_target + slot;

	return !(live_state(live, number) & barred) &&
	       (!learned || site_reached_by(&view->sites[view->targets[number].site], learned->carrier));
}

// Weighted rendezvous hashing over the allowed members of a group: each member's score is a hash of (client, site)
// scaled by its weight, and the highest wins. When a member goes down, only its own clients move. A standby (weight 0)
// is a group of its own.
static unsigned share(const struct live *live, const struct app *app, const struct location *where, unsigned first,
                      uint8_t barred)
{
	const struct ranking *ranking = steer_ranking(app->steer, where->hit.order);
	const struct view *view = live->view;
	uint64_t key = hash_key(app, where);
	unsigned best = first;
	double best_score = -1;

	dev_must(ranking->steps[first].group_end >= first && ranking->steps[first].group_end < ranking->count);
	for (unsigned i = first; i <= ranking->steps[first].group_end; i++) {
		uint32_t number = app->first_target + ranking->steps[i].slot;
		const struct target *target = &view->targets[number];

		if (!is_open(live, app, where->learned, ranking->steps[i].slot, barred))
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

// The slot of the first candidate of the ranking whose target has none of the `barred` bits, or of the one of its group
// that the hash chooses; -1 if there is none.
static ALWAYS_INLINE int pick_by_ranking(const struct live *live, const struct app *app, const struct location *where,
                                         const struct learned_row *learned, uint8_t barred, bool *ret_hashed)
{
	const struct ranking *ranking = steer_ranking(app->steer, where->hit.order);
	unsigned i = 0;

	while (i < ranking->count && !is_open(live, app, learned, ranking->steps[i].slot, barred))
		i++;
	if (unlikely(i == ranking->count))
		return -1;
	if (unlikely(ranking->steps[i].group_end > i)) {
		i = share(live, app, where, i, barred);
		*ret_hashed = true;
	}
	return ranking->steps[i].slot;
}

// The same by ranks: of the app's targets that have none of the `barred` bits and can be reached, the slot of the best
// ranked one; of equal ones, the first.
static ALWAYS_INLINE int pick_by_ranks(const struct live *live, const struct app *app, const struct location *where,
                                       const struct learned_row *learned, uint8_t barred)
{
	const struct ranks *ranks = steer_ranks(app->steer, where->hit.order);
	const uint16_t *columns = app->steer->columns;
	const uint32_t none = (uint32_t)RANK_UNREACHABLE << 16;
	uint32_t best = none; // its rank, then its slot

	for (uint32_t slot = 0; slot < app->target_count; slot++) {
		uint32_t here = (uint32_t)ranks->of[columns[slot]] << 16 | slot;

		if (here < best && is_open(live, app, learned, slot, barred))
			best = here;
	}
	return best == none ? -1 : (int)(best & UINT16_MAX);
}

static ALWAYS_INLINE int pick_by_table(const struct live *live, const struct app *app, const struct location *where,
                                       const struct learned_row *learned, uint8_t barred, bool *ret_hashed)
{
	return app->steer->form == STEER_SHARED ? pick_by_ranks(live, app, where, learned, barred)
	                                        : pick_by_ranking(live, app, where, learned, barred, ret_hashed);
}

// Where something is learned of the client, but no site that is up. Not inline: few come here.
static NOINLINE int pick_in_reach(const struct live *live, const struct app *app, const struct location *where,
                                  uint8_t barred, bool *ret_hashed)
{
	return pick_by_table(live, app, where, where->learned, barred, ret_hashed);
}

// The same where something is learned of the client: the first of the learned sites, else by the table. Every learned
// site is within reach (view/learned.h). Not inline, and small, as most servers have learned nothing.
static NOINLINE int pick_by_learned(const struct live *live, const struct app *app, const struct location *where,
                                    uint8_t barred, bool *ret_hashed)
{
	const struct learned_row *learned = where->learned;

	for (unsigned i = 0; i < learned->site_count; i++) {
		int slot = steer_slot_of(app->steer, learned->sites[i]);

		if (slot >= 0 && !(live_state(live, app->first_target + (uint32_t)slot) & barred))
			return slot;
	}
	return pick_in_reach(live, app, where, barred, ret_hashed);
}

static ALWAYS_INLINE int pick_slot(const struct live *live, const struct app *app, const struct location *where,
                                   uint8_t barred, bool *ret_hashed)
{
	return unlikely(where->learned) ? pick_by_learned(live, app, where, barred, ret_hashed)
	                                : pick_by_table(live, app, where, NULL, barred, ret_hashed);
}

static struct pick pick_of(const struct live *live, const struct app *app, enum pick_outcome outcome, int slot,
                           bool hashed)
{
	uint32_t number = app->first_target + (uint32_t)slot;
	const struct target *target = &live->view->targets[number];

	dev_must(target->app == app && !(live_state(live, number) & (TARGET_DRAINED | TARGET_EMPTY)));
	return (struct pick){outcome, target, number, hashed};
}

// No target within reach is up, undrained and has an address.
static COLD struct pick fail_open(const struct live *live, const struct app *app, const struct location *where)
{
	bool hashed = false;
	int slot = pick_slot(live, app, where, TARGET_DRAINED | TARGET_EMPTY, &hashed);

	if (slot >= 0)
		return pick_of(live, app, PICK_FAIL_OPEN, slot, hashed);
	if (pick_slot(live, app, where, TARGET_DRAINED, &hashed) >= 0)
		return (struct pick){.outcome = PICK_EMPTY};
	slot = pick_slot(live, app, where, 0, &hashed);
	return (struct pick){.outcome = slot < 0 ? PICK_UNREACHABLE : PICK_DRAINED};
}

struct pick pick_target(const struct live *live, const struct app *app, const struct location *where)
{
	bool hashed = false;
	int slot = pick_slot(live, app, where, TARGET_DOWN | TARGET_DRAINED | TARGET_EMPTY, &hashed);

	return likely(slot >= 0) ? pick_of(live, app, PICK_HEALTHY, slot, hashed) : fail_open(live, app, where);
}
