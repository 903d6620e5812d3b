// What is learned of clients, in answers: a slow oracle beside random overlays, states, sets of sites and clients. Reach is
// never widened, the learned sites come first, scopes never overlap, and clients located together get what each gets
// alone. Each test runs for every form of table.
#include "view/learned.h"

#include <math.h>
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
#include "lessons.h"
#include "smallworld.h"
#include "steer/place.h"
#include "steer/ptree.h"
#include "view/notes.h"
#include "view/wanted.h"
#include "wire/query.h"

enum { FACTS_MAX = 40, ROUNDS = 200 };

// ---- the oracle -----------------------------------------------------------------------------------------------------

static bool contains(const struct prefix *prefix, const struct addr *addr)
{
	struct addr cut = addr_cut(addr, prefix->len);

	return addr_equal(&cut, &prefix->addr);
}

// The longest prefix counts, of equal ones the last.
static const struct lesson *lesson_for(const struct lesson *lessons, size_t count, const struct addr *addr)
{
	const struct lesson *best = NULL;

	for (size_t i = 0; i < count; i++)
		if (contains(&lessons[i].prefix, addr) && (!best || lessons[i].prefix.len >= best->prefix.len))
			best = &lessons[i];
	return best;
}

static const struct world_client *client_for(const struct addr *addr)
{
	for (size_t i = 0; i < WORLD_CLIENTS; i++) {
		struct prefix prefix;

		assert_int_equal(prefix_parse(world_clients[i].prefix, &prefix, NULL), E_OK);
		if (contains(&prefix, addr))
			return &world_clients[i];
	}
	return NULL;
}

struct expected {
	bool reach[WORLD_SITES];
	int order[2 * WORLD_SITES], count; // slots, best first; sites may come twice
};

static struct expected expect(const struct world *world, const struct lesson *lesson, const struct addr *addr)
{
	const struct world_client *client = client_for(addr);
	const char *carrier = lesson && lesson->carrier ? lesson->carrier : client ? client->carrier : NULL;
	const char *class_ = lesson && lesson->class_ ? lesson->class_ : client ? client->class_ : NULL;
	struct steer_input in = view_steer_input(&world->view);
	struct candidate candidates[WORLD_SITES];
	struct expected expected = {.count = 0};
	uint8_t depth;
	unsigned in_reach = ranking_candidates(&in, &world->app.steer->spec, places_lookup(world->view.places, addr, &depth),
	                                       candidates);

	for (int i = 0; i < WORLD_SITES; i++) {
		const char *of = world_sites[i].carrier;

		expected.reach[i] = !of || (carrier && strcmp(of, carrier) == 0 && (!class_ || strcmp(class_, "edge") == 0));
	}
	for (int i = 0; lesson && i < lesson->site_count; i++)
		for (int slot = 0; slot < world->app.target_count; slot++)
			if (world->targets[slot].site == lesson->sites[i] && expected.reach[lesson->sites[i]])
				expected.order[expected.count++] = slot;
	for (unsigned i = 0; i < in_reach; i++)
		if (expected.reach[world->targets[candidates[i].slot].site])
			expected.order[expected.count++] = candidates[i].slot;
	return expected;
}

// The first in order whose state has none of these bits; -1.
static int first(const struct world *world, const struct expected *expected, uint8_t barred)
{
	for (int i = 0; i < expected->count; i++)
		if (!(world->states->octets[expected->order[i]] & barred))
			return expected->order[i];
	return -1;
}

static void check_pick(const struct world *world, const struct expected *expected, const struct pick *pick, bool is_exact)
{
	int healthy = first(world, expected, TARGET_DOWN | TARGET_DRAINED | TARGET_EMPTY);
	int open = first(world, expected, TARGET_DRAINED | TARGET_EMPTY), undrained = first(world, expected, TARGET_DRAINED);
	enum pick_outcome outcome = healthy >= 0 ? PICK_HEALTHY : open >= 0 ? PICK_FAIL_OPEN : undrained >= 0 ? PICK_EMPTY
	                            : expected->count > 0 ? PICK_DRAINED : PICK_UNREACHABLE;

	assert_int_equal(pick->outcome, outcome);
	assert_int_equal(pick->target != NULL, open >= 0);
	if (!pick->target)
		return;
	assert_true(expected->reach[pick->target->site]);
	if (is_exact || !pick->hashed) // else a hash has chosen among equals
		assert_int_equal(pick->target->slot, healthy >= 0 ? healthy : open);
}

// ---- the property ---------------------------------------------------------------------------------------------------

static struct query_ecs ecs_of(const struct addr *addr)
{
	return (struct query_ecs){true, addr->family == ADDR_V4 ? 1 : 2, addr_bits(addr->family), 0, *addr};
}

