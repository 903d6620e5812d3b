// Locate and choose; see pick.h.
#include "answer/pick.h"

#include <math.h>

#include "base/hash.h"
#include "view/live.h"
#include "view/view.h"
#include "wire/query.h"

const char *pick_outcome_text(enum pick_outcome outcome)
{
	static const char *const texts[] = {
		[PICK_HEALTHY] = "healthy",
		[PICK_FAIL_OPEN] = "fail-open",
		[PICK_DRAINED] = "all drained",
		[PICK_UNREACHABLE] = "none reachable",
	};

	return texts[outcome];
}

// Sets what `pick` says of the client.
static void locate(const struct steer *steer, const struct query_ecs *ecs, const struct addr *source,
                   struct steer_hit hit, struct pick *pick)
{
	const struct addr *client = pick_client(ecs, source);

	pick->by_ecs = client != source;
	pick->scope = pick->by_ecs ? hit.depth : 0;
	if (unlikely(hit.order->ecs_ignored) && pick->by_ecs) {
		// RFC 7871 section 11.3: an address that says nothing stands for the resolver. No leaf lies both inside and
		// outside of such a block, so the scope stays exact.
		pick->by_ecs = false;
		client = source;
		hit = steer_lookup(steer, source);
	}
	pick->client = *client;
	pick->order = hit.order;
	pick->depth = hit.depth;
}

// The client's part of the rendezvous hash: its prefix cut to the hash's length, or to its leaf where that is longer.
static uint64_t hash_key(const struct steer *steer, struct pick *pick)
{
	uint8_t len = pick->client.family == ADDR_V4 ? steer->spec.hash_v4 : steer->spec.hash_v6;

	if (len < pick->depth)
		len = pick->depth;
	if (pick->by_ecs)
		pick->scope = len;

	struct addr cut = addr_cut(&pick->client, len);
	struct addr_key key = addr_key(&cut);

	return hash_mix(key.hi ^ hash_mix(key.lo + cut.family));
}

// Weighted rendezvous over what is left of a group: every member draws a number from (client, site), scaled by its
// weight; the largest wins. When a member leaves, only the clients it had won move. Standbys (weight 0) are groups of
// their own, in which the first wins.
static unsigned share(const struct live *live, const struct app *app, const struct order *order, unsigned first,
                      uint8_t barred, uint64_t key)
{
	const struct view *view = live->view;
	unsigned best = first;
	double best_score = -1;

	for (unsigned i = first; i <= order->steps[first].group_end; i++) {
		uint32_t number = app->first_target + order->steps[i].slot;
		const struct target *target = &view->targets[number];

		if (live->states[number] & barred)
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

// The first step whose target has none of the `barred` bits; order->count when there is none.
static unsigned first_allowed(const struct live *live, const struct app *app, const struct order *order,
                              uint8_t barred)
{
	unsigned i = 0;

	while (i < order->count && live->states[app->first_target + order->steps[i].slot] & barred)
		i++;
	return i;
}

struct pick pick_target_at(const struct live *live, const struct app *app, const struct query_ecs *ecs,
                           const struct addr *source, struct steer_hit hit)
{
	struct pick pick = {.outcome = PICK_HEALTHY};
	uint8_t barred = TARGET_DOWN | TARGET_DRAINED;
	uint64_t key = 0;

	locate(app->steer, ecs, source, hit, &pick);

	const struct order *order = pick.order;

	if (unlikely(order->hashed))
		key = hash_key(app->steer, &pick);

	unsigned i = first_allowed(live, app, order, barred);

	if (unlikely(i == order->count)) {
		barred = TARGET_DRAINED;
		pick.outcome = PICK_FAIL_OPEN;
		i = first_allowed(live, app, order, barred);
		if (i == order->count) {
			pick.outcome = order->count ? PICK_DRAINED : PICK_UNREACHABLE;
			return pick;
		}
	}
	if (unlikely(order->steps[i].group_end > i)) {
		i = share(live, app, order, i, barred, key);
		pick.hashed = true;
	}
	pick.target_number = app->first_target + order->steps[i].slot;
	pick.target = &live->view->targets[pick.target_number];
	return pick;
}

struct pick pick_target(const struct live *live, const struct app *app, const struct query_ecs *ecs,
                        const struct addr *source)
{
	return pick_target_at(live, app, ecs, source, steer_lookup(app->steer, pick_client(ecs, source)));
}
