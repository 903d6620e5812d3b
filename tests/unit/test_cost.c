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

// What is known: a hint at the site, a row of the latency table, the coordinates of both; and whether the client can
// reach the site.
static void test_rows(void **state)
{
	static const struct {
		bool hint, measured, located, unreachable;
		enum cost_basis basis;
		int64_t us; // without the bias and the distance
	} rows[] = {
		{true, true, true, false, COST_HINT, MEASURED_US},
		{true, true, false, false, COST_HINT, MEASURED_US},
		{true, false, true, false, COST_HINT, ACCESS_US},
		{true, false, false, false, COST_HINT, 0},
		{false, true, true, false, COST_MEASURED, MEASURED_US},
		{false, true, false, false, COST_MEASURED, MEASURED_US},
		{false, false, true, false, COST_DISTANCE, ACCESS_US},
		{false, false, false, false, COST_UNKNOWN, INT64_MAX},
		{true, true, true, true, COST_UNREACHABLE, INT64_MAX},
		{false, false, false, true, COST_UNREACHABLE, INT64_MAX},
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
			{.name = "bos", .kind = SITE_LOCAL_ZONE, .is_public = !rows[i].unreachable, .latitude = 42.36, .longitude = -71.06,
			 .bias_us = BIAS_US},
		};
		struct place place = {.latitude = rows[i].located ? 40.71 : NAN, .longitude = -74.01,
		                      .measured = rows[i].measured ? GROUP : 0, .hints = {rows[i].hint ? hint : 0}};
		struct steer_input in = {&places, sites, &model, {&row, 1}};
		struct cost_point here = cost_point_at(place.latitude, place.longitude);
		struct cost_point there = cost_point_at(sites[1].latitude, sites[1].longitude);
		struct cost cost = cost_estimate(&in, &place, &here, &there, 1);
		int64_t expected = rows[i].us;

		if (rows[i].us == ACCESS_US)
			expected = llround(ACCESS_US + cost.km * model.us_per_km);
		if (expected != INT64_MAX)
			expected += BIAS_US;
		assert_int_equal(cost.basis, rows[i].basis);
		assert_int_equal(cost.us, expected);
		assert_int_equal(isnan(cost.km), !rows[i].located || rows[i].unreachable);
	}
	names_free(places.hints);
}

// Hints in their order, also where a later one costs less; which of them a site is. Whoever is not among them is none.
static void test_hints(void **state)
{
	static const char *const names[] = {"a", "b", "c", "d", "e"};
	const struct cost_model model = {.us_per_km = 20};
	struct places places = {.hints = names_new()};
	struct place place = {.latitude = NAN, .longitude = NAN};
	struct cost_point nowhere = cost_point_at(NAN, NAN);

	(void)state;
	for (unsigned i = 0; i < PLACE_HINTS_MAX; i++)
		assert_int_equal(names_add(places.hints, names[PLACE_HINTS_MAX - 1 - i], 1, &place.hints[i]), E_OK);
	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		const struct site site = {.name = names[i], .is_public = true};
		struct steer_input in = {&places, &site, &model, {NULL, 0}};
		struct cost cost = cost_estimate(&in, &place, &nowhere, &nowhere, 0);

		assert_int_equal(cost.basis, i < PLACE_HINTS_MAX ? COST_HINT : COST_UNKNOWN);
		assert_int_equal(cost.hint, i < PLACE_HINTS_MAX ? PLACE_HINTS_MAX - 1 - i : 0);
	}
	names_free(places.hints);
}

// Hints before any cost, a cost before none, public before carriers' sites, and last what cannot be reached.
static void test_order(void **state)
{
	const struct site open = {.is_public = true}, carriers = {.is_public = false};
	const struct cost hinted = {COST_HINT, NAN, 90000, 0}, last = {COST_HINT, NAN, 0, PLACE_HINTS_MAX - 1},
	                  near = {COST_DISTANCE, 1, -5, 0}, far = {COST_MEASURED, NAN, 80000, 0},
	                  unknown = {COST_UNKNOWN, NAN, INT64_MAX, 0}, beyond = {COST_UNREACHABLE, NAN, INT64_MAX, 0};
	const int64_t ascending[] = {
		cost_order(&carriers, &hinted), cost_order(&open, &last),        cost_order(&open, &near),
		cost_order(&carriers, &far),    cost_order(&open, &unknown),     cost_order(&carriers, &unknown),
		cost_order(&carriers, &beyond),
	};

	(void)state;
	for (size_t i = 1; i < ARRAY_LEN(ascending); i++)
		assert_true(ascending[i - 1] < ascending[i]);
	assert_int_equal(cost_order(&open, &far), cost_order(&carriers, &far));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_hints),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
