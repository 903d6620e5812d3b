// The order that `explain` shows; see explain_order.h.
#include "control/explain_order.h"

#include "answer/locate.h"
#include "base/must.h"
#include "view/app.h"
#include "view/learned.h"
#include "view/live.h"

static bool is_put(const struct explain_candidate *candidates, unsigned count, unsigned slot)
{
	for (unsigned i = 0; i < count; i++)
		if (candidates[i].by.slot == slot)
			return true;
	return false;
}

static const struct candidate *candidate_of(const struct candidate *all, unsigned slot)
{
	while (all->slot != slot)
		all++;
	return all;
}

// Those that are learned, best first. Returns how many.
static unsigned put_learned(const struct app *app, const struct learned_row *learned, const struct candidate *by_table,
                            struct explain_candidate *ret)
{
	unsigned count = 0;

	for (unsigned i = 0; learned && i < learned->site_count; i++) {
		int slot = steer_slot_of(app->steer, learned->sites[i]);

		if (slot >= 0 && !is_put(ret, count, (unsigned)slot)) // every learned site is within reach
			ret[count++] = (struct explain_candidate){*candidate_of(by_table, (unsigned)slot), true, true, false};
	}
	return count;
}

// Those that are not learned and can be reached, or those that cannot, as the table has them, behind `at` others. Returns how
// many there are then.
static unsigned put_others(const struct live *live, const struct app *app, const struct learned_row *learned,
                           const struct candidate *by_table, bool reachable, struct explain_candidate *ret, unsigned at)
{
	const struct view *view = live->view;
	unsigned learned_count = 0;

	while (learned_count < at && ret[learned_count].is_learned)
		learned_count++;
	for (unsigned i = 0; i < app->steer->spec.count; i++) {
		const struct site *site = &view->sites[view->targets[app->first_target + by_table[i].slot].site];
		bool by_reach = by_table[i].cost.basis != COST_UNREACHABLE;
		bool is_reachable = by_reach && (!learned || site_reached_by(site, learned->carrier));

		if (is_reachable == reachable && !is_put(ret, learned_count, by_table[i].slot))
			ret[at++] = (struct explain_candidate){by_table[i], false, is_reachable, by_reach && !is_reachable};
	}
	return at;
}

void explain_order(const struct live *live, const struct app *app, const struct location *where, const struct place *place,
                   struct explain_candidate *ret_candidates)
{
	const struct learned_row *learned = where->learned;
	struct steer_input in = view_steer_input(live->view);
	struct candidate by_table[APP_TARGETS_MAX];
	unsigned count = app->steer->spec.count, at;

	must(count <= ARRAY_LEN(by_table));
	ranking_candidates(&in, &app->steer->spec, place, by_table);
	at = put_learned(app, learned, by_table, ret_candidates);
	at = put_others(live, app, learned, by_table, true, ret_candidates, at);
	at = put_others(live, app, learned, by_table, false, ret_candidates, at);
	must(at == count);
}

const char *explain_metro_text(enum metro_case case_)
{
	static const char *const texts[METRO_CASES] = {
		[METRO_CASE_HINTED] = "nothing tells where the client is but the hint: the hinted site, then public sites first",
		[METRO_CASE_NO_CARRIER] = "place unknown, so public sites first, as written: the first is the default",
		[METRO_CASE_NOT_EDGE] = "coordinates unknown, and the class keeps carriers' sites out of reach: public sites, as "
		                        "written",
		[METRO_CASE_REGION] = "carrier known but not its client's metro: public sites first, then the carrier's, as written",
		[METRO_CASE_NO_SITE] = "the app has no site of the carrier that may be in the client's country: public sites first",
		[METRO_CASE_CARRIER] = "carrier known but not its client's metro: the carrier's sites first, as written",
		[METRO_CASE_SOLE] = "the app has one site of the carrier that may be in the client's country: that one first",
		[METRO_CASE_SEVERAL] = "the app has several sites of the carrier that may be in the client's country: public sites "
		                       "first",
		[METRO_CASE_EXPECTED] = "carrier known but not its client's metro: by the expected cost over the carrier's metros",
		[METRO_CASE_NO_METROS] = "no metros of the carrier are known: public sites first",
	};

	must(case_ < METRO_CASES);
	return texts[case_];
}

const char *explain_metro_word(enum metro_case case_)
{
	static const char *const words[METRO_CASES] = {
		"located", "hinted", "no-carrier", "not-edge", "region", "no-site", "carrier", "sole", "several", "expected",
		"no-metros",
	};

	must(case_ < METRO_CASES);
	return words[case_];
}
