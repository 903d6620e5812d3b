// Steering: the truth tables of reach, order and choice, walked row by row; and reach as an invariant, over every
// combination of six sites' states and every kind of client.
#include "steer/steer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "answer/locate.h"
#include "answer/pick.h"
#include "base/arena.h"
#include "base/err.h"
#include "steer/place.h"
#include "view/live.h"
#include "view/view.h"
#include "wire/query.h"

// ---- a small world: two carriers, six sites ------------------------------------------------------------------------

enum { BOS, NYC, BER, OUT, USE1, EUC1, WORLD_SITES };

static const struct {
	const char *name;
	enum site_kind kind;
	const char *carrier; // NULL: public
	double latitude, longitude;
} world_sites[WORLD_SITES] = {
	[BOS] = {"bos", SITE_WAVELENGTH, "verizon", 42.360, -71.058},
	[NYC] = {"nyc", SITE_WAVELENGTH, "verizon", 40.713, -74.006},
	[BER] = {"ber", SITE_WAVELENGTH, "vodafone-de", 52.520, 13.405},
	[OUT] = {"plant", SITE_OUTPOST, NULL, 40.7, -74.0},
	[USE1] = {"us-east-1", SITE_REGION, NULL, 39.04, -77.49},
	[EUC1] = {"eu-central-1", SITE_REGION, NULL, 50.11, 8.68},
};

