// Chooses a target; see pick.h.
#include "answer/pick.h"

#include <math.h>

#include "answer/locate.h"
#include "answer/share.h"
#include "base/hash.h"
#include "base/must.h"
#include "view/columns.h"
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

// Who is asked about: the app, the client, and the bits that bar a target.
struct picking {
	const struct live *live;
	const struct app *app;
	struct location *where;
	uint8_t barred;
	bool hashed; // a hash has decided something
	bool weighs; // the app steers a part of its clients, of which this is not one
	bool is_located;  // the next is known
	bool is_counted;  // so is the one after it
	uint16_t carrier; // whose vantages count for the client; 0: none's that differs
	uint32_t client;  // its number, see answer/share.h
};

// Whether the target, which takes a part of its clients only, takes this one. Inline, as where a site is drained over some time most
// queries of its clients come here: a call would cost a third as much as the hash.
static ALWAYS_INLINE bool is_taken(struct picking *picking, uint32_t number, uint32_t bars)
{
	if (!picking->is_counted) {
		uint8_t len = locate_hash_len(picking->app, picking->where);

		picking->client = share_of_client(picking->where, len);
		locate_lengthen(picking->where, len);
		picking->hashed = picking->is_counted = true;
	}
	return share_takes(picking->live, picking->client, number, bars);
}

// Whose vantages count for the client: where nothing is learned of it, that depends on its prefix, which the answer then holds
// for.
static ALWAYS_INLINE uint16_t find_carrier(const struct live *live, struct location *where)
{
	uint16_t carrier;
	uint8_t depth;

	if (unlikely(where->learned))
		return where->learned->carrier;
	carrier = places_carrier(live->view->places, where->client, &depth);
	locate_lengthen(where, depth);
	return carrier;
}

// What is_open() says of a target whose health differs by carrier, for a client whose carrier may be one that differs.
static NOINLINE bool is_open_to(struct picking *picking, uint32_t number, uint32_t bars)
{
	const struct columns *columns = picking->live->columns;

	if (!picking->is_located)
		picking->carrier = find_carrier(picking->live, picking->where);
	picking->is_located = true;
	if (place_carrier_bit(picking->carrier) & columns_carriers(columns, number) &&
	    columns_differ(columns, number, picking->carrier))
		bars ^= TARGET_DOWN;
	if (bars & TARGET_CLOSED)
		return false;
	return bars & TARGET_PARTS ? is_taken(picking, number, bars) : true;
}

// Whether the target's health may differ for the client from what it is for all others: its carrier is one whose vantages differ
// about it, or clients of such a carrier have the same order as it. Then they have the answer's block in parts.
static ALWAYS_INLINE bool may_differ(const struct picking *picking, const struct order *order, const struct learned_row *learned,
                                     uint32_t number)
{
	uint32_t carriers = learned ? place_carrier_bit(learned->carrier) : order->carriers;

	return carriers & columns_carriers(picking->live->columns, number);
}

// The app steers a part of its clients: whether this one is none of that part. The answer is for the prefix that is hashed,
// whoever it is, so that no cache has it for both. Once for each answer.
static NOINLINE bool divide(struct picking *picking)
{
	uint8_t len = locate_hash_len(picking->app, picking->where);
	uint64_t draw = share_draw(picking->where, len);

	picking->weighs = !share_steers(picking->live, draw, picking->app->first_target);
	picking->barred &= (uint8_t)~TARGET_ADOPTED;
	picking->hashed = true;
	locate_lengthen(picking->where, len);
	return picking->weighs;
}

