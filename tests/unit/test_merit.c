// Measured round trips against the table's estimates: the truth table row by row, and random measures, by which the first
// site is never worse than the best one by more than the margin and an order never changes without a reason.
#include "learn/merit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/hash.h"
#include "smallworld.h"

enum { MARGIN = 10, NONE = -1, END = -2 };

// Of the sites in their order; 0: not measured; negative: measured, but not enough.
struct figures {
	int ms[WORLD_SITES];
};

static struct merit_order judge(const struct world *world, struct merit *merit, const char *client,
                                const struct figures *figures, const struct merit_order *held)
{
	struct measure measures[WORLD_SITES];
	struct addr addr;
	unsigned count = 0;

	assert_int_equal(addr_parse(client, &addr), E_OK);
	for (uint16_t site = 0; site < WORLD_SITES; site++)
		if (figures->ms[site] != 0)
			measures[count++] = (struct measure){site, 5, 2, figures->ms[site] > 0, (uint32_t)abs(figures->ms[site]) * 1000};
	return merit_judge(&world->view, merit_rivals_of(merit, &world->view, &addr), measures, count, held, MARGIN);
}

static struct merit_order order_of(const int *sites)
{
	struct merit_order order = {.count = 0};

	for (; order.count < FINDING_SITES_MAX && sites[order.count] >= 0; order.count++)
		order.sites[order.count] = (uint16_t)sites[order.count];
	return order;
}

static const char *text_of(const struct merit_order *order, char *buf, size_t size)
{
	size_t at = 0;

	buf[0] = '\0';
	for (unsigned i = 0; i < order->count; i++)
		at += (size_t)snprintf(buf + at, size - at, "%s ", world_sites[order->sites[i]].name);
	return buf;
}

