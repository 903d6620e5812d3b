// The rules for clients of unknown metro: the rows of the truth table in metro.h, and expected costs.
#include "steer/metro.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/country.h"
#include "base/err.h"
#include "smallworld.h"
#include "steer/place.h"
#include "steer/prior.h"

static uint16_t country(const char *text)
{
	return country_of_text(text, strlen(text));
}

static void test_country(void **state)
{
	char text[COUNTRY_TEXT_LEN];

	(void)state;
	assert_string_equal(country_text(country("us"), text), "US");
	assert_int_equal(country("Us"), country("US"));
	assert_int_not_equal(country("US"), country("SU"));
	assert_int_equal(country(""), COUNTRY_UNKNOWN);
	assert_int_equal(country("U1"), COUNTRY_UNKNOWN);
	assert_int_equal(country("@S"), COUNTRY_UNKNOWN);
	assert_int_equal(country("USA"), COUNTRY_UNKNOWN);
	assert_string_equal(country_text(COUNTRY_UNKNOWN, text), "");
}

// BOS is in the US, NYC in Canada, for the sake of a second country; both are Verizon's.
static struct place place_of_row(struct world *world, const char *carrier, const char *class_, const char *in_country)
{
	struct places *places = world->view.places;
	struct place place = {.latitude = NAN, .longitude = NAN, .country = country(in_country)};

	assert_int_equal(names_add(places->carriers, carrier, strlen(carrier), &place.carrier), E_OK);
	assert_int_equal(names_add(places->classes, class_, strlen(class_), &place.class_), E_OK);
	return place;
}

static void test_table(void **state)
{
	static const uint16_t both[] = {BOS, NYC, USE1}, boston[] = {USE1, BOS}, none[] = {USE1, BER};
	static const struct {
		const char *carrier, *class_, *country;
		enum metro_rule rule;
		const uint16_t *sites;
		size_t count;
		enum metro_case case_;
		int site; // -1: none
	} rows[] = {
		{"", "", "US", METRO_CARRIER, both, 3, METRO_CASE_NO_CARRIER, -1},
		{"verizon", "roaming", "US", METRO_CARRIER, both, 3, METRO_CASE_NOT_EDGE, -1},
		{"verizon", "mixed", "US", METRO_EXPECTED, both, 3, METRO_CASE_NOT_EDGE, -1},
		{"verizon", "", "US", METRO_REGION, both, 3, METRO_CASE_REGION, -1},
		{"verizon", "", "US", METRO_CARRIER, none, 2, METRO_CASE_NO_SITE, -1},
		{"verizon", "edge", "US", METRO_CARRIER, both, 3, METRO_CASE_CARRIER, -1},
		{"verizon", "", "US", METRO_SOLE, none, 2, METRO_CASE_NO_SITE, -1},
		{"verizon", "", "US", METRO_SOLE, both, 3, METRO_CASE_SOLE, BOS},
		{"verizon", "", "CA", METRO_SOLE, both, 3, METRO_CASE_SOLE, NYC},
		{"verizon", "", "JP", METRO_SOLE, both, 3, METRO_CASE_NO_SITE, -1},
		{"verizon", "", "", METRO_SOLE, both, 3, METRO_CASE_SEVERAL, -1},
		{"verizon", "", "", METRO_SOLE, boston, 2, METRO_CASE_SOLE, BOS},
		{"verizon", "", "US", METRO_EXPECTED, both, 3, METRO_CASE_EXPECTED, -1},
		{"vodafone-de", "", "DE", METRO_EXPECTED, both, 3, METRO_CASE_NO_METROS, -1},
	};
	struct world world;

	(void)state;
	world_begin(&world, NULL, 0);
	world.sites[BOS].country = country("US");
	world.sites[NYC].country = country("CA");

	struct steer_input in = view_steer_input(&world.view);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct place place = place_of_row(&world, rows[i].carrier, rows[i].class_, rows[i].country);
		struct metro metro = metro_of(&in, rows[i].rule, rows[i].sites, rows[i].count, &place);

		print_message("   row %zu\n", i);
		assert_int_equal(metro.case_, rows[i].case_);
		if (rows[i].site >= 0)
			assert_int_equal(metro.site, rows[i].site);
		place.hints[0] = 1;
		assert_int_equal(metro_of(&in, rows[i].rule, rows[i].sites, rows[i].count, &place).case_, METRO_CASE_HINTED);
		place.latitude = place.longitude = 0;
		assert_int_equal(metro_of(&in, rows[i].rule, rows[i].sites, rows[i].count, &place).case_, METRO_CASE_LOCATED);
	}
	world.sites[NYC].country = COUNTRY_UNKNOWN; // may be in the US as well

	struct place place = place_of_row(&world, "verizon", "", "US");

	assert_int_equal(metro_of(&in, METRO_SOLE, both, 3, &place).case_, METRO_CASE_SEVERAL);
	world_end(&world);
}