// Prefixes of the world's clients: carrier, class, coordinates, hint.
static const struct {
	const char *prefix, *carrier, *class_, *hint;
	double latitude, longitude;
} world_clients[] = {
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

struct world {
	struct view view;
	struct site sites[WORLD_SITES];
	uint16_t carriers[WORLD_SITES];
	struct target targets[WORLD_SITES];
	struct app app;
	struct steer *steers[1];
	struct target_states *states;
	struct live live;
};

static struct places *world_places(void)
{
	struct place_builder *builder = place_builder_new(200);
	struct places *places;

	assert_non_null(builder);
	assert_int_equal(place_source_begin(builder, "world"), E_OK);
	for (size_t i = 0; i < sizeof(world_clients) / sizeof(world_clients[0]); i++) {
		struct prefix prefix;
		const char *carrier = world_clients[i].carrier, *class_ = world_clients[i].class_, *hint = world_clients[i].hint;
		struct place_facts facts = {
			.carrier = carrier, .carrier_len = carrier ? strlen(carrier) : 0,
			.class_ = class_, .class_len = class_ ? strlen(class_) : 0,
			.hint = hint, .hint_len = hint ? strlen(hint) : 0,
			.latitude = world_clients[i].latitude, .longitude = world_clients[i].longitude,
		};

		assert_int_equal(prefix_parse(world_clients[i].prefix, &prefix, NULL), E_OK);
		assert_int_equal(place_source_add(builder, &prefix, &facts), E_OK);
	}
	assert_int_equal(place_source_end(builder), E_OK);
	assert_int_equal(place_finish(builder, &places), E_OK);
	place_builder_free(builder);
	return places;
}

static const struct cost_model model = {
	.access_us = {[SITE_WAVELENGTH] = 10000, [SITE_OUTPOST] = 15000, [SITE_LOCAL_ZONE] = 18000, [SITE_AZ] = 25000,
	              [SITE_REGION] = 25000},
	.us_per_km = 20,
};

static void world_begin(struct world *world, const uint32_t *weights, uint32_t tie_us)
{
	static const uint16_t sites[WORLD_SITES] = {BOS, NYC, BER, OUT, USE1, EUC1};
	struct ranking_spec spec = {sites, weights, WORLD_SITES, tie_us, 24, 48};

	memset(world, 0, sizeof(*world));
	world->view.places = world_places();
	for (int i = 0; i < WORLD_SITES; i++) {
		const char *carrier = world_sites[i].carrier;

		if (carrier)
			assert_int_equal(names_add(world->view.places->carriers, carrier, strlen(carrier), &world->carriers[i]), E_OK);
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
	world->view.model = model;

	struct steer_input in = view_steer_input(&world->view);

	assert_int_equal(steer_build(&in, &spec, &world->steers[0]), E_OK);
	world->app.steer = world->steers[0];
	world->view.steers = world->steers;
	world->view.steer_count = 1;
	world->states = live_states_new(WORLD_SITES);
	assert_non_null(world->states);
	world->live = (struct live){.view = &world->view, .states = world->states};
}

static void world_end(struct world *world)
{
	free(world->states);
	steer_free(world->steers[0]);
	places_free(world->view.places);
}

// What was decided for the client whose location ask() found last.
static struct location where;

static struct pick ask_by(const struct world *world, const struct query_ecs *ecs, const struct addr *source)
{
	where = locate_client(&world->live, &world->app, ecs, source);
	return pick_target(&world->live, &world->app, &where);
}

static struct pick ask(const struct world *world, const char *client)
{
	struct prefix prefix;
	struct addr nobody = {.family = ADDR_V4, .bytes = {192, 0, 2, 1}};

	assert_int_equal(prefix_parse(client, &prefix, NULL), E_OK);

	struct query_ecs ecs = {true, prefix.addr.family == ADDR_V4 ? 1 : 2, prefix.len, 0, prefix.addr};

	return ask_by(world, &ecs, &nobody);
}

static int scope_of(const struct world *world, const char *client)
{
	(void)ask(world, client);
	return where.scope;
}

static int site_of(const struct world *world, const char *client)
{
	struct pick pick = ask(world, client);

	return pick.target ? pick.target->site : -1;
}

// ---- reach ---------------------------------------------------------------------------------------------------------

static void test_reach_table(void **state)
{
	(void)state;
	// site's reach, client's carrier, class, reachable: the rows of steer.h
	static const struct {
		bool is_public;
		const char *carrier, *class_;
		bool reachable;
	} rows[] = {
		{true, NULL, NULL, true},       {true, "verizon", NULL, true},     {true, "telekom", "vpn", true},
		{false, "verizon", NULL, true}, {false, "verizon", "edge", true},  {false, "verizon", "roaming", false},
		{false, "verizon", "mvno", false}, {false, "telekom", NULL, false}, {false, NULL, NULL, false},
		{false, NULL, "edge", false},
	};
	struct world world;

	world_begin(&world, NULL, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct places *places = world.view.places;
		struct place place = {.latitude = NAN, .longitude = NAN};

		if (rows[i].carrier)
			assert_int_equal(names_add(places->carriers, rows[i].carrier, strlen(rows[i].carrier), &place.carrier), E_OK);
		if (rows[i].class_)
			assert_int_equal(names_add(places->classes, rows[i].class_, strlen(rows[i].class_), &place.class_), E_OK);
		assert_int_equal(cost_can_reach(places, &world.sites[rows[i].is_public ? USE1 : BOS], &place), rows[i].reachable);
	}
	world_end(&world);
}

// Which clients may be sent where, restated without the code under test.
static bool may_reach(const char *carrier, const char *class_, int site)
{
	if (!world_sites[site].carrier)
		return true;
	return carrier && strcmp(carrier, world_sites[site].carrier) == 0 && (!class_ || strcmp(class_, "edge") == 0);
}

// Every combination of {up, down, drained, down and drained} over six sites, for every client: 4096 x 11, with and
// without weights. The answer is in reach, and it is the truth table's of pick.h.
static void exhaustive(const uint32_t *weights)
{
	struct world world;
	size_t clients = sizeof(world_clients) / sizeof(world_clients[0]);

	world_begin(&world, weights, 100000);
	for (unsigned combination = 0; combination < 4096; combination++) {
		for (int i = 0; i < WORLD_SITES; i++)
			world.states->octets[i] = combination >> (2 * i) & 3;
		for (size_t c = 0; c <= clients; c++) {
			const char *prefix = c < clients ? world_clients[c].prefix : "198.51.100.0/24";
			const char *carrier = c < clients ? world_clients[c].carrier : NULL;
			const char *class_ = c < clients ? world_clients[c].class_ : NULL;
			struct pick pick = ask(&world, prefix);
			unsigned healthy = 0, undrained = 0, reachable = 0;

			for (int i = 0; i < WORLD_SITES; i++) {
				bool reach = may_reach(carrier, class_, i);

				reachable += reach;
				undrained += reach && !(world.states->octets[i] & TARGET_DRAINED);
				healthy += reach && world.states->octets[i] == 0;
			}

			enum pick_outcome expected = healthy ? PICK_HEALTHY : undrained ? PICK_FAIL_OPEN
			                             : reachable ? PICK_DRAINED : PICK_UNREACHABLE;

			assert_int_equal(pick.outcome, expected);
			assert_int_equal(pick.target != NULL, undrained > 0);
			if (!pick.target)
				continue;
			assert_true(may_reach(carrier, class_, pick.target->site));
			assert_false(world.states->octets[pick.target_number] & TARGET_DRAINED);
			if (healthy)
				assert_int_equal(world.states->octets[pick.target_number], 0);
		}
	}
	world_end(&world);
}

static void test_reach_is_an_invariant(void **state)
{
	static const uint32_t weights[WORLD_SITES] = {1, 2, 3, 0, 5, 6};

	(void)state;
	exhaustive(NULL);
	exhaustive(weights);
}

// A world of carrier sites only: off the carrier nothing is reachable, whatever the state.
static void test_unreachable(void **state)
{
	static const uint16_t sites[] = {BOS, NYC};
	struct ranking_spec spec = {sites, NULL, 2, 0, 24, 48};
	struct world world;

	(void)state;
	world_begin(&world, NULL, 0);

	struct steer_input in = view_steer_input(&world.view);

	steer_free(world.steers[0]);
	assert_int_equal(steer_build(&in, &spec, &world.steers[0]), E_OK);
	world.app.steer = world.steers[0];
	for (int states = 0; states < 16; states++) {
		world.states->octets[0] = states & 3;
		world.states->octets[1] = (uint8_t)(states >> 2);
		assert_int_equal(ask(&world, "10.6.1.0/24").outcome, PICK_UNREACHABLE);
		assert_int_equal(ask(&world, "10.3.1.0/24").outcome, PICK_UNREACHABLE); // roaming
		assert_int_equal(ask(&world, "198.51.100.0/24").outcome, PICK_UNREACHABLE);
	}
	world_end(&world);
}

// ---- order ---------------------------------------------------------------------------------------------------------

static void test_order(void **state)
{
	(void)state;
	static const struct {
		const char *client;
		int order[WORLD_SITES];
		int count;
	} rows[] = {
		{"10.1.1.0/24", {BOS, NYC, OUT, USE1, EUC1}, 5},
		{"10.2.1.0/24", {NYC, OUT, BOS, USE1, EUC1}, 5},
		{"10.3.1.0/24", {OUT, USE1, EUC1}, 3},          // roaming: public sites only
		{"10.4.1.0/24", {OUT, USE1, EUC1, BOS, NYC}, 5}, // no coordinates: public first, as written
		{"10.5.1.0/24", {BER, EUC1, OUT, USE1}, 4},
		{"10.6.1.0/24", {EUC1, OUT, USE1}, 3},          // another carrier
		{"10.8.1.0/24", {NYC, BOS, OUT, USE1, EUC1}, 5}, // hinted
		{"10.9.1.0/24", {OUT, USE1, EUC1, BER}, 4},     // its hint is a site that it cannot reach
		{"198.51.100.0/24", {OUT, USE1, EUC1}, 3},
		{"2001:db8:1::/56", {BOS, NYC, OUT, USE1, EUC1}, 5},
	};
	struct world world;

	world_begin(&world, NULL, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)ask(&world, rows[i].client);
		assert_int_equal(where.ranking->count, rows[i].count);
		for (int k = 0; k < rows[i].count; k++)
			assert_int_equal(where.ranking->steps[k].slot, rows[i].order[k]);
	}
	world_end(&world);
}

static void test_estimate(void **state)
{
	(void)state;
	struct world world;
	struct candidate candidates[WORLD_SITES];

	world_begin(&world, NULL, 0);
	world.sites[NYC].bias_us = -300;

	struct measured rows[] = {{0, world.carriers[BOS], EUC1, 90000}, {3, 0, USE1, 7000}};
	struct steer_input in = view_steer_input(&world.view);
	uint8_t depth;
	struct addr boston = {.family = ADDR_V4, .bytes = {10, 1}};
	struct place place = *places_lookup(world.view.places, &boston, &depth);

	in.measured = (struct measured_table){rows, 2};
	place.measured = 3;
	assert_int_equal(ranking_candidates(&in, &world.steers[0]->spec, &place, candidates), 5);
	for (int i = 0; i < 5; i++) {
		int site = candidates[i].slot;

		if (site == USE1) { // its group's row
			assert_int_equal(i, 0);
			assert_int_equal(candidates[i].cost.basis, COST_MEASURED);
			assert_int_equal(candidates[i].cost.us, 7000);
		} else if (site == EUC1) { // the carrier's row
			assert_int_equal(candidates[i].cost.basis, COST_MEASURED);
			assert_int_equal(candidates[i].cost.us, 90000);
		} else {
			double km = cost_distance_km(42.3, -71.0, world_sites[site].latitude, world_sites[site].longitude);

			assert_int_equal(candidates[i].cost.basis, COST_DISTANCE);
			assert_int_equal(candidates[i].cost.us, llround(model.access_us[world_sites[site].kind] + km * 20) +
			                                        (site == NYC ? -300 : 0));
		}
	}
	assert_false(candidates[5].reachable);
	// Boston to New York, to a kilometre: 306 by any great-circle calculator.
	assert_int_equal(lround(cost_distance_km(42.360, -71.058, 40.713, -74.006)), 306);
	assert_int_equal(lround(cost_distance_km(0, 0, 0, 180)), 20015);
	world_end(&world);
}

// ---- scope ---------------------------------------------------------------------------------------------------------

static void test_scope(void **state)
{
	(void)state;
	static const struct {
		const char *client;
		int scope;
	} rows[] = {
		{"10.1.1.0/24", 16}, {"10.2.1.1/32", 16}, {"10.3.0.0/16", 16}, {"10.8.1.0/24", 16},
		{"10.0.1.0/24", 16}, {"0.0.0.0/0", 0},    {"9.1.1.0/24", 7},   {"198.51.100.0/24", 1},
		{"10.64.0.0/16", 10}, {"2001:db8:1::/56", 48}, {"4000::/16", 2},
	};
	struct world world;

	world_begin(&world, NULL, 0);
	for (unsigned round = 0; round < 2; round++) { // the scope does not move with health
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			assert_int_equal(scope_of(&world, rows[i].client), rows[i].scope);
		memset(world.states->octets, TARGET_DRAINED | TARGET_DOWN, WORLD_SITES);
	}
	world_end(&world);
}

// ---- weights -------------------------------------------------------------------------------------------------------

static void test_weights(void **state)
{
	(void)state;
	// A tie of half a second puts every known candidate into one group for Boston's clients.
	static const uint32_t weights[WORLD_SITES] = {[BOS] = 10, [NYC] = 30, [OUT] = 20, [USE1] = 40, [EUC1] = 0};
	unsigned won[WORLD_SITES] = {0}, moved_wrongly = 0;
	struct world world;

	world_begin(&world, weights, 500000);
	for (int i = 0; i < 256; i++) {
		char client[32];

		snprintf(client, sizeof(client), "10.1.%d.0/24", i);

		struct pick pick = ask(&world, client);

		assert_true(pick.hashed);
		assert_int_equal(where.scope, 24); // at least the hash's prefix
		snprintf(client, sizeof(client), "10.1.%d.77/32", i);
		assert_int_equal(site_of(&world, client), pick.target->site); // one /24 is one client
		won[pick.target->site]++;

		world.states->octets[NYC] = TARGET_DRAINED; // when one leaves, only its own clients move
		if (pick.target->site != NYC && site_of(&world, client) != pick.target->site)
			moved_wrongly++;
		world.states->octets[NYC] = 0;
	}
	assert_int_equal(moved_wrongly, 0);
	assert_int_equal(won[EUC1], 0); // weight 0
	assert_int_equal(won[BER], 0);  // out of reach
	assert_in_range(won[BOS], 10, 45);
	assert_in_range(won[NYC], 50, 105);
	assert_in_range(won[OUT], 30, 75);
	assert_in_range(won[USE1], 70, 135);
	world_end(&world);
}

// The groups stay as they are when health moves: without its best member a group is not widened, so that clients of the
// others stay where they are (sites at 15, 16.1 and 31.7 ms or so for New York's clients, tie 5 ms).
static void test_groups_stay(void **state)
{
	static const uint32_t weights[WORLD_SITES] = {1, 1, 1, 1, 1, 1};
	struct world world;

	(void)state;
	world_begin(&world, weights, 5100);
	for (int i = 0; i < 128; i++) {
		char client[32];
		int before;

		snprintf(client, sizeof(client), "10.2.%d.0/24", i);
		before = site_of(&world, client); // NYC at 10 ms and the outpost at 15 share; Boston at 16.1 does not
		assert_true(before == NYC || before == OUT);
		world.states->octets[NYC] = TARGET_DOWN;
		assert_int_equal(site_of(&world, client), OUT); // not Boston, which is within the tie of the outpost
		world.states->octets[OUT] = TARGET_DOWN;
		assert_int_equal(site_of(&world, client), BOS);
		world.states->octets[NYC] = world.states->octets[OUT] = 0;
	}
	world_end(&world);
}

// Weight 0 is a standby: behind everything in reach that has a weight, however near it is, coordinates or not.
static void test_standby(void **state)
{
	static const uint32_t weights[WORLD_SITES] = {[NYC] = 1, [USE1] = 1, [EUC1] = 1};
	static const struct {
		const char *client;
		int site, without; // with every site up; with what has a weight drained
	} rows[] = {
		{"10.1.1.0/24", NYC, BOS},     // Boston is nearest and a standby
		{"10.7.1.0/24", USE1, OUT},    // of no carrier
		{"198.51.100.0/24", USE1, OUT}, // no coordinates: the outpost is written first and a standby
		{"10.5.1.0/24", EUC1, BER},
	};
	struct world world;

	(void)state;
	world_begin(&world, weights, 1000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(site_of(&world, rows[i].client), rows[i].site);
		world.states->octets[NYC] = world.states->octets[USE1] = world.states->octets[EUC1] = TARGET_DRAINED;
		assert_int_equal(site_of(&world, rows[i].client), rows[i].without);
		memset(world.states->octets, 0, WORLD_SITES);
	}
	world_end(&world);
}

// However near one another, standbys share nothing: no hash decides, and the scope is no longer for it.
static void test_standbys_in_order(void **state)
{
	static const uint32_t weights[WORLD_SITES] = {[USE1] = 1};
	struct world world;
	struct pick pick;

	(void)state;
	world_begin(&world, weights, 60000000);
	for (int i = 0; i < 3; i++) { // every site up; then one and both of what comes first drained
		pick = ask(&world, "10.7.1.0/24");
		assert_true(where.depth < 24);
		assert_int_equal(where.scope, where.depth);
		assert_false(pick.hashed);
		world.states->octets[pick.target->site] = TARGET_DRAINED;
	}
	world_end(&world);
}

static void test_tie(void **state)
{
	(void)state;
	// Without a tie the best takes all, weights or not; NYC's clients have the outpost 5 ms behind.
	static const uint32_t weights[WORLD_SITES] = {1, 1, 1, 1, 1, 1};
	struct world world;

	world_begin(&world, weights, 4000);
	for (int i = 0; i < 64; i++) {
		char client[32];

		snprintf(client, sizeof(client), "10.2.%d.0/24", i);
		assert_int_equal(site_of(&world, client), NYC);
	}
	world_end(&world);
}

// ---- RFC 7871 section 11.3 -----------------------------------------------------------------------------------------

static void test_ecs_ignored(void **state)
{
	(void)state;
	struct world world;
	struct place_builder *builder = place_builder_new(200);
	struct prefix ignored, known, inside;
	struct place_facts nothing = {.latitude = NAN, .ecs_ignored = true};
	struct place_facts verizon = {.carrier = "verizon", .carrier_len = 7, .latitude = 42.3, .longitude = -71.0};

	world_begin(&world, NULL, 0);
	assert_int_equal(prefix_parse("127.0.0.0/8", &ignored, NULL), E_OK);
	assert_int_equal(prefix_parse("192.0.2.0/24", &known, NULL), E_OK);
	assert_int_equal(prefix_parse("127.7.0.0/16", &inside, NULL), E_OK);
	assert_int_equal(place_source_begin(builder, "ecs-ignore"), E_OK);
	assert_int_equal(place_source_add(builder, &ignored, &nothing), E_OK);
	assert_int_equal(place_source_end(builder), E_OK);
	assert_int_equal(place_source_begin(builder, "ranges"), E_OK);
	assert_int_equal(place_source_add(builder, &known, &verizon), E_OK);
	assert_int_equal(place_source_add(builder, &inside, &verizon), E_OK);
	assert_int_equal(place_source_end(builder), E_OK);
	places_free(world.view.places);
	assert_int_equal(place_finish(builder, &world.view.places), E_OK);
	place_builder_free(builder);
	for (int i = 0; i < WORLD_SITES; i++)
		if (world_sites[i].carrier)
			assert_int_equal(names_add(world.view.places->carriers, world_sites[i].carrier,
			                           strlen(world_sites[i].carrier), &world.carriers[i]), E_OK);

	static const uint16_t sites[WORLD_SITES] = {BOS, NYC, BER, OUT, USE1, EUC1};
	struct ranking_spec spec = {sites, NULL, WORLD_SITES, 0, 24, 48};
	struct steer_input in = view_steer_input(&world.view);

	steer_free(world.steers[0]);
	assert_int_equal(steer_build(&in, &spec, &world.steers[0]), E_OK);
	world.app.steer = world.steers[0];

	struct pick pick = ask(&world, "127.0.0.0/24"); // ask() comes from 192.0.2.1

	assert_int_equal(pick.target->site, BOS);
	assert_int_equal(where.scope, 14); // 127.0.0.0/14, up to what is known inside
	assert_int_equal(ask(&world, "127.7.1.0/24").target->site, BOS); // the sender's, not its own
	assert_int_equal(scope_of(&world, "127.7.1.0/24"), 16);

	struct addr sender = {.family = ADDR_V4, .bytes = {127, 7, 1, 1}}, stranger = {.family = ADDR_V4, .bytes = {127, 1}};

	assert_int_equal(ask_by(&world, NULL, &sender).target->site, BOS); // it has its place still
	assert_int_equal(ask_by(&world, NULL, &stranger).target->site, OUT);
	assert_int_equal(scope_of(&world, "126.0.0.0/24"), 8); // its neighbour's cell does not overlap
	assert_int_equal(ask(&world, "126.0.0.0/24").target->site, OUT);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reach_table), cmocka_unit_test(test_reach_is_an_invariant),
		cmocka_unit_test(test_unreachable), cmocka_unit_test(test_order),
		cmocka_unit_test(test_estimate),    cmocka_unit_test(test_scope),
		cmocka_unit_test(test_weights),     cmocka_unit_test(test_tie),
		cmocka_unit_test(test_standbys_in_order),
		cmocka_unit_test(test_groups_stay), cmocka_unit_test(test_standby),
		cmocka_unit_test(test_ecs_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