static void test_table(void **state)
{
	static const struct {
		const char *client;
		int held[FINDING_SITES_MAX + 1];
		struct figures figures; // bos, nyc, ber, plant, us-east-1, eu-central-1
		int expected[FINDING_SITES_MAX + 1];
	} rows[] = {
		// In Boston, the table says bos at some 10.2 ms, nyc at 16.
		{"10.1.0.1", {END}, {{40, 20}}, {NYC, BOS, END}},
		{"10.1.0.1", {END}, {{20, 40}}, {END}},
		{"10.1.0.1", {END}, {{20, 19}}, {END}},          // not by the margin
		{"10.1.0.1", {END}, {{0, 12}}, {END}},           // bos is not measured: 10.2 by the table
		{"10.1.0.1", {END}, {{0, 9}}, {NYC, BOS, END}},  // just better than that
		{"10.1.0.1", {END}, {{40, -20}}, {END}},         // not enough
		{"10.1.0.1", {END}, {{-40, 20}}, {END}},
		{"10.1.0.1", {END}, {{40, 30, 0, 20}}, {OUT, NYC, BOS, END}},
		{"10.1.0.1", {END}, {{40, 30, 25, 20, 15}}, {USE1, OUT, BER, NYC, END}},
		// What is held stays until another is better by the margin, measured or not any more.
		{"10.1.0.1", {NYC, BOS, END}, {{40, 20}}, {NYC, BOS, END}},
		{"10.1.0.1", {NYC, BOS, END}, {{19, 20}}, {NYC, BOS, END}},
		{"10.1.0.1", {NYC, BOS, END}, {{17, 20}}, {BOS, NYC, END}},
		{"10.1.0.1", {NYC, BOS, END}, {{0, 20}}, {NYC, BOS, END}},
		{"10.1.0.1", {NYC, BOS, END}, {{17, 0}}, {NYC, BOS, END}},
		{"10.1.0.1", {NYC, BOS, END}, {{0, 0, 0, 5}}, {NYC, OUT, BOS, END}},
		{"10.1.0.1", {NYC, END}, {{17, 20}}, {BOS, NYC, END}},
		{"10.1.0.1", {NYC, END}, {{40, 20, 0, 0, 50}}, {NYC, BOS, END}},
		{"10.1.0.1", {NYC, BOS, END}, {{40, 20, 0, 10, 0}}, {OUT, NYC, BOS, END}},
		{"10.1.0.1", {NYC, BOS, OUT, USE1, END}, {{0, 20, 0, 0, 0, 10}}, {EUC1, NYC, BOS, OUT, END}},
		// Where the first is of unknown cost it has to be measured: of what is public, plant is the first that is written.
		{"10.4.0.1", {END}, {{0, 20}}, {END}},
		{"10.4.0.1", {END}, {{0, 20, 0, 50}}, {NYC, OUT, END}},
		{"10.4.0.1", {END}, {{0, 20, 0, 21}}, {END}},
		// A hint counts more than an estimate, and less than a measurement.
		{"10.8.0.1", {END}, {{1}}, {END}},
		{"10.8.0.1", {END}, {{10, 40}}, {BOS, NYC, END}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct merit *merit = merit_new();
		struct merit_order held = order_of(rows[i].held), expected = order_of(rows[i].expected), order;
		struct world world;
		char text[2][256];

		world_begin(&world, NULL, 0);
		assert_non_null(merit);
		order = judge(&world, merit, rows[i].client, &rows[i].figures, &held);
		if (strcmp(text_of(&order, text[0], sizeof(text[0])), text_of(&expected, text[1], sizeof(text[1]))) != 0)
			fail_msg("row %zu: %s, expected %s", i, text[0], text[1]);
		merit_free(merit);
		world_end(&world);
	}
}

// What is held to be explored: the table's first two, of a first one that is measured.
static void test_start(void **state)
{
	static const struct {
		const char *client;
		struct figures figures;
		int expected[FINDING_SITES_MAX + 1];
	} rows[] = {
		{"10.1.0.1", {{40}}, {BOS, NYC, END}},
		{"10.1.0.1", {{-40}}, {END}},         // not enough
		{"10.1.0.1", {{0, 40}}, {END}},       // another one
		{"10.1.0.1", {{40, 20}}, {BOS, NYC, END}},
	};
	struct merit *merit = merit_new();
	struct world world;

	(void)state;
	world_begin(&world, NULL, 0);
	assert_non_null(merit);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct measure measures[WORLD_SITES];
		struct merit_order order, expected = order_of(rows[i].expected);
		struct addr addr;
		unsigned count = 0;

		assert_int_equal(addr_parse(rows[i].client, &addr), E_OK);
		for (uint16_t site = 0; site < WORLD_SITES; site++)
			if (rows[i].figures.ms[site] != 0)
				measures[count++] = (struct measure){site, 5, 2, rows[i].figures.ms[site] > 0, 1000};
		order = merit_start(merit_rivals_of(merit, &world.view, &addr), measures, count);
		assert_int_equal(order.count, expected.count);
		assert_memory_equal(order.sites, expected.sites, sizeof(order.sites));
	}
	merit_free(merit);
	world_end(&world);
}

static const struct merit_rivals *rivals_at(const struct world *world, struct merit *merit)
{
	struct addr addr;

	assert_int_equal(addr_parse("10.1.0.1", &addr), E_OK);
	return merit_rivals_of(merit, &world->view, &addr);
}

