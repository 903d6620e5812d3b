// All sets of sites at once: whatever form a set has, every client gets the same order, over random sites, places and
// sets; blocks never overlap and are never wider than exact ones; the sets of most apps have tables of their own.
#include "steer/steering.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "answer/locate.h"
#include "answer/pick.h"
#include "base/country.h"
#include "base/err.h"
#include "steer/place.h"
#include "steer/prior.h"
#include "view/live.h"
#include "view/view.h"
#include "wire/query.h"

enum { SITES = 60, SETS = 40, SET_MAX = 12, PREFIXES = 3000, CLIENTS = 4000, CARRIERS = 4, CITIES = 12, COUNTRIES = 3, SEED = 11 };

static const uint16_t countries[COUNTRIES] = {'U' << 8 | 'S', 'D' << 8 | 'E', 'J' << 8 | 'P'};

static unsigned seed = SEED;

static unsigned below(unsigned limit)
{
	return (unsigned)rand_r(&seed) % limit;
}

struct world {
	struct view view;
	struct site sites[SITES];
	char names[SITES][8];
	uint16_t carriers[SITES];
	struct measured measured[200];
	struct ranking_spec specs[SETS];
	uint16_t spec_sites[SETS][SET_MAX];
	uint32_t spec_weights[SETS][SET_MAX];
};

static const struct cost_model model = {
	.access_us = {[SITE_WAVELENGTH] = 10000, [SITE_OUTPOST] = 15000, [SITE_LOCAL_ZONE] = 18000, [SITE_AZ] = 25000,
	              [SITE_REGION] = 25000},
	.us_per_km = 20,
};

// Few cities, so that sites of one kind at one position have equal costs.
static double latitude_of(unsigned city)
{
	return (double)city * 11 - 60;
}

static void make_places(struct world *world)
{
	static const char *const carriers[CARRIERS] = {"a", "b", "c", "d"}, *const classes[] = {"edge", "fixed"};
	struct place_builder *builder = place_builder_new(200);

	for (unsigned source = 0; source < 2; source++) {
		assert_int_equal(place_source_begin(builder, source ? "second" : "first"), E_OK);
		for (unsigned i = 0; i < PREFIXES; i++) {
			bool v6 = below(4) == 0;
			struct prefix prefix = {{v6 ? ADDR_V6 : ADDR_V4, {v6 ? 0x20 : (uint8_t)(10 + below(4))}},
			                        (uint8_t)(8 + below(v6 ? 50 : 17))};
			const char *carrier = below(3) ? carriers[below(CARRIERS)] : NULL, *class_ = below(4) ? NULL : classes[below(2)];
			const char *hint = below(30) ? NULL : world->names[below(SITES)];
			const char *next = hint && below(2) ? world->names[below(SITES)] : NULL;
			struct place_facts facts = {.carrier = carrier, .carrier_len = carrier ? 1 : 0, .class_ = class_,
			                            .class_len = class_ ? strlen(class_) : 0, .hints = {hint, next},
			                            .hint_lens = {hint ? strlen(hint) : 0, next ? strlen(next) : 0}, .measured = below(5) ? 0 : 1 + below(20),
			                            .latitude = NAN, .longitude = NAN, .ecs_ignored = source == 0 && below(200) == 0};

			for (unsigned k = 1; k < 8; k++)
				prefix.addr.bytes[k] = (uint8_t)rand_r(&seed);
			prefix.addr = addr_cut(&prefix.addr, prefix.len);
			if (below(5)) {
				facts.latitude = latitude_of(below(CITIES)) + (below(2) ? 0.0 : below(1000) / 500.0);
				facts.longitude = 10;
			}
			facts.country = below(3) ? countries[below(COUNTRIES)] : COUNTRY_UNKNOWN;
			assert_int_equal(place_source_add(builder, &prefix, &facts), E_OK);
		}
		assert_int_equal(place_source_end(builder), E_OK);
	}
	assert_int_equal(place_finish(builder, &world->view.places), E_OK);
	place_builder_free(builder);
	for (unsigned i = 0; i < SITES; i++)
		assert_int_equal(names_add(world->view.places->carriers, carriers[i % CARRIERS], 1, &world->carriers[i]), E_OK);
}

static int compare_measured(const void *a, const void *b)
{
	const struct measured *x = a, *y = b;

	return x->group != y->group ? (int)x->group - (int)y->group : (int)x->site - (int)y->site;
}