// Whether a slot of the app is open to the client: its target has none of the barred bits, or it has some that bar it
// for a part of the clients only, of which the client is not. For a client that the app does not steer the first one ends the
// search: pick_target() begins another. `order` and `learned` are those of picking->where: callers have the former at hand, and
// most of them know the latter to be NULL.
static ALWAYS_INLINE bool is_open(struct picking *picking, const struct order *order, const struct learned_row *learned,
                                  unsigned slot)
{
	uint32_t number = picking->app->first_target + slot;
	uint32_t bars = live_state(picking->live, number) & picking->barred;

	if (likely(!bars))
		return true;
	if (unlikely(bars & TARGET_ADOPTED)) {
		if (divide(picking))
			return true;
		bars &= ~(uint32_t)TARGET_ADOPTED;
		if (!bars)
			return true;
	}
	if (unlikely(bars & TARGET_BY_CARRIER)) {
		if (may_differ(picking, order, learned, number))
			return is_open_to(picking, number, bars);
		if (bars == TARGET_BY_CARRIER)
			return true;
	}
	return likely(bars & TARGET_CLOSED) ? false : is_taken(picking, number, bars);
}

// Whether a slot is in the reach that follows from what is learned of the client; NULL: it is in the order.
static ALWAYS_INLINE bool is_in_reach(const struct picking *picking, const struct learned_row *learned, unsigned slot)
{
	const struct view *view = picking->live->view;
	uint32_t number = picking->app->first_target + slot;

	return !learned || site_reached_by(&view->sites[view->targets[number].site], learned->carrier);
}

// Whether it is open to the client, and in its reach.
static ALWAYS_INLINE bool is_candidate(struct picking *picking, const struct order *order, const struct learned_row *learned,
                                       unsigned slot)
{
	return is_open(picking, order, learned, slot) && is_in_reach(picking, learned, slot);
}

// In (0, 1]: the client's draw for a site.
static ALWAYS_INLINE double draw_of(uint64_t key, const struct site *site)
{
	return ((double)(hash_mix(key ^ site->seed) >> 11) + 0.5) * 0x1p-53;
}

// Weighted rendezvous hashing over the candidates of a group: each member's score is a hash of (client, site)
// scaled by its weight, and the highest wins. When a member goes down, only its own clients move. A standby (weight 0)
// is a group of its own.
static unsigned weigh(struct picking *picking, const struct learned_row *learned, unsigned first)
{
	const struct app *app = picking->app;
	const struct ranking *ranking = steer_ranking(app->steer, picking->where->hit.order);
	const struct view *view = picking->live->view;
	uint64_t key = share_key(picking->where, locate_hash_len(app, picking->where));
	unsigned best = first;
	double best_score = -1;

	dev_must(ranking->steps[first].group_end >= first && ranking->steps[first].group_end < ranking->order.count);
	for (unsigned i = first; i <= ranking->steps[first].group_end; i++) {
		const struct target *target = &view->targets[app->first_target + ranking->steps[i].slot];

		if (!is_candidate(picking, &ranking->order, learned, ranking->steps[i].slot))
			continue;

		double score = target->weight / -log(draw_of(key, &view->sites[target->site]));

		if (score > best_score) {
			best_score = score;
			best = i;
		}
	}
	return best;
}

// The slot of the first candidate of the ranking, or of the one of its group that the hash chooses; -1 if there is none.
static ALWAYS_INLINE int pick_by_ranking(struct picking *picking, const struct learned_row *learned)
{
	const struct ranking *ranking = steer_ranking(picking->app->steer, picking->where->hit.order);
	unsigned i = 0;

	while (i < ranking->order.count && !is_candidate(picking, &ranking->order, learned, ranking->steps[i].slot))
		i++;
	if (unlikely(i == ranking->order.count))
		return -1;
	if (unlikely(ranking->steps[i].group_end > i)) {
		i = weigh(picking, learned, i);
		picking->hashed = true;
	}
	return ranking->steps[i].slot;
}

// The same by ranks: of the app's targets that are candidates and can be reached, the slot of the best ranked one; of
// equal ones, the first.
static ALWAYS_INLINE int pick_by_ranks(struct picking *picking, const struct learned_row *learned)
{
	const struct app *app = picking->app;
	const struct ranks *ranks = steer_ranks(app->steer, picking->where->hit.order);
	const uint16_t *columns = app->steer->columns;
	const uint32_t none = (uint32_t)RANK_UNREACHABLE << 16;
	uint32_t best = none; // its rank, then its slot

	for (uint32_t slot = 0; slot < app->target_count; slot++) {
		uint32_t here = (uint32_t)ranks->of[columns[slot]] << 16 | slot;

		if (here < best && is_candidate(picking, &ranks->order, learned, slot))
			best = here;
	}
	return best == none ? -1 : (int)(best & UINT16_MAX);
}