// Another set of sites, whose first is another: a site takes the place of both, or of none.
static void test_sets(void **state)
{
	static const uint16_t others[] = {NYC, USE1};
	struct merit *merit = merit_new();
	struct merit_order held = {.count = 0}, order;
	struct figures figures = {{40, 0, 0, 0, 20}};
	struct ranking_spec spec = {others, NULL, ARRAY_LEN(others), 0, 24, 48, METRO_REGION};
	struct steering_plan *plan = steering_plan_new();
	struct world world;
	uint32_t set;

	(void)state;
	world_begin(&world, NULL, 0);
	order = judge(&world, merit, "10.1.0.1", &figures, &held);
	assert_int_equal(order.count, 2);
	assert_int_equal(order.sites[0], USE1);
	// nyc is the other set's first, at 16 ms by the table.
	struct steer_input in = view_steer_input(&world.view);
	struct ranking_spec first = {world_every_site, NULL, WORLD_SITES, 0, 24, 48, METRO_REGION};

	assert_int_equal(steering_plan_add(plan, &first, &set), E_OK);
	assert_int_equal(steering_plan_add(plan, &spec, &set), E_OK);
	steering_free(world.view.extension);
	assert_int_equal(steering_build(plan, &in, WORLD_SITES, &(struct steering_wants){.own_max = 2}, &world.view.extension), E_OK);
	world.view.steering = world.view.extension;
	world.view.generation++;
	order = judge(&world, merit, "10.1.0.1", &figures, &held);
	assert_int_equal(order.count, 0);
	figures.ms[NYC] = 35;
	order = judge(&world, merit, "10.1.0.1", &figures, &held);
	assert_true(order.count >= 2);
	assert_int_equal(order.sites[0], USE1);
	assert_true(rivals_at(&world, merit)->has_second); // bos for the one, nyc for the other, as by the table
	// A set of nyc and something nearer that the first set has not as its first; one that shares clients out.
	static const uint16_t third[] = {OUT, NYC}, fourth[] = {BOS, NYC};
	static const uint32_t weights[] = {1, 1};
	const struct ranking_spec more[] = {{third, NULL, ARRAY_LEN(third), 0, 24, 48, METRO_REGION},
	                                    {fourth, weights, ARRAY_LEN(fourth), 1000000, 24, 48, METRO_REGION}};

	for (size_t i = 0; i < ARRAY_LEN(more); i++) {
		struct steering_plan *larger = steering_plan_new();

		assert_int_equal(steering_plan_add(larger, &first, &set), E_OK);
		assert_int_equal(steering_plan_add(larger, &more[i], &set), E_OK);
		steering_free(world.view.extension);
		assert_int_equal(steering_build(larger, &in, WORLD_SITES, &(struct steering_wants){.own_max = 2}, &world.view.extension),
		                 E_OK);
		world.view.steering = world.view.extension;
		world.view.generation++;
		assert_int_equal(rivals_at(&world, merit)->has_second, i == 0 && rivals_at(&world, merit)->list[1].site == NYC);
		steering_plan_free(larger);
	}
	steering_plan_free(plan);
	merit_free(merit);
	world_end(&world);
}

// Random measures, one after the other, from no order on.
static void test_random(void **state)
{
	enum { RUNS = 2000, STEPS = 20 };
	struct merit *merit = merit_new();
	struct world world;
	uint64_t seed = 5;

	(void)state;
	world_begin(&world, NULL, 0);
	for (unsigned run = 0; run < RUNS; run++) {
		struct merit_order held = {.count = 0};
		struct figures figures = {{30, 30, 30, 30, 30, 30}};

		for (unsigned step = 0; step < STEPS; step++) {
			struct merit_order order, again;
			uint64_t random = hash_mix(++seed);
			int best = INT32_MAX;

			figures.ms[random % WORLD_SITES] = 1 + (int)(random / WORLD_SITES % 60);
			order = judge(&world, merit, "10.1.0.1", &figures, &held);
			again = judge(&world, merit, "10.1.0.1", &figures, &order);
			assert_memory_equal(&again.sites, &order.sites, order.count * sizeof(order.sites[0]));
			assert_true(again.count >= order.count);
			for (unsigned i = 0; i < WORLD_SITES; i++)
				best = figures.ms[i] < best ? figures.ms[i] : best;
			assert_true(figures.ms[order.count ? order.sites[0] : BOS] * (100 - MARGIN) <= best * 100);
			if (held.count > 0 && order.sites[0] != held.sites[0])
				assert_true(figures.ms[order.sites[0]] * 100 < figures.ms[held.sites[0]] * (100 - MARGIN));
			held = order;
		}
	}
	merit_free(merit);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