// Some of the sites, in any order.
static void random_set(struct world *world, const uint32_t *weights, uint16_t *sites)
{
	uint16_t count = (uint16_t)(1 + below(WORLD_SITES));

	for (uint16_t i = 0; i < WORLD_SITES; i++)
		sites[i] = i;
	for (uint16_t i = 0; i < count; i++) {
		uint32_t other = i + below(WORLD_SITES - i);
		uint16_t swap = sites[i];

		sites[i] = sites[other];
		sites[other] = swap;
		world->targets[i].site = sites[i];
	}
	world_steer(world, &(struct ranking_spec){sites, weights, count, 5000, 24, 48, world_metro});
}

static void flip(struct addr *addr, unsigned bit)
{
	addr->bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
}

// Another client in the cell of the answer has the same cell, and the same answer by the same order.
static void check_cell(const struct world *world, const struct addr *addr, struct location *where)
{
	struct addr other = *addr, nobody = {.family = ADDR_V4, .bytes = {192, 0, 2, 1}};
	struct pick pick = pick_target(&world->live, &world->app, where), there;
	unsigned bits = addr_bits(addr->family);

	for (unsigned bit = where->scope; bit < bits; bit++)
		if (bit == where->scope || below(3) == 0)
			flip(&other, bit);

	struct query_ecs ecs = ecs_of(&other);
	struct location beside = locate_client(&world->live, &world->app, &ecs, &nobody);

	assert_int_equal(beside.scope, where->scope);
	there = pick_target(&world->live, &world->app, &beside);
	assert_int_equal(there.outcome, pick.outcome);
	assert_ptr_equal(there.target, pick.target);
}

static void check_clients(const struct world *world, const struct lesson *lessons, size_t count, bool is_exact)
{
	struct addr clients[LOCATE_MAX], nobody = {.family = ADDR_V4, .bytes = {192, 0, 2, 1}};
	struct query_ecs ecs[LOCATE_MAX];
	struct location together[LOCATE_MAX];
	struct locate_request requests[LOCATE_MAX];

	for (unsigned i = 0; i < LOCATE_MAX; i++) {
		clients[i] = random_address();
		ecs[i] = ecs_of(&clients[i]);
		requests[i] = (struct locate_request){&world->app, &ecs[i], &nobody, &together[i]};
		if (i % 4 == 3) // without a client subnet
			requests[i] = (struct locate_request){&world->app, NULL, &clients[i], &together[i]};
	}
	locate_all(&world->live, requests, LOCATE_MAX);
	for (unsigned i = 0; i < LOCATE_MAX; i++) {
		struct expected expected = expect(world, lesson_for(lessons, count, &clients[i]), &clients[i]);
		struct location alone = locate_client(&world->live, &world->app, requests[i].ecs, requests[i].source);
		struct pick pick = pick_target(&world->live, &world->app, &together[i]);

		assert_ptr_equal(alone.hit.order, together[i].hit.order);
		assert_ptr_equal(alone.learned, together[i].learned);
		assert_int_equal(alone.scope, together[i].scope);
		check_pick(world, &expected, &pick, is_exact);
		if (requests[i].ecs)
			check_cell(world, &clients[i], &together[i]);
		else
			assert_int_equal(together[i].scope, 0);
	}
}

static void check_worlds(const uint32_t *weights)
{
	static const uint8_t states[] = {0, 0, TARGET_DOWN, TARGET_DRAINED, TARGET_EMPTY};
	struct lesson lessons[FACTS_MAX];
	struct learned_fact facts[FACTS_MAX];
	uint16_t sites[WORLD_SITES];
	struct world world;

	world_begin(&world, weights, 5000);
	for (int round = 0; round < ROUNDS; round++) {
		size_t count = 1 + below(FACTS_MAX);

		for (size_t i = 0; i < count; i++) {
			lessons[i] = random_lesson();
			facts[i] = fact_of(&world, &lessons[i]);
		}
		random_set(&world, weights, sites);
		world_learn(&world, facts, count);
		for (int again = 0; again < 4; again++) {
			for (unsigned i = 0; i < WORLD_SITES; i++)
				world.states->octets[i] = states[below(ARRAY_LEN(states))];
			check_clients(&world, lessons, count, !weights);
		}
	}
	world_end(&world);
}

static void test_property(void **state)
{
	static const uint32_t weights[WORLD_SITES] = {1, 2, 3, 0, 5, 6};

	(void)state;
	for (world_metro = 0; world_metro < METRO_RULES; world_metro++) {
		check_worlds(NULL);
		check_worlds(weights);
	}
	world_metro = METRO_REGION;
}

// ---- rows one by one ------------------------------------------------------------------------------------------------