// Of all carriers but one.
static void make_prior(struct world *world)
{
	struct steer_input in = view_steer_input(&world->view);
	struct prior_metro metros[20];

	for (unsigned i = 0; i < ARRAY_LEN(metros); i++)
		metros[i] = (struct prior_metro){world->carriers[i % (CARRIERS - 1)], below(2) ? countries[below(COUNTRIES)] : 0,
		                                 latitude_of(below(CITIES)), 10, 1 + below(9)};
	assert_int_equal(prior_build(&in, SITES, metros, ARRAY_LEN(metros), &world->view.prior), E_OK);
}

static void make_sites(struct world *world)
{
	for (unsigned i = 0; i < SITES; i++)
		snprintf(world->names[i], sizeof(world->names[i]), "s%u", i);
	make_places(world);
	for (unsigned i = 0; i < SITES; i++) {
		bool is_public = below(2);

		world->sites[i] = (struct site){
			.name = world->names[i], .region = "", .kind = is_public ? SITE_AZ : SITE_WAVELENGTH, .is_public = is_public,
			.carriers = &world->carriers[i], .carrier_count = is_public ? 0 : 1,
			.latitude = below(6) ? latitude_of(below(CITIES)) : NAN, .longitude = 10,
			.bias_us = below(8) ? 0 : (int)below(10000) - 5000, .seed = i * 7919 + 1,
			.country = below(3) ? countries[below(COUNTRIES)] : COUNTRY_UNKNOWN,
		};
	}
	for (unsigned i = 0; i < ARRAY_LEN(world->measured); i++)
		world->measured[i] = (struct measured){.group = 1 + i / 10, .site = (uint16_t)(i % 10 * 6 + below(6)),
		                                       .us = below(50000)};
	qsort(world->measured, ARRAY_LEN(world->measured), sizeof(world->measured[0]), compare_measured);
	world->view.sites = world->sites;
	world->view.site_count = SITES;
	world->view.model = model;
	world->view.measured = (struct measured_table){world->measured, ARRAY_LEN(world->measured)};
	make_prior(world);
}

// A third of the sets has weights, some of them 0. All rules are in use, with and without weights.
static void make_specs(struct world *world)
{
	for (unsigned i = 0; i < SETS; i++) {
		unsigned count = 0, wanted = 1 + below(SET_MAX);
		bool is_taken[SITES] = {false};

		while (count < wanted) {
			uint16_t site = (uint16_t)below(SITES);

			if (is_taken[site])
				continue;
			is_taken[site] = true;
			world->spec_weights[i][count] = below(4);
			world->spec_sites[i][count++] = site;
		}
		world->specs[i] = (struct ranking_spec){world->spec_sites[i], i % 3 ? NULL : world->spec_weights[i],
		                                        (uint16_t)wanted, 5000, 24, 48, i / 3 % METRO_RULES};
	}
}

// The first `count` sets; set i has i / 4 + 1 apps.
static struct steering_plan *plan_sets(const struct world *world, unsigned count)
{
	struct steering_plan *plan = steering_plan_new();

	for (unsigned i = 0; i < count; i++)
		for (unsigned app = 0; app < i / 4 + 1; app++) {
			uint32_t set = SETS;

			assert_int_equal(steering_plan_add(plan, &world->specs[i], &set), E_OK);
			assert_int_equal(set, i);
		}
	return plan;
}

static struct steering *build_wanted(const struct world *world, unsigned count, const struct steering_wants *wants)
{
	struct steering_plan *plan = plan_sets(world, count);
	struct steer_input in = view_steer_input(&world->view);
	struct steering *steering = NULL;

	assert_int_equal(steering_build(plan, &in, SITES, wants, &steering), E_OK);
	steering_plan_free(plan);
	return steering;
}

static struct steering *build(const struct world *world, uint32_t own_max)
{
	return build_wanted(world, SETS, &(struct steering_wants){.own_max = own_max});
}

static struct pick ask(struct world *world, const struct steer *steer, struct target_states *states,
                       const struct addr *client, struct location *ret_where)
{
	struct target targets[SET_MAX];
	struct app app = {.steer = steer, .name = "app", .target_count = steer->spec.count};
	struct query_ecs ecs = {true, client->family == ADDR_V4 ? 1 : 2, addr_bits(client->family), 0, *client};
	struct addr nobody = {.family = ADDR_V4, .bytes = {192, 0, 2, 1}};

	for (uint16_t slot = 0; slot < steer->spec.count; slot++)
		targets[slot] = (struct target){.app = &app, .site = steer->spec.sites[slot], .slot = slot,
		                                .weight = steer->spec.weights ? steer->spec.weights[slot] : 1};
	world->view.targets = targets;
	world->view.apps = &app;

	struct live live = {.view = &world->view, .states = states};

	*ret_where = locate_client(&live, &app, &ecs, &nobody);

	struct pick pick = pick_target(&live, &app, ret_where);

	world->view.targets = NULL;
	world->view.apps = NULL;
	return pick;
}

