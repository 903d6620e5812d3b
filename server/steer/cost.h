// What it costs the clients of a place to reach a site, in microseconds of round trip. Computed on the slow side, once
// for each place; `explain` shows the same figures.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "steer/site.h"

struct place;
struct places;
struct prior;

// The parameters of the estimate: modelling choices, all configurable. Microseconds.
struct cost_model {
	uint32_t access_us[SITE_KINDS];
	double us_per_km;
};

// Why a candidate has its cost; for explain. Expected: on average over where its carrier's clients are, see metro.h.
enum cost_basis { COST_HINT, COST_MEASURED, COST_DISTANCE, COST_EXPECTED, COST_UNKNOWN, COST_UNREACHABLE };

// A row of the measured latency table: from the clients of a group (or of a carrier) to one site.
struct measured {
	uint32_t group;     // struct place's `measured`; 0: the row is for a carrier
	uint16_t carrier;   // for group 0
	uint16_t site;      // index in view->sites
	uint32_t us;
};

struct measured_table {
	const struct measured *rows; // sorted by group, carrier, site
	size_t count;
};

// The parts of a view that rankings are made from. Borrowed.
struct steer_input {
	const struct places *places;
	const struct site *sites;
	const struct cost_model *model;
	struct measured_table measured;
	const struct prior *prior; // NULL: no carrier's metros are known
};

// Truth table of reach (DESIGN section 2.2); the test walks the same rows.
//
//   site's reach      client's carrier       class        reachable
//   public            any                    any          yes
//   carriers          one of them            edge/none    yes
//   carriers          one of them            other        no
//   carriers          another, or unknown    any          no
// Whether clients of `place` can reach `site`.
bool cost_can_reach(const struct places *places, const struct site *site, const struct place *place);

// A position on the unit sphere: computed once, so that a distance needs no trigonometry of its ends.
struct cost_point {
	double x, y, z;
};

// In degrees; NaN gives NaN.
struct cost_point cost_point_at(double latitude, double longitude);

// Great-circle distance in km on a sphere of radius 6371.0088 km, between points in degrees.
double cost_distance_km(double lat1, double lon1, double lat2, double lon2);

struct cost {
	enum cost_basis basis;
	double km;  // great circle; NaN: the position of either end is unknown
	int64_t us; // including the bias; INT64_MAX: unknown
	uint8_t hint; // COST_HINT: which of the place's hints it is, from 0
};

// DESIGN section 2.3: the estimated round trip of one candidate. The first row that applies:
//
//   clients of the place cannot reach it      unreachable, and nothing else is known
//   the place hints at this site              ranks first, in the order of the hints: basis COST_HINT, cost as below, or 0
//                                             when that is unknown
//   the latency table has (place, site)       the measured time
//   both have coordinates                     access(kind) + km * us_per_km
//   else                                      unknown
//
// and the site's bias is added unless the cost is unknown. `here` and `there` are the positions of the place and of the
// site, `site` is its index in `in->sites`.
struct cost cost_estimate(const struct steer_input *in, const struct place *place, const struct cost_point *here,
                          const struct cost_point *there, uint16_t site);

// Where a candidate stands among the others of its place, all as one number; less is better: hinted sites, in their order, then
// known costs in microseconds, then unknown ones: what the rule for unknown metros prefers (metro.h), public sites, the other
// ones; then what cannot be reached. Equal ones are in the order of the config.
#define COST_ORDER_UNKNOWN_PREFERRED (INT64_MAX - 3)
#define COST_ORDER_UNKNOWN_PUBLIC (INT64_MAX - 2)
#define COST_ORDER_UNKNOWN_CARRIER (INT64_MAX - 1)
#define COST_ORDER_UNREACHABLE INT64_MAX
// Without a rule.
int64_t cost_order(const struct site *site, const struct cost *cost) PURE;
