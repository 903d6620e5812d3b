// Measured round trips against the table's estimates; see merit.h.
#include "learn/merit.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "steer/place.h"
#include "steer/ranking.h"
#include "view/view.h"

enum { REMEMBERED = 1024 /* a power of two */, PASSES_MAX = 8 };

struct merit {
	const struct tables *tables; // that places are of
	uint64_t generation;
	struct {
		const struct place *place; // NULL: empty
		struct merit_rivals rivals;
	} remembered[REMEMBERED];
};

struct merit *merit_new(void)
{
	return calloc(1, sizeof(struct merit));
}

struct merit *merit_free(struct merit *merit)
{
	free(merit);
	return NULL;
}

// ---- rivals ---------------------------------------------------------------------------------------------------------

static void add_rival(struct merit_rivals *rivals, unsigned set, uint16_t site, int64_t us)
{
	unsigned at = 0;

	while (at < rivals->count && (rivals->list[at].site != site || rivals->list[at].us != us))
		at++;
	if (at == MERIT_RIVALS)
		return;
	if (at == rivals->count)
		rivals->list[rivals->count++] = (struct merit_rival){.site = site, .us = us};
	rivals->list[at].sets |= UINT64_C(1) << set;
}

static bool has_site(const struct ranking_spec *spec, uint16_t site)
{
	for (unsigned i = 0; i < spec->count; i++)
		if (spec->sites[i] == site)
			return true;
	return false;
}

static bool is_first(const struct merit_rivals *rivals, unsigned set, uint16_t site)
{
	for (unsigned i = 0; i < rivals->count; i++)
		if (rivals->list[i].site == site && rivals->list[i].sets & UINT64_C(1) << set)
			return true;
	return false;
}

// Whether a prefix of which `first` and `second` are learned is answered as by the table alone, whatever the app. Where weights
// share clients out among sites it is not.
static bool changes_nothing(const struct view *view, const struct merit_rivals *rivals, uint16_t first, uint16_t second)
{
	for (unsigned set = 0; set < view->steering->count; set++) {
		const struct ranking_spec *spec = &view->steering->of[set]->spec;
		bool has_first = has_site(spec, first);

		if (!has_first && !has_site(spec, second))
			continue;
		if (spec->weights || set >= MERIT_SETS || !is_first(rivals, set, has_first ? first : second))
			return false;
	}
	return true;
}

static void find_second(const struct view *view, const struct place *place, struct merit_rivals *rivals)
{
	struct steer_input in = view_steer_input(view);
	struct candidate candidates[APP_TARGETS_MAX];

	for (unsigned set = 0; set < view->steering->count && set < MERIT_SETS && !rivals->has_second; set++) {
		const struct ranking_spec *spec = &view->steering->of[set]->spec;

		if (ranking_candidates(&in, spec, place, candidates) < 2)
			continue;
		rivals->first = spec->sites[candidates[0].slot];
		rivals->second = spec->sites[candidates[1].slot];
		rivals->has_second = changes_nothing(view, rivals, rivals->first, rivals->second);
	}
}

static void find_rivals(const struct view *view, const struct place *place, struct merit_rivals *ret_rivals)
{
	struct steer_input in = view_steer_input(view);
	struct candidate candidates[APP_TARGETS_MAX];

	*ret_rivals = (struct merit_rivals){0};
	for (unsigned set = 0; set < view->steering->count && set < MERIT_SETS; set++) {
		const struct ranking_spec *spec = &view->steering->of[set]->spec;
		const struct candidate *first = &candidates[0];

		if (ranking_candidates(&in, spec, place, candidates) == 0)
			continue;
		add_rival(ret_rivals, set, spec->sites[first->slot],
		          first->cost.basis == COST_HINT ? INT64_MAX : first->cost.us);
	}
	find_second(view, place, ret_rivals);
}

const struct merit_rivals *merit_rivals_of(struct merit *merit, const struct view *view, const struct addr *client)
{
	uint8_t depth;
	const struct place *place = places_lookup(view->places, client, &depth);
	size_t at = hash_mix((uint64_t)(place - view->places->table)) & (REMEMBERED - 1);

	if (merit->tables != view->tables || merit->generation != view->generation) {
		memset(merit->remembered, 0, sizeof(merit->remembered));
		merit->tables = view->tables;
		merit->generation = view->generation;
	}
	if (merit->remembered[at].place != place) {
		merit->remembered[at].place = place;
		find_rivals(view, place, &merit->remembered[at].rivals);
	}
	return &merit->remembered[at].rivals;
}

// ---- the order ------------------------------------------------------------------------------------------------------

struct judge {
	const struct view *view;
	const struct merit_rivals *rivals;
	const struct measure *measures;
	unsigned count, margin;
};

// INT64_MAX: not enough is measured.
static int64_t measured_us(const struct judge *j, uint16_t site)
{
	for (unsigned i = 0; i < j->count; i++)
		if (j->measures[i].site == site && j->measures[i].is_enough)
			return (int64_t)j->measures[i].us + j->view->sites[site].bias_us;
	return INT64_MAX;
}