static void random_client(struct addr *client)
{
	*client = (struct addr){.family = below(4) ? ADDR_V4 : ADDR_V6};
	for (unsigned i = 0; i < addr_bits(client->family) / 8; i++)
		client->bytes[i] = (uint8_t)rand_r(&seed);
	client->bytes[0] = client->family == ADDR_V6 ? 0x20 : (uint8_t)(10 + below(5));
}

// A weighted choice may hash another prefix where the blocks differ, so only the group is compared: what is healthy is
// the same, and so is who is reached at all.
static void compare_forms(struct world *world, const struct steer *own, const struct steer *other,
                          struct target_states *states)
{
	struct location exact, longer;
	struct addr client;

	random_client(&client);

	struct pick want = ask(world, own, states, &client, &exact);
	struct pick have = ask(world, other, states, &client, &longer);

	assert_int_equal(have.outcome, want.outcome);
	assert_int_equal(have.hashed, want.hashed);
	assert_true(longer.hit.depth >= exact.hit.depth);
	assert_true(longer.scope >= exact.scope);
	assert_ptr_equal(longer.client == &client, exact.client == &client);
	if (!want.hashed)
		assert_int_equal(have.target ? have.target_number : UINT32_MAX, want.target ? want.target_number : UINT32_MAX);

	// An order knows whose it is.
	uint8_t depth;
	uint32_t carrier = place_carrier_bit(places_carrier(world->view.places, exact.client, &depth));

	assert_int_equal(exact.hit.order->carriers & carrier, carrier);
	assert_int_equal(longer.hit.order->carriers & carrier, carrier);

	// Every address of the block has that block.
	depth = steer_lookup(other, &client).depth;
	struct addr inside = addr_cut(&client, depth);

	assert_int_equal(steer_lookup(other, &inside).depth, depth);
}

static void test_forms_agree(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct target_states *states = live_states_new(SET_MAX);

	(void)state;
	make_sites(world);
	make_specs(world);

	struct steering *own = build(world, SETS), *mixed = build(world, 3);

	assert_int_equal(own->form_counts[STEER_OWN], SETS);
	assert_int_equal(mixed->form_counts[STEER_OWN], 3);
	assert_true(mixed->form_counts[STEER_SHARED] > 15 && mixed->form_counts[STEER_MAPPED] > 15);
	assert_true(mixed->form_bytes[STEER_SHARED] > 0 && mixed->form_bytes[STEER_MAPPED] > 0);
	for (unsigned i = 0; i < SETS; i++) // most apps; of those with equally many, the first
		assert_int_equal(mixed->sets[i].form == STEER_OWN, i >= SETS - 4 && i < SETS - 1);
	for (unsigned i = 0; i < CLIENTS * 10; i++) {
		unsigned set = below(SETS);

		for (unsigned slot = 0; slot < SET_MAX; slot++)
			states->octets[slot] = (uint8_t)(below(3) ? 0 : below(4));
		compare_forms(world, &own->sets[set], &mixed->sets[set], states);
	}
	steering_free(own);
	steering_free(mixed);
	prior_free(world->view.prior);
	places_free(world->view.places);
	free(states);
	free(world);
}

// A steering that is extended by further sets gives every client what one built for all of them gives.
static void test_extended(void **state)
{
	static const struct steering_wants wants = {
		.own_max = 3, .shared = {[METRO_REGION] = true, [METRO_CARRIER] = true, [METRO_EXPECTED] = true}, .mapped = true};
	struct world *world = calloc(1, sizeof(*world));
	struct target_states *states = live_states_new(SET_MAX);

	(void)state;
	make_sites(world);
	make_specs(world);

	struct steering *own = build(world, SETS), *base = build_wanted(world, SETS / 2, &wants), *extended = NULL;
	struct steering_plan *plan = plan_sets(world, SETS);
	struct steer_input in = view_steer_input(&world->view);

	assert_int_equal(steering_extend(plan, &in, base, &extended), E_OK);
	assert_int_equal(extended->count, SETS);
	assert_int_equal(extended->set_count, SETS - SETS / 2);
	assert_int_equal(extended->form_counts[STEER_OWN], 3);
	for (unsigned i = 0; i < SETS; i++)
		assert_true(ranking_spec_equal(&extended->of[i]->spec, &world->specs[i]));
	for (unsigned i = 0; i < SETS / 2; i++)
		assert_ptr_equal(extended->of[i], &base->sets[i]);
	for (unsigned i = 0; i < CLIENTS * 10; i++) {
		unsigned set = below(SETS);

		for (unsigned slot = 0; slot < SET_MAX; slot++)
			states->octets[slot] = (uint8_t)(below(3) ? 0 : below(4));
		compare_forms(world, own->of[set], extended->of[set], states);
	}
	steering_plan_free(plan);
	steering_free(extended);
	steering_free(base);
	steering_free(own);
	prior_free(world->view.prior);
	places_free(world->view.places);
	free(states);
	free(world);
}

