// The small world; see smallworld.h.
#include "smallworld.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "steer/place.h"
#include "steer/prior.h"
#include "wire/query.h"

const struct world_site world_sites[WORLD_SITES] = {
	[BOS] = {"bos", SITE_WAVELENGTH, "verizon", 42.360, -71.058},
	[NYC] = {"nyc", SITE_WAVELENGTH, "verizon", 40.713, -74.006},
	[BER] = {"ber", SITE_WAVELENGTH, "vodafone-de", 52.520, 13.405},
	[OUT] = {"plant", SITE_OUTPOST, NULL, 40.7, -74.0},
	[USE1] = {"us-east-1", SITE_REGION, NULL, 39.04, -77.49},
	[EUC1] = {"eu-central-1", SITE_REGION, NULL, 50.11, 8.68},
};

const struct world_client world_clients[WORLD_CLIENTS] = {
	{"10.1.0.0/16", "verizon", NULL, NULL, 42.3, -71.0},
	{"10.2.0.0/16", "verizon", "edge", NULL, 40.7, -74.0},
	{"10.3.0.0/16", "verizon", "roaming", NULL, 42.3, -71.0},
	{"10.4.0.0/16", "verizon", NULL, NULL, NAN, NAN},
	{"10.5.0.0/16", "vodafone-de", NULL, NULL, 52.5, 13.4},
	{"10.6.0.0/16", "telekom", NULL, NULL, 52.5, 13.4},
	{"10.7.0.0/16", NULL, NULL, NULL, 42.3, -71.0},
	{"10.8.0.0/16", "verizon", NULL, "nyc", 42.3, -71.0},
	{"10.9.0.0/16", "vodafone-de", NULL, "nyc", NAN, NAN},
	{"2001:db8:1::/48", "verizon", NULL, NULL, 42.3, -71.0},
};

void world_add_prefix(struct place_builder *builder, const char *text, const struct place_facts *facts)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix, NULL), E_OK);
	assert_int_equal(place_source_add(builder, &prefix, facts), E_OK);
}

static struct places *world_places(void)
{
	struct place_builder *builder = place_builder_new(200);
	struct places *places;

	assert_non_null(builder);
	assert_int_equal(place_source_begin(builder, "world"), E_OK);
	for (size_t i = 0; i < WORLD_CLIENTS; i++) {
		const char *carrier = world_clients[i].carrier, *class_ = world_clients[i].class_, *hint = world_clients[i].hint;
		struct place_facts facts = {
			.carrier = carrier, .carrier_len = carrier ? strlen(carrier) : 0,
			.class_ = class_, .class_len = class_ ? strlen(class_) : 0,
			.hints = {hint}, .hint_lens = {hint ? strlen(hint) : 0},
			.latitude = world_clients[i].latitude, .longitude = world_clients[i].longitude,
		};

		world_add_prefix(builder, world_clients[i].prefix, &facts);
	}
	assert_int_equal(place_source_end(builder), E_OK);
	assert_int_equal(place_finish(builder, &places), E_OK);
	place_builder_free(builder);
	return places;
}

const struct cost_model world_model = {
	.access_us = {[SITE_WAVELENGTH] = 10000, [SITE_OUTPOST] = 15000, [SITE_LOCAL_ZONE] = 18000, [SITE_AZ] = 25000,
	              [SITE_REGION] = 25000},
	.us_per_km = 20,
};

const uint16_t world_every_site[WORLD_SITES] = {BOS, NYC, BER, OUT, USE1, EUC1};

uint32_t world_own_tables;
enum metro_rule world_metro;

void world_steer(struct world *world, const struct ranking_spec *spec)
{
	struct steer_input in = view_steer_input(&world->view);
	struct steering_plan *plan = steering_plan_new();
	uint32_t set;

	steering_free(world->view.extension);
	assert_non_null(plan);
	assert_int_equal(steering_plan_add(plan, spec, &set), E_OK);
	assert_int_equal(steering_build(plan, &in, WORLD_SITES, &(struct steering_wants){.own_max = world_own_tables},
	                                &world->view.extension), E_OK);
	world->view.steering = world->view.extension;
	steering_plan_free(plan);
	world->app.steer = world->view.steering->of[set];
	world->app.target_count = spec->count;
	assert_int_equal(world->app.steer->form, world_own_tables ? STEER_OWN
	                 : spec->weights || spec->metro == METRO_SOLE ? STEER_MAPPED : STEER_SHARED);
}

