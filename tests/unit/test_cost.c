// The cost of reaching one site, row by row of its table.
#include "steer/cost.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "steer/place.h"

enum { MEASURED_US = 7000, BIAS_US = -300, GROUP = 3, ACCESS_US = 18000 };

// What is known: a hint at the site, a row of the latency table, the coordinates of both.
static void test_rows(void **state)
{
	static const struct {
		bool hint, measured, located;
		enum cost_basis basis;
		int64_t us; // without the bias and the distance
	} rows[] = {
		{true, true, true, COST_HINT, MEASURED_US},
		{true, true, false, COST_HINT, MEASURED_US},
		{true, false, true, COST_HINT, ACCESS_US},
		{true, false, false, COST_HINT, 0},
		{false, true, true, COST_MEASURED, MEASURED_US},
		{false, true, false, COST_MEASURED, MEASURED_US},
		{false, false, true, COST_DISTANCE, ACCESS_US},
		{false, false, false, COST_UNKNOWN, INT64_MAX},
	};
	const struct cost_model model = {.access_us = {[SITE_LOCAL_ZONE] = ACCESS_US}, .us_per_km = 20};
	const struct measured row = {.group = GROUP, .site = 1, .us = MEASURED_US};
	struct places places = {.hints = names_new()};
	uint16_t hint;

	(void)state;
	assert_int_equal(names_add(places.hints, "bos", 3, &hint), E_OK);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct site sites[] = {
			{.name = "nyc"},
			{.name = "bos", .kind = SITE_LOCAL_ZONE, .is_public = true, .latitude = 42.36, .longitude = -71.06,
			 .bias_us = BIAS_US},
		};
		struct place place = {.latitude = rows[i].located ? 40.71 : NAN, .longitude = -74.01,
		                      .measured = rows[i].measured ? GROUP : 0, .hint = rows[i].hint ? hint : 0};
		struct steer_input in = {&places, sites, &model, {&row, 1}};
		struct cost_point here = cost_point_at(place.latitude, place.longitude);
		struct cost_point there = cost_point_at(sites[1].latitude, sites[1].longitude);
		struct cost cost = cost_estimate(&in, &place, &here, &there, 1);
		int64_t expected = rows[i].us;

		if (rows[i].us == ACCESS_US)
			expected = llround(ACCESS_US + cost.km * model.us_per_km);
		if (rows[i].basis != COST_UNKNOWN)
			expected += BIAS_US;
		assert_int_equal(cost.basis, rows[i].basis);
		assert_int_equal(cost.us, expected);
		assert_int_equal(isnan(cost.km), !rows[i].located);
	}
	names_free(places.hints);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