static struct learned_fact learn(const struct world *world, const char *prefix, const char *carrier, const char *class_,
                                 int site)
{
	struct lesson lesson = {.carrier = carrier, .class_ = class_, .sites = {site}, .site_count = site >= 0};

	assert_int_equal(prefix_parse(prefix, &lesson.prefix, NULL), E_OK);
	return fact_of(world, &lesson);
}

// The rows of learned.h: who reaches what.
static void test_reach(void **state)
{
	static const struct {
		const char *client, *carrier, *class_;
		int learned, site; // the answer
	} rows[] = {
		{"10.7.1.0/24", "verizon", "edge", NYC, NYC},    // of no carrier in the table
		{"10.7.1.0/24", "verizon", NULL, NYC, NYC},
		{"10.7.1.0/24", "verizon", "roaming", NYC, OUT}, // the table's best
		{"10.7.1.0/24", NULL, NULL, NYC, OUT},           // a service does not widen reach
		{"10.7.1.0/24", NULL, "edge", NYC, OUT},
		{"10.1.1.0/24", NULL, NULL, NYC, NYC},
		{"10.1.1.0/24", NULL, "roaming", NYC, OUT},
		{"10.1.1.0/24", "vodafone-de", NULL, NYC, OUT},  // nor is it left wider than what was learned
		{"10.1.1.0/24", "vodafone-de", NULL, BER, BER},
		{"10.1.1.0/24", "nowhere", NULL, -1, OUT},
		{"10.1.1.0/24", "verizon", "edge", -1, BOS},     // nothing but what the table says too
		{"10.3.1.0/24", NULL, NULL, BOS, OUT},           // roaming, says the table
		{"10.3.1.0/24", NULL, "edge", BOS, BOS},
		{"10.3.1.0/24", "verizon", NULL, BOS, OUT},      // the class stays the table's
		{"10.1.1.0/24", NULL, NULL, EUC1, EUC1},
	};
	struct world world;

	(void)state;
	world_begin(&world, NULL, 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct learned_fact fact = learn(&world, rows[i].client, rows[i].carrier, rows[i].class_, rows[i].learned);

		world_learn(&world, &fact, 1);
		assert_int_equal(world_site(&world, rows[i].client), rows[i].site);
	}
	world_end(&world);
}

// A miss has the gap's length, a hit its prefix's, and nothing learned the table's alone.
static void test_scopes(void **state)
{
	struct world world;
	struct learned_fact facts[2];

	(void)state;
	world_begin(&world, NULL, 0);

	int alone = world_scope(&world, "10.1.1.0/24"), far = world_scope(&world, "203.0.113.0/24");

	facts[0] = learn(&world, "10.1.1.0/24", NULL, NULL, NYC);
	facts[1] = learn(&world, "10.1.4.0/24", NULL, NULL, NYC);
	world_learn(&world, facts, 2);
	assert_int_equal(world_scope(&world, "10.1.1.0/24"), 24);
	assert_int_equal(world_scope(&world, "10.1.0.0/24"), 24); // the gap beside it
	assert_int_equal(world_scope(&world, "10.1.2.0/24"), 23);
	assert_int_equal(world_scope(&world, "10.1.5.0/24"), 24);
	assert_int_equal(world_scope(&world, "10.1.128.0/24"), 17);
	assert_int_equal(world_scope(&world, "203.0.113.0/24"), far);
	world_learn(&world, NULL, 0);
	assert_int_equal(world_scope(&world, "10.1.1.0/24"), alone);
	world_end(&world);
}

// An ignored client subnet: the sender's place and lesson count, the scope is that of the address in the query.
static void test_ecs_ignored(void **state)
{
	struct place_builder *builder = place_builder_new(200);
	struct place_facts nothing = {.latitude = NAN, .ecs_ignored = true};
	struct learned_fact facts[2];
	struct world world;

	(void)state;
	world_begin(&world, NULL, 0);
	assert_int_equal(place_source_begin(builder, "ecs-ignore"), E_OK);
	world_add_prefix(builder, "127.0.0.0/8", &nothing);
	assert_int_equal(place_source_end(builder), E_OK);
	places_free(world.view.places);
	assert_int_equal(place_finish(builder, &world.view.places), E_OK);
	place_builder_free(builder);
	world_number_carriers(&world);
	world_steer(&world, &(struct ranking_spec){world_every_site, NULL, WORLD_SITES, 0, 24, 48, METRO_REGION});
	facts[0] = learn(&world, "127.1.1.0/24", NULL, NULL, USE1);
	facts[1] = learn(&world, "192.0.2.0/24", NULL, NULL, EUC1); // world_ask() comes from 192.0.2.1
	world_learn(&world, facts, 2);
	assert_int_equal(world_site(&world, "127.1.1.0/24"), EUC1);
	assert_int_equal(world_where.scope, 24);
	assert_int_equal(world_site(&world, "127.128.0.0/24"), EUC1);
	assert_int_equal(world_where.scope, 9);
	world_end(&world);
}