// Which site 10.4.1.0/24, of Verizon and nowhere, gets one after another. The world's prior has two thirds in New York.
static void test_order(void **state)
{
	static const struct {
		enum metro_rule rule;
		int order[5];
	} rows[] = {
		{METRO_REGION, {OUT, USE1, EUC1, BOS, NYC}},
		{METRO_CARRIER, {BOS, NYC, OUT, USE1, EUC1}},
		{METRO_SOLE, {OUT, USE1, EUC1, BOS, NYC}}, // there are two
		{METRO_EXPECTED, {NYC, BOS, OUT, USE1, EUC1}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world world;

		world_metro = rows[i].rule;
		world_begin(&world, NULL, 0);
		for (int k = 0; k < 5; k++) {
			assert_int_equal(world_site(&world, "10.4.1.0/24"), rows[i].order[k]);
			world.states->octets[rows[i].order[k]] = TARGET_DRAINED;
		}
		assert_int_equal(world_ask(&world, "10.4.1.0/24").outcome, PICK_DRAINED);
		world_end(&world);
	}
	world_metro = METRO_REGION;
}

static void test_expected_costs(void **state)
{
	struct world world;
	struct prior *prior;

	(void)state;
	world_begin(&world, NULL, 0);

	uint16_t verizon = world.carriers[BOS], other = world.carriers[BER], us = country("US"), ca = country("CA");
	struct prior_metro metros[] = {
		{verizon, us, 40.713, -74.006, 1}, {verizon, COUNTRY_UNKNOWN, 50, 8, 2}, {verizon, ca, 42.36, -71.058, 1},
	};
	struct steer_input in = view_steer_input(&world.view);

	world.sites[EUC1].latitude = NAN;
	world.sites[BOS].bias_us = 7;
	assert_int_equal(prior_build(&in, WORLD_SITES, metros, 3, &prior), E_OK);
	assert_null(prior_find(prior, other, us));
	assert_null(prior_find(NULL, verizon, us));
	assert_int_equal(prior_find(prior, verizon, us)[NYC], 10000);
	assert_int_equal(prior_find(prior, verizon, ca)[BOS], 10007);
	assert_int_equal(prior_find(prior, verizon, us)[EUC1], INT64_MAX);
	assert_ptr_equal(prior_find(prior, verizon, country("JP")), prior_find(prior, verizon, COUNTRY_UNKNOWN));

	double km = (cost_distance_km(42.36, -71.058, 40.713, -74.006) + 2 * cost_distance_km(50, 8, 42.36, -71.058)) / 4;

	assert_int_equal(prior_find(prior, verizon, COUNTRY_UNKNOWN)[BOS], llround(10000 + km * 20) + 7);
	prior_free(prior);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_country),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_expected_costs),
	};
	int failed = 0;

	for (world_own_tables = 0; world_own_tables <= 1; world_own_tables++)
		failed += cmocka_run_group_tests(tests, NULL, NULL);
	return failed;
}
