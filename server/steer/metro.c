// The rules for clients of unknown metro; see metro.h.
#include "steer/metro.h"

#include <math.h>

#include "base/must.h"
#include "steer/place.h"
#include "steer/prior.h"

#define TEXT(id, text) [METRO_##id] = text,

static const char *const rules[METRO_RULES] = {METRO_RULES_EACH(TEXT)};

const char *metro_rule_text(enum metro_rule rule)
{
	must(rule < METRO_RULES);
	return rules[rule];
}

// What a place alone decides, whatever the rule; METRO_CASES: nothing.
static enum metro_case case_of_place(const struct steer_input *in, const struct place *place)
{
	if (!isnan(place->latitude))
		return METRO_CASE_LOCATED;
	if (place->hints[0])
		return METRO_CASE_HINTED;
	if (!place->carrier)
		return METRO_CASE_NO_CARRIER;
	return place_is_edge(in->places, place) ? METRO_CASES : METRO_CASE_NOT_EDGE;
}

struct metro metro_of_rule(const struct steer_input *in, enum metro_rule rule, const struct place *place)
{
	struct metro metro = {.case_ = case_of_place(in, place)};

	if (metro.case_ != METRO_CASES)
		return metro;
	switch (rule) {
	case METRO_CARRIER:
		metro.case_ = METRO_CASE_CARRIER;
		break;
	case METRO_EXPECTED:
		metro.expected_us = prior_find(in->prior, place->carrier, place->country);
		metro.case_ = metro.expected_us ? METRO_CASE_EXPECTED : METRO_CASE_NO_METROS;
		break;
	case METRO_REGION:
		metro.case_ = METRO_CASE_REGION;
		break;
	case METRO_SOLE:
	case METRO_RULES:
		must(!"a rule whose order depends on the place alone");
	}
	return metro;
}

// The number of the set's sites of the place's carrier, in any country or in the place's; *ret_site is one of them.
static unsigned count_sites(const struct steer_input *in, const uint16_t *sites, size_t count,
                            const struct place *place, bool any_country, uint16_t *ret_site)
{
	unsigned found = 0;

	for (size_t slot = 0; slot < count; slot++) {
		const struct site *site = &in->sites[sites[slot]];
		bool excluded = !any_country && site->country && place->country && site->country != place->country;

		if (site->is_public || excluded || !site_reached_by(site, place->carrier))
			continue;
		*ret_site = sites[slot];
		found++;
	}
	return found;
}

struct metro metro_of(const struct steer_input *in, enum metro_rule rule, const uint16_t *sites, size_t count,
                      const struct place *place)
{
	bool is_sole = rule == METRO_SOLE;
	struct metro metro = metro_of_rule(in, is_sole ? METRO_CARRIER : rule, place);
	unsigned found;

	if (metro.case_ != METRO_CASE_CARRIER)
		return metro;
	found = count_sites(in, sites, count, place, !is_sole, &metro.site);
	if (found == 0)
		metro.case_ = METRO_CASE_NO_SITE;
	else if (is_sole)
		metro.case_ = found == 1 ? METRO_CASE_SOLE : METRO_CASE_SEVERAL;
	return metro;
}

int64_t metro_order(const struct steer_input *in, const struct metro *metro, uint16_t number, struct cost *cost)
{
	const struct site *site = &in->sites[number];

	if (cost->basis != COST_UNKNOWN)
		return cost_order(site, cost);
	if (metro->case_ == METRO_CASE_CARRIER && !site->is_public)
		return COST_ORDER_UNKNOWN_PREFERRED;
	if (metro->case_ == METRO_CASE_SOLE && number == metro->site)
		return COST_ORDER_UNKNOWN_PREFERRED;
	if (metro->case_ == METRO_CASE_EXPECTED && metro->expected_us[number] != INT64_MAX) {
		cost->basis = COST_EXPECTED;
		cost->us = metro->expected_us[number];
	}
	return cost_order(site, cost);
}