// A prefix of which the table says several things.
static void test_divided(void **state)
{
	struct world world;
	struct learned_fact fact;
	struct learned *nothing;

	(void)state;
	world_begin(&world, NULL, 0);
	fact = learn(&world, "10.0.0.0/8", NULL, NULL, NYC);
	world_learn(&world, &fact, 1);
	assert_int_equal(world_site(&world, "10.1.1.0/24"), NYC);
	assert_int_equal(world_site(&world, "10.3.1.0/24"), OUT); // roaming
	assert_int_equal(world_site(&world, "10.5.1.0/24"), BER); // of another carrier
	assert_int_equal(world_site(&world, "10.200.1.0/24"), OUT); // of none
	assert_int_equal(learned_build(&world.tables, NULL, 0, (struct explore){0}, &nothing), E_OK);
	assert_true(learned_bytes(world.live.learned) - learned_bytes(nothing) < 2 * 2048 + 1024); // two pages, and few blocks
	learned_free(nothing);
	world_end(&world);
}

// ---- notes ----------------------------------------------------------------------------------------------------------

static void test_notes(void **state)
{
	struct notes *notes = notes_new(2);
	struct notes_ring *ring;
	struct note note = {.app = 0}, taken;

	(void)state;
	assert_non_null(notes);
	ring = notes_ring(notes, 1);
	assert_false(notes_take(notes, &taken));
	for (uint32_t round = 0; round < 3; round++) {
		for (; note.app < (round + 1) * (NOTES_RING + 5); note.app++)
			notes_put(ring, &note);
		assert_int_equal(notes_dropped(notes), (round + 1) * 5); // the latest
		for (uint32_t i = 0; i < NOTES_RING; i++) {
			assert_true(notes_take(notes, &taken));
			assert_int_equal(taken.app, round * (NOTES_RING + 5) + i);
		}
		assert_false(notes_take(notes, &taken));
	}
	notes_free(notes);
}

static uint32_t is_verizon(void *ctx, uint32_t unused, uint32_t place)
{
	const struct places *places = ctx;

	(void)unused;
	return strcmp(names_text(places->carriers, places->table[place].carrier), "verizon") == 0;
}

// Of those carriers, and nothing known of them.
static void test_wanted(void **state)
{
	static const struct {
		const char *client;
		bool wanted;
	} rows[] = {{"10.1.1.0/24", true}, {"10.1.2.0/24", false}, {"10.1.3.0/24", true}, {"10.5.1.0/24", false},
	            {"10.7.1.0/24", false}, {"192.0.2.0/24", false}, {"2001:db8:1::/56", true}};
	struct ptree *v4, *v6, *none;
	struct prefix known;
	struct wanted *wanted;
	struct world world;

	(void)state;
	world_begin(&world, NULL, 0);
	assert_int_equal(ptree_build(NULL, 0, &none), E_OK);
	assert_int_equal(ptree_overlay(none, world.view.places->v4, is_verizon, world.view.places, &v4), E_OK);
	assert_int_equal(ptree_overlay(none, world.view.places->v6, is_verizon, world.view.places, &v6), E_OK);
	assert_int_equal(prefix_parse("10.1.2.0/24", &known, NULL), E_OK);
	assert_int_equal(wanted_new(v4, v6, &(struct wanted_rules){24, 48, 100}, NULL, &wanted), E_OK);
	wanted_set_fresh(wanted, &known, true);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct prefix client;

		assert_int_equal(prefix_parse(rows[i].client, &client, NULL), E_OK);
		assert_int_equal(wanted_has(wanted, &client.addr), rows[i].wanted);
		wanted_set_fresh(wanted, &(struct prefix){addr_cut(&client.addr, client.addr.family == ADDR_V4 ? 24 : 48), 0}, true);
		assert_false(wanted_has(wanted, &client.addr));
	}
	wanted_set_fresh(wanted, &known, false);
	assert_true(wanted_has(wanted, &known.addr));
	wanted_free(wanted);
	ptree_free(v4);
	ptree_free(v6);
	ptree_free(none);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reach),
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_divided),
		cmocka_unit_test(test_ecs_ignored),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_wanted),
		cmocka_unit_test(test_property),
	};
	int failed = 0;

	for (world_own_tables = 0; world_own_tables <= 1; world_own_tables++)
		failed += cmocka_run_group_tests(tests, NULL, NULL);
	return failed;
}