void world_number_carriers(struct world *world)
{
	for (int i = 0; i < WORLD_SITES; i++) {
		const char *carrier = world_sites[i].carrier;

		if (carrier)
			assert_int_equal(names_add(world->view.places->carriers, carrier, strlen(carrier), &world->carriers[i]), E_OK);
	}
}

// A third of Verizon's clients in Boston, the others in New York.
static void world_make_prior(struct world *world)
{
	struct prior_metro metros[] = {
		{world->carriers[BOS], 0, world_sites[BOS].latitude, world_sites[BOS].longitude, 1},
		{world->carriers[NYC], 0, world_sites[NYC].latitude, world_sites[NYC].longitude, 2},
	};
	struct steer_input in = view_steer_input(&world->view);

	assert_int_equal(prior_build(&in, WORLD_SITES, metros, ARRAY_LEN(metros), &world->view.prior), E_OK);
}

void world_begin(struct world *world, const uint32_t *weights, uint32_t tie_us)
{
	struct ranking_spec spec = {world_every_site, weights, WORLD_SITES, tie_us, 24, 48, world_metro};

	memset(world, 0, sizeof(*world));
	world->view.places = world_places();
	world_number_carriers(world);
	for (int i = 0; i < WORLD_SITES; i++) {
		const char *carrier = world_sites[i].carrier;

		world->sites[i] = (struct site){
			.name = world_sites[i].name, .region = "", .kind = world_sites[i].kind, .is_public = !carrier,
			.carriers = &world->carriers[i], .carrier_count = carrier ? 1 : 0,
			.latitude = world_sites[i].latitude, .longitude = world_sites[i].longitude, .seed = (uint64_t)i * 77 + 1,
		};
		world->targets[i] = (struct target){.app = &world->app, .site = (uint16_t)i, .slot = (uint16_t)i,
		                                    .weight = weights ? weights[i] : 1};
	}
	world->app = (struct app){.name = "app", .ttl_s = 30, .target_count = WORLD_SITES};
	world->view.sites = world->sites;
	world->view.site_count = world->view.target_count = WORLD_SITES;
	world->view.apps = &world->app;
	world->view.app_count = 1;
	world->view.targets = world->targets;
	world->view.model = world_model;

	world_make_prior(world);
	users_start(&world->ground.users);
	users_start(&world->tables.users);
	world->tables.ground = &world->ground;
	world->tables.sites = world->sites;
	world->tables.site_count = WORLD_SITES;
	world_steer(world, &spec);
	world->states = live_states_new(WORLD_SITES);
	assert_non_null(world->states);
	world->live = (struct live){.view = &world->view, .states = world->states};
}

void world_learn(struct world *world, const struct learned_fact *facts, size_t count)
{
	struct learned *learned = NULL;

	world->ground.places = world->view.places;
	learned_free((struct learned *)world->live.learned);
	if (count > 0)
		assert_int_equal(learned_build(&world->tables, facts, count, (struct explore){0}, &learned), E_OK);
	world->live.learned = learned;
}

void world_end(struct world *world)
{
	world_learn(world, NULL, 0);
	free(world->states);
	steering_free(world->view.extension);
	prior_free(world->view.prior);
	places_free(world->view.places);
}

struct location world_where;

struct pick world_ask_by(const struct world *world, const struct query_ecs *ecs, const struct addr *source)
{
	world_where = locate_client(&world->live, &world->app, ecs, source);
	return pick_target(&world->live, &world->app, &world_where);
}

struct pick world_ask(const struct world *world, const char *client)
{
	struct prefix prefix;
	struct addr nobody = {.family = ADDR_V4, .bytes = {192, 0, 2, 1}};

	assert_int_equal(prefix_parse(client, &prefix, NULL), E_OK);

	struct query_ecs ecs = {true, prefix.addr.family == ADDR_V4 ? 1 : 2, prefix.len, 0, prefix.addr};

	return world_ask_by(world, &ecs, &nobody);
}

int world_scope(const struct world *world, const char *client)
{
	(void)world_ask(world, client);
	return world_where.scope;
}

int world_site(const struct world *world, const char *client)
{
	struct pick pick = world_ask(world, client);

	return pick.target ? pick.target->site : -1;
}