// A table that was not wanted cannot be shared by what comes later, even if some set has it.
static void test_not_extended(void **state)
{
	static const struct steering_wants each[] = {
		{.own_max = 3},
		{.own_max = 3, .shared = {[METRO_REGION] = true, [METRO_CARRIER] = true, [METRO_EXPECTED] = true}},
	};
	struct world *world = calloc(1, sizeof(*world));

	(void)state;
	make_sites(world);
	make_specs(world);
	for (unsigned i = 0; i < ARRAY_LEN(each); i++) {
		struct steering *base = build_wanted(world, SETS / 2, &each[i]), *extended = NULL;
		struct steering_plan *all = plan_sets(world, SETS), *same = plan_sets(world, SETS / 2);
		struct steer_input in = view_steer_input(&world->view);

		assert_int_equal(steering_extend(all, &in, base, &extended), E_NOTFOUND);
		assert_null(extended);
		assert_int_equal(steering_extend(same, &in, base, &extended), E_OK);
		assert_int_equal(extended->set_count, 0);
		steering_free(extended);
		steering_plan_free(all);
		steering_plan_free(same);
		steering_free(base);
	}
	prior_free(world->view.prior);
	places_free(world->view.places);
	free(world);
}

// Sets that differ in their rule alone are different sets.
static void test_rules_are_part_of_a_set(void **state)
{
	static const uint16_t sites[] = {0, 1};
	struct steering_plan *plan = steering_plan_new();

	(void)state;
	for (unsigned i = 0; i < 2 * METRO_RULES; i++) {
		const struct ranking_spec spec = {.sites = sites, .count = 2, .metro = i % METRO_RULES};
		uint32_t set;

		assert_int_equal(steering_plan_add(plan, &spec, &set), E_OK);
		assert_int_equal(set, i % METRO_RULES);
		assert_int_equal(ranking_spec_equal(&spec, &(struct ranking_spec){.sites = sites, .count = 2}),
		                 spec.metro == METRO_REGION);
	}
	steering_plan_free(plan);
}

// No sets, and sets that are all the same.
static void test_few(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct steering_plan *plan = steering_plan_new();
	struct steering *steering = NULL;
	uint32_t set;

	(void)state;
	make_sites(world);
	make_specs(world);

	struct steer_input in = view_steer_input(&world->view);

	assert_int_equal(steering_build(plan, &in, SITES, &(struct steering_wants){.own_max = 16}, &steering), E_OK);
	assert_int_equal(steering->count, 0);
	steering_free(steering);
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(steering_plan_add(plan, &world->specs[1], &set), E_OK);
		assert_int_equal(set, 0);
	}
	assert_int_equal(steering_build(plan, &in, SITES, &(struct steering_wants){0}, &steering), E_OK);
	assert_int_equal(steering->count, 1);
	assert_int_equal(steering->form_counts[STEER_SHARED], 1);
	steering_free(steering);
	steering_plan_free(plan);
	prior_free(world->view.prior);
	places_free(world->view.places);
	free(world);
}

// Sets that differ in nothing but the tie are told apart without a search through all of them.
static void test_ties(void **state)
{
	enum { TIES = 200000, PATIENCE_S = 20 };
	static const uint16_t sites[] = {0, 1};
	static const uint32_t weights[] = {1, 2};
	struct steering_plan *plan = steering_plan_new();

	(void)state;
	alarm(PATIENCE_S);
	for (uint32_t round = 0; round < 2; round++)
		for (uint32_t tie = 0; tie < TIES; tie++) {
			struct ranking_spec spec = {sites, weights, 2, tie, 24, 48};
			uint32_t set = TIES;

			assert_int_equal(steering_plan_add(plan, &spec, &set), E_OK);
			assert_int_equal(set, tie);
		}
	alarm(0);
	steering_plan_free(plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms_agree),
		cmocka_unit_test(test_extended),
		cmocka_unit_test(test_not_extended),
		cmocka_unit_test(test_rules_are_part_of_a_set),
		cmocka_unit_test(test_few),
		cmocka_unit_test(test_ties),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