static bool is_less(const struct judge *j, int64_t us, int64_t than_us)
{
	return us != INT64_MAX && than_us != INT64_MAX && us < than_us - than_us / 100 * j->margin;
}

static bool beats_rival(const struct judge *j, uint16_t site, const struct merit_rival *rival)
{
	int64_t us = measured_us(j, rival->site);

	return is_less(j, measured_us(j, site), us == INT64_MAX ? rival->us : us);
}

static bool beats(const struct judge *j, uint16_t site, uint16_t other)
{
	if (measured_us(j, other) != INT64_MAX)
		return is_less(j, measured_us(j, site), measured_us(j, other));
	for (unsigned i = 0; i < j->rivals->count; i++)
		if (j->rivals->list[i].site == other)
			return beats_rival(j, site, &j->rivals->list[i]);
	return false;
}

static uint64_t sets_of(const struct judge *j, uint16_t site)
{
	const struct steering *steering = j->view->steering;
	uint64_t sets = 0;

	for (unsigned set = 0; set < steering->count && set < MERIT_SETS; set++)
		if (steer_slot_of(steering->of[set], site) >= 0)
			sets |= UINT64_C(1) << set;
	return sets;
}

// The rival of the site's first set; NULL: it does not beat all of its sets' rivals, or no app has it.
static const struct merit_rival *beaten_rival(const struct judge *j, uint16_t site)
{
	const struct merit_rival *beaten = NULL;
	uint64_t sets = sets_of(j, site);

	for (unsigned i = 0; i < j->rivals->count; i++) {
		const struct merit_rival *rival = &j->rivals->list[i];

		if (!(rival->sets & sets))
			continue;
		if (rival->site == site || !beats_rival(j, site, rival))
			return NULL;
		beaten = beaten ? beaten : rival;
	}
	return beaten;
}

static bool is_rival(const struct judge *j, uint16_t site)
{
	for (unsigned i = 0; i < j->rivals->count; i++)
		if (j->rivals->list[i].site == site)
			return true;
	return false;
}

static bool has(const struct merit_order *order, uint16_t site)
{
	for (unsigned i = 0; i < order->count; i++)
		if (order->sites[i] == site)
			return true;
	return false;
}

// Puts a site last; in a full order in place of the last one, if that or the first one is beaten.
static void put_last(const struct judge *j, struct merit_order *order, uint16_t site)
{
	if (has(order, site))
		return;
	if (order->count < FINDING_SITES_MAX)
		order->sites[order->count++] = site;
	else if (beats(j, site, order->sites[order->count - 1]) || beats(j, site, order->sites[0]))
		order->sites[order->count - 1] = site;
}

// Each moves before the first one that it beats: so the first is the best one, or within the margin of it.
static void move_up(const struct judge *j, struct merit_order *order)
{
	for (unsigned i = 1; i < order->count; i++) {
		uint16_t moved = order->sites[i];
		unsigned to = 0;

		while (to < i && !beats(j, moved, order->sites[to]))
			to++;
		memmove(&order->sites[to + 1], &order->sites[to], (i - to) * sizeof(moved));
		order->sites[to] = moved;
	}
}

// Each measured site once, by the truth table. Returns the first rival that one of them beats; NULL: none.
static const struct merit_rival *pass(const struct judge *j, const struct merit_order *held, struct merit_order *order)
{
	const struct merit_rival *first = NULL;

	for (unsigned i = 0; i < j->count; i++) {
		uint16_t site = j->measures[i].site;
		const struct merit_rival *rival;

		if (!j->measures[i].is_enough)
			continue;
		rival = beaten_rival(j, site);
		if (!rival && (held->count == 0 || (!is_rival(j, site) && !beats(j, site, held->sites[0]))))
			continue;
		put_last(j, order, site);
		move_up(j, order);
		first = first ? first : rival;
	}
	return first;
}

struct merit_order merit_start(const struct merit_rivals *rivals, const struct measure *measures, unsigned count)
{
	struct merit_order order = {.count = 0};

	for (unsigned i = 0; i < count && rivals->has_second; i++)
		if (measures[i].site == rivals->first && measures[i].is_enough)
			order = (struct merit_order){{rivals->first, rivals->second}, 2};
	return order;
}

struct merit_order merit_judge(const struct view *view, const struct merit_rivals *rivals, const struct measure *measures,
                               unsigned count, const struct merit_order *held, unsigned margin)
{
	struct judge j = {view, rivals, measures, count, margin};
	struct merit_order order = *held, before;
	const struct merit_rival *rival;
	unsigned passes = 0;

	// Until nothing changes: who takes the last place in one pass may meet others in the next.
	do {
		before = order;
		rival = pass(&j, held, &order);
	} while (++passes < PASSES_MAX && memcmp(&before, &order, sizeof(order)) != 0);
	if (held->count == 0 && rival)
		put_last(&j, &order, rival->site);
	return order;
}