static ALWAYS_INLINE int pick_by_table(struct picking *picking, const struct learned_row *learned)
{
	return picking->app->steer->form == STEER_SHARED ? pick_by_ranks(picking, learned)
	                                                 : pick_by_ranking(picking, learned);
}

// Where something is learned of the client, but no site that is up. Not inline: few come here.
static NOINLINE int pick_in_reach(struct picking *picking)
{
	return pick_by_table(picking, picking->where->learned);
}

// The same where something is learned of the client: the first of the learned sites, else by the table. Every learned
// site is within reach (view/learned.h). Not inline, and small, as most servers have learned nothing.
static NOINLINE int pick_by_learned(struct picking *picking)
{
	const struct learned_row *learned = picking->where->learned;

	for (unsigned i = 0; i < learned->site_count; i++) {
		int slot = steer_slot_of(picking->app->steer, learned->sites[i]);

		if (slot >= 0 && is_open(picking, picking->where->hit.order, learned, (unsigned)slot))
			return slot;
	}
	return pick_in_reach(picking);
}

// Whether it is DOWN does not matter where that does not bar.
static ALWAYS_INLINE void set_barred(struct picking *picking, uint8_t barred)
{
	picking->barred = barred & TARGET_DOWN ? barred | TARGET_BY_CARRIER : barred;
}

static ALWAYS_INLINE int pick_in_order(struct picking *picking, uint8_t barred)
{
	set_barred(picking, barred);
	return unlikely(picking->where->learned) ? pick_by_learned(picking) : pick_by_table(picking, NULL);
}

// The best so far of those that a client who is not steered may get. Most of them lose at once, so what that takes is at hand.
struct weighing {
	struct picking *picking;
	const struct learned_row *learned;
	const struct target *targets; // of the app
	const struct site *sites;
	uint64_t key;
	int slot;       // -1: none yet
	uint64_t draw;  // where the config gives no weights
	double score;   // where it does
};

static ALWAYS_INLINE bool is_drawable(const struct weighing *weighing, unsigned slot)
{
	const struct location *where = weighing->picking->where;

	return is_open(weighing->picking, where->hit.order, where->learned, slot) &&
	       is_in_reach(weighing->picking, weighing->learned, slot);
}

// Rendezvous hashing over all of the app's targets in reach: where the config gives no weights, the largest draw wins.
static ALWAYS_INLINE void draw_slot(struct weighing *weighing, unsigned slot)
{
	uint64_t draw = hash_mix(weighing->key ^ weighing->sites[weighing->targets[slot].site].seed) | 1;

	if (likely(draw <= weighing->draw) || !is_drawable(weighing, slot))
		return;
	weighing->slot = (int)slot;
	weighing->draw = draw;
}

// The same with weights, as in weigh(). Standbys, of weight 0, come after all others.
static ALWAYS_INLINE void weigh_slot(struct weighing *weighing, unsigned slot)
{
	const struct target *target = &weighing->targets[slot];
	double u = draw_of(weighing->key, &weighing->sites[target->site]), score = u - 1;

	// As -log(u) >= 1 - u, its score is not above this, and most logarithms are spared.
	if (weighing->slot >= 0 && target->weight <= weighing->score * (1 - u))
		return;
	if (target->weight)
		score = target->weight / -log(u);
	if ((weighing->slot >= 0 && score <= weighing->score) || !is_drawable(weighing, slot))
		return;
	weighing->slot = (int)slot;
	weighing->score = score;
}

static ALWAYS_INLINE void consider(struct weighing *weighing, bool has_weights, unsigned slot)
{
	if (has_weights)
		weigh_slot(weighing, slot);
	else
		draw_slot(weighing, slot);
}

