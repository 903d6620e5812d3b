// Estimates; see cost.h.
#include "steer/cost.h"

#include <math.h>
#include <string.h>

#include "base/must.h"
#include "steer/place.h"

#define EARTH_KM 6371.0088 // mean radius, IUGG

static double radians(double degrees)
{
	return degrees * (M_PI / 180);
}

struct cost_point cost_point_at(double latitude, double longitude)
{
	double lat = radians(latitude), lon = radians(longitude);

	return (struct cost_point){cos(lat) * cos(lon), cos(lat) * sin(lon), sin(lat)};
}

// From the chord, which stays precise for points close together, where the order matters most.
static double distance_km(const struct cost_point *a, const struct cost_point *b)
{
	double x = a->x - b->x, y = a->y - b->y, z = a->z - b->z, half_chord = sqrt(x * x + y * y + z * z) / 2;

	return 2 * EARTH_KM * asin(half_chord < 1 ? half_chord : 1);
}

double cost_distance_km(double lat1, double lon1, double lat2, double lon2)
{
	struct cost_point a = cost_point_at(lat1, lon1), b = cost_point_at(lat2, lon2);

	return distance_km(&a, &b);
}

bool cost_can_reach(const struct places *places, const struct site *site, const struct place *place)
{
	return site_reached_by(site, place_carrier(places, place));
}

// The row for (group, carrier, site), or NULL.
static const struct measured *find_row(const struct measured_table *table, uint32_t group, uint16_t carrier,
                                       uint16_t site)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct measured *row = &table->rows[mid];

		if (row->group == group && row->carrier == carrier && row->site == site)
			return row;
		if (row->group < group || (row->group == group && row->carrier < carrier) ||
		    (row->group == group && row->carrier == carrier && row->site < site))
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static const struct measured *find_measured(const struct measured_table *table, const struct place *place,
                                            uint16_t site)
{
	const struct measured *row = place->measured ? find_row(table, place->measured, 0, site) : NULL;

	if (!row && place->carrier)
		row = find_row(table, 0, place->carrier, site);
	return row;
}

// Which of the place's hints the site is; PLACE_HINTS_MAX: none.
static unsigned find_hint(const struct places *places, const struct place *place, const struct site *site)
{
	for (unsigned i = 0; i < PLACE_HINTS_MAX && place->hints[i]; i++)
		if (strcmp(names_text(places->hints, place->hints[i]), site->name) == 0)
			return i;
	return PLACE_HINTS_MAX;
}

struct cost cost_estimate(const struct steer_input *in, const struct place *place, const struct cost_point *here,
                          const struct cost_point *there, uint16_t site_number)
{
	const struct site *site = &in->sites[site_number];
	struct cost cost = {.basis = COST_UNKNOWN, .km = NAN, .us = INT64_MAX};

	must(site->kind < SITE_KINDS);
	if (!cost_can_reach(in->places, site, place)) {
		cost.basis = COST_UNREACHABLE;
		return cost;
	}

	const struct measured *row = find_measured(&in->measured, place, site_number);
	unsigned hint = find_hint(in->places, place, site);

	if (!isnan(place->latitude) && !isnan(site->latitude)) {
		cost.km = distance_km(here, there);
		cost.basis = COST_DISTANCE;
		cost.us = llround(in->model->access_us[site->kind] + cost.km * in->model->us_per_km);
	}
	if (row) {
		cost.basis = COST_MEASURED;
		cost.us = row->us;
	}
	if (hint < PLACE_HINTS_MAX) {
		cost.us = cost.basis == COST_UNKNOWN ? 0 : cost.us;
		cost.basis = COST_HINT;
		cost.hint = (uint8_t)hint;
	}
	if (cost.basis != COST_UNKNOWN)
		cost.us += site->bias_us;
	return cost;
}

int64_t cost_order(const struct site *site, const struct cost *cost)
{
	switch (cost->basis) {
	case COST_HINT:
		return INT64_MIN + cost->hint;
	case COST_MEASURED:
	case COST_DISTANCE:
	case COST_EXPECTED:
		return cost->us;
	case COST_UNKNOWN:
		return site->is_public ? COST_ORDER_UNKNOWN_PUBLIC : COST_ORDER_UNKNOWN_CARRIER;
	case COST_UNREACHABLE:
		break;
	}
	return COST_ORDER_UNREACHABLE;
}