// For a client who is not steered: one of all targets that are candidates, in reach; -1 if there are none. A slot that is
// seen twice, as it is learned too, counts once.
static ALWAYS_INLINE int pick_by_draws(struct picking *picking, bool has_weights)
{
	const struct app *app = picking->app;
	const struct steer *steer = app->steer;
	const struct learned_row *learned = picking->where->learned;
	const struct order *order = picking->where->hit.order;
	const struct view *view = picking->live->view;
	struct weighing weighing = {.picking = picking, .targets = &view->targets[app->first_target], .sites = view->sites,
	                            .key = share_draw(picking->where, locate_hash_len(app, picking->where)), .slot = -1};

	for (unsigned i = 0; learned && i < learned->site_count; i++) {
		int slot = steer_slot_of(steer, learned->sites[i]);

		if (slot >= 0)
			consider(&weighing, has_weights, (unsigned)slot); // every learned site is within reach
	}
	weighing.learned = learned;
	if (steer->form == STEER_SHARED) {
		const struct ranks *ranks = steer_ranks(steer, order);

		for (unsigned slot = 0, count = app->target_count; slot < count; slot++)
			if (ranks->of[steer->columns[slot]] != RANK_UNREACHABLE)
				consider(&weighing, has_weights, slot);
	} else {
		const struct ranking_step *steps = steer_ranking(steer, order)->steps;

		for (unsigned i = 0, count = order->count; i < count; i++)
			consider(&weighing, has_weights, steps[i].slot);
	}
	return weighing.slot;
}

static NOINLINE int pick_by_weight(struct picking *picking)
{
	return picking->app->steer->spec.weights ? pick_by_draws(picking, true) : pick_by_draws(picking, false);
}

static ALWAYS_INLINE int pick_slot(struct picking *picking, uint8_t barred)
{
	if (likely(!picking->weighs))
		return pick_in_order(picking, barred);
	set_barred(picking, barred);
	return pick_by_weight(picking);
}

static struct pick pick_of(const struct picking *picking, enum pick_outcome outcome, int slot)
{
	uint32_t number = picking->app->first_target + (uint32_t)slot;
	const struct target *target = &picking->live->view->targets[number];

	dev_must(target->app == picking->app &&
	         !(live_state(picking->live, number) & (TARGET_DRAINED | TARGET_EMPTY)));
	return (struct pick){outcome, target, number, picking->hashed, picking->weighs};
}

// No target within reach is up, undrained and has an address, or those that do do not take this client.
static COLD struct pick pick_otherwise(struct picking *picking)
{
	enum { NEVER_IGNORED = TARGET_DRAINED | TARGET_LEAVING | TARGET_EMPTY };
	int slot = picking->live->shares ? pick_slot(picking, NEVER_IGNORED | TARGET_DOWN) : -1;

	if (slot >= 0)
		return pick_of(picking, PICK_HEALTHY, slot);
	slot = pick_slot(picking, NEVER_IGNORED);
	if (slot >= 0)
		return pick_of(picking, PICK_FAIL_OPEN, slot);
	if (pick_slot(picking, TARGET_DRAINED | TARGET_LEAVING) >= 0)
		return (struct pick){.outcome = PICK_EMPTY};
	slot = pick_slot(picking, 0);
	return (struct pick){.outcome = slot < 0 ? PICK_UNREACHABLE : PICK_DRAINED};
}

// For a client that the app does not steer.
static NOINLINE struct pick pick_weighed(struct picking *picking)
{
	int slot = pick_slot(picking, TARGET_CLOSED | TARGET_PARTS);

	return slot >= 0 ? pick_of(picking, PICK_HEALTHY, slot) : pick_otherwise(picking);
}

struct pick pick_target(const struct live *live, const struct app *app, struct location *where)
{
	struct picking picking;
	int slot;

	picking.live = live;
	picking.app = app;
	picking.where = where;
	picking.hashed = picking.weighs = picking.is_located = picking.is_counted = false; // the rest is set with these
	slot = pick_in_order(&picking, TARGET_CLOSED | TARGET_PARTS | TARGET_ADOPTED);
	if (unlikely(picking.weighs))
		return pick_weighed(&picking);
	return likely(slot >= 0) ? pick_of(&picking, PICK_HEALTHY, slot) : pick_otherwise(&picking);
}
