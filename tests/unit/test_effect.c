// The sample of the traffic, and what a change would mean for it, and does mean when the same traffic comes again.
#include "traffic/effect.h"

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
#include "smallworld.h"
#include "traffic/samples.h"
#include "view/notes.h"

enum { CLIENTS = 256 };

static struct world world;

// Each /24 of Boston's and of New York's /16, of weight 1 and 3.
static struct sample_set *make_samples(void)
{
	struct sample_set *set = calloc(1, sizeof(*set) + (size_t)2 * CLIENTS * sizeof(*set->list));

	assert_non_null(set);
	set->seconds = 100;
	for (unsigned i = 0; i < 2 * CLIENTS; i++) {
		struct addr client = {.family = ADDR_V4, .bytes = {10, (uint8_t)(1 + i % 2), (uint8_t)(i / 2), 0}};
		struct addr sender = {.family = ADDR_V4, .bytes = {192, 0, 2, 1}};

		set->list[set->count++] = (struct sample){client, sender, true, 0, 1 + 2 * (i % 2)};
		set->weight += 1 + 2 * (i % 2);
	}
	return set;
}

static struct effect compare(const struct sample_set *set, const uint8_t *states)
{
	struct target_states *then = live_states_new(WORLD_SITES);
	struct live after = world.live;
	struct effect effect;

	assert_non_null(then);
	memcpy(then->octets, states, WORLD_SITES);
	after.states = then;
	assert_int_equal(effect_of(set, &world.live, &after, &effect), E_OK);
	free(then);
	return effect;
}

// Nothing changes, then one site goes, then all: who moves where, and what that costs.
static void test_effect(void **state)
{
	static const uint8_t none[WORLD_SITES] = {0}, boston[WORLD_SITES] = {[BOS] = TARGET_DRAINED};
	uint8_t all[WORLD_SITES];
	struct sample_set *set;
	struct effect effect;

	(void)state;
	world_begin(&world, NULL, 0);
	set = make_samples();
	effect = compare(set, none);
	assert_int_equal(effect.all.weight, 4 * CLIENTS);
	assert_int_equal(effect.all.clients, 2 * CLIENTS);
	assert_int_equal(effect.moved, 0);
	assert_int_equal(effect.move_count, 0);
	assert_int_equal(effect.before[BOS], CLIENTS);
	assert_int_equal(effect.before[NYC], 3 * CLIENTS);
	effect_wipe(&effect);

	effect = compare(set, boston);
	assert_int_equal(effect.moved, CLIENTS);
	assert_int_equal(effect.lost, 0);
	assert_int_equal(effect.gone, 0); // its target is there, and drained
	assert_int_equal(effect.move_count, 1);
	assert_int_equal(effect.moves[0].from, BOS);
	assert_int_equal(effect.moves[0].to, NYC);
	assert_int_equal(effect.moves[0].before.clients, CLIENTS);
	assert_int_equal(effect.moves[0].example_count, EFFECT_EXAMPLES);
	assert_true(effect_ms(&effect.moves[0].after) > effect_ms(&effect.moves[0].before));
	assert_int_equal(effect.after[BOS], 0);
	assert_int_equal(effect.after[NYC], 4 * CLIENTS);
	effect_wipe(&effect);

	memset(all, TARGET_DRAINED, sizeof(all));
	effect = compare(set, all);
	assert_int_equal(effect.lost, 4 * CLIENTS);
	assert_int_equal(effect.move_count, 2); // the heavier one first
	assert_int_equal(effect.moves[0].from, NYC);
	assert_int_equal(effect.moves[0].to, EFFECT_NOWHERE);
	assert_true(isnan(effect_ms(&effect.moves[0].after)));
	assert_int_equal(effect.lost_app_count, 1);
	effect_wipe(&effect);
	free(set);
	world_end(&world);
}

// Plain records: any of all targets, by weight, also those out of reach, which have no estimate; none that is drained; those that are
// down only where all are.
static void test_plain(void **state)
{
	static const uint32_t weights[WORLD_SITES] = {[BOS] = 30, [NYC] = 30, [BER] = 25, [OUT] = 0, [USE1] = 15, [EUC1] = 0};
	struct sample_set *set = make_samples();
	struct effect effect;
	double all = (double)set->weight, mean;

	(void)state;
	world_begin(&world, weights, 0);
	assert_int_equal(effect_of_plain(set, &world.live, &effect), E_OK);
	for (int site = 0; site < WORLD_SITES; site++)
		assert_true(fabs((double)effect.after[site] - all * weights[site] / 100) < all / 20);
	assert_int_equal(effect.beyond, effect.after[BER]);
	assert_in_range(effect.beyond_clients, 1, effect.all.clients - 1);
	assert_int_equal(effect.then.us_weight, set->weight - effect.beyond);
	mean = effect_ms(&effect.then);
	assert_true(mean > effect_ms(&effect.all));
	effect_wipe(&effect);

	world.states->octets[BER] = TARGET_DRAINED;
	world.states->octets[BOS] = world.states->octets[NYC] = TARGET_DOWN;
	assert_int_equal(effect_of_plain(set, &world.live, &effect), E_OK);
	assert_int_equal(effect.after[USE1], set->weight);
	assert_int_equal(effect.beyond, 0);
	effect_wipe(&effect);

	world.states->octets[USE1] = TARGET_DOWN; // standbys of weight 0 are left, evenly
	assert_int_equal(effect_of_plain(set, &world.live, &effect), E_OK);
	assert_true(effect.after[OUT] > set->weight / 3 && effect.after[OUT] + effect.after[EUC1] == set->weight);
	effect_wipe(&effect);

	world.states->octets[OUT] = TARGET_EMPTY;
	world.states->octets[EUC1] = TARGET_DOWN; // all are down: health is ignored
	assert_int_equal(effect_of_plain(set, &world.live, &effect), E_OK);
	assert_int_equal(effect.after[BOS] + effect.after[NYC] + effect.after[USE1], set->weight);
	assert_int_equal(effect.lost, 0);
	effect_wipe(&effect);
	for (int site = 0; site < WORLD_SITES; site++)
		world.states->octets[site] = TARGET_DRAINED;
	assert_int_equal(effect_of_plain(set, &world.live, &effect), E_OK);
	assert_int_equal(effect.moved, 0); // nobody had a target before
	effect_wipe(&effect);
	world_end(&world);
	free(set);
}

// A client that asks again is one client.
static void test_clients(void **state)
{
	static const uint8_t boston[WORLD_SITES] = {[BOS] = TARGET_DOWN};
	struct sample_set *set;
	struct effect effect;

	(void)state;
	world_begin(&world, NULL, 0);
	set = make_samples();
	for (size_t i = 0; i < set->count; i++)
		set->list[i].client.bytes[2] &= 7; // 8 /24 of each
	effect = compare(set, boston);
	assert_int_equal(effect.all.clients, 16);
	assert_int_equal(effect.moves[0].before.clients, 8);
	assert_int_equal(effect.moves[0].before.weight, CLIENTS);
	effect_wipe(&effect);
	free(set);
	world_end(&world);
}

static void leave(struct samples *samples, unsigned count, uint32_t generation)
{
	struct notes_ring *ring = notes_ring(samples_notes(samples), 0);

	for (unsigned i = 0; i < count; i++) {
		struct note note = {.client = {.family = ADDR_V4, .bytes = {10, 1, (uint8_t)i}}, .generation = generation};

		ring->left = 0;
		notes_look(ring);
		notes_put(ring, &note);
	}
}

// Those of the last minutes, of this view; with more queries, each sample stands for more of them.
static void test_window(void **state)
{
	struct samples *samples = samples_new(1);
	struct sample_set *set;
	int64_t now_ms = 1000000;

	(void)state;
	world_begin(&world, NULL, 0);
	assert_non_null(samples);
	world.view.generation = 7;
	samples_read(samples, &world.view, now_ms);
	leave(samples, 10, 7);
	leave(samples, 5, 6); // of the view before
	samples_read(samples, &world.view, now_ms += 1000);
	set = samples_copy(samples, &world.view, now_ms);
	assert_int_equal(set->count, 10);
	assert_int_equal(set->weight, 10);
	assert_true(set->seconds >= 1 && set->seconds <= 2);
	free(set);

	for (int i = 0; i < 10; i++) { // ten seconds with 1000 a second
		leave(samples, 1000, 7);
		samples_read(samples, &world.view, now_ms += 1000);
	}
	leave(samples, 1, 7);
	samples_read(samples, &world.view, now_ms += 100);
	set = samples_copy(samples, &world.view, now_ms);
	assert_int_equal(set->count, 10011);
	assert_true(set->list[set->count - 1].weight >= 64);
	free(set);

	set = samples_copy(samples, &world.view, now_ms + SAMPLES_WINDOW_S * 1000 - 500); // all but the last ones are too old
	assert_in_range(set->count, 1, 1001);
	free(set);
	leave(samples, 2, 7);
	samples_read(samples, &world.view, now_ms += SAMPLES_WINDOW_S * 1000 + 1000);
	set = samples_copy(samples, &world.view, now_ms);
	assert_int_equal(set->count, 2);
	assert_true(set->seconds <= SAMPLES_WINDOW_S);
	free(set);
	samples_free(samples);
	world_end(&world);
}

// More than there is room for: the latest stay.
static void test_full(void **state)
{
	struct samples *samples = samples_new(1);
	struct sample_set *set;

	(void)state;
	world_begin(&world, NULL, 0);
	assert_non_null(samples);
	for (int i = 0; i < SAMPLES_MAX / 1000 + 5; i++) {
		leave(samples, 1000, (uint32_t)world.view.generation);
		samples_read(samples, &world.view, 1000 + i);
	}
	set = samples_copy(samples, &world.view, 2000);
	assert_int_equal(set->count, SAMPLES_MAX);
	free(set);
	samples_free(samples);
	world_end(&world);
}

// Replayed load -------------------------------------------------------------------------------------------------------

enum { REPLAY_CLIENTS = 9 * 256, REPLAY_S = SAMPLES_WINDOW_S - 1, LOOKS_A_SECOND = 5, MOVES = (WORLD_SITES + 1) * (WORLD_SITES + 1) };

static uint32_t random_state;

static uint32_t draw(uint32_t below)
{
	random_state = random_state * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)random_state * below) >> 32);
}

// A /24 of the world's nine /16; few ask much, and which ones these are changes with the time.
static uint32_t who_asks(unsigned second)
{
	uint32_t below = 1 + draw(REPLAY_CLIENTS);
	uint32_t most = 1 + draw(below);

	return (draw(most) * 7 + (second < REPLAY_S / 3 ? 0 : 1000)) % REPLAY_CLIENTS;
}

// From quiet to a peak, and back to half of it.
static unsigned queries_in(unsigned second)
{
	return second < REPLAY_S / 3 ? 300 : second < REPLAY_S / 2 ? 4000 : 2000;
}

static struct addr replay_client(uint32_t number)
{
	return (struct addr){.family = ADDR_V4, .bytes = {10, (uint8_t)(1 + number / 256), (uint8_t)number, 0}};
}

// As a worker does: one query in so many is noted.
static void pass(struct notes_ring *ring, uint32_t client)
{
	struct note note = {.client = replay_client(client), .sender = {.family = ADDR_V4, .bytes = {192, 0, 2, 1}}, .by_ecs = true,
	                    .generation = (uint32_t)world.view.generation};

	if (ring->left == 0) {
		notes_look(ring);
		notes_put(ring, &note);
	}
	ring->left--;
}

// Five minutes of load, and how often each client has asked.
static struct sample_set *replay(uint64_t *asked, uint64_t *ret_queries)
{
	struct samples *samples = samples_new(1);
	struct notes_ring *ring;
	struct sample_set *set;
	int64_t now_ms = 1000000;

	assert_non_null(samples);
	ring = notes_ring(samples_notes(samples), 0);
	*ret_queries = 0;
	samples_read(samples, &world.view, now_ms);
	for (unsigned second = 0; second < REPLAY_S; second++)
		for (unsigned i = 0; i < LOOKS_A_SECOND; i++) {
			for (unsigned j = 0; j < queries_in(second) / LOOKS_A_SECOND; j++) {
				uint32_t client = who_asks(second);

				asked[client]++;
				++*ret_queries;
				pass(ring, client);
			}
			samples_read(samples, &world.view, now_ms += 1000 / LOOKS_A_SECOND);
		}
	assert_int_equal(notes_dropped(samples_notes(samples)), 0);
	set = samples_copy(samples, &world.view, now_ms);
	assert_non_null(set);
	samples_free(samples);
	return set;
}

// By client, with the states that hold.
static void answer_all(int *sites)
{
	for (uint32_t i = 0; i < REPLAY_CLIENTS; i++) {
		struct addr client = replay_client(i);
		char text[ADDR_TEXT_LEN];

		addr_format(&client, text);
		sites[i] = world_site(&world, strcat(text, "/24"));
	}
}

static size_t move_of(int from, int to)
{
	return (size_t)((from + 1) * (WORLD_SITES + 1) + to + 1);
}

// The share of the same queries that each move then is of, against what was planned for it. The share of all moves.
static double compare_with_truth(const struct effect *effect, const uint64_t *asked, uint64_t queries, const int *before)
{
	double planned[MOVES] = {0}, real[MOVES] = {0}, moved = 0;
	int after[REPLAY_CLIENTS];

	for (size_t i = 0; i < effect->move_count; i++)
		planned[move_of(effect->moves[i].from, effect->moves[i].to)] =
			(double)effect->moves[i].before.weight / (double)effect->all.weight;
	answer_all(after);
	for (uint32_t i = 0; i < REPLAY_CLIENTS; i++) {
		if (before[i] == after[i])
			continue;
		real[move_of(before[i], after[i])] += (double)asked[i] / (double)queries;
		moved += (double)asked[i] / (double)queries;
	}
	assert_true(fabs((double)effect->moved / (double)effect->all.weight - moved) < 0.01);
	for (size_t i = 0; i < MOVES; i++)
		if (fabs(planned[i] - real[i]) >= 0.01)
			fail_msg("move %zu: planned for %.2f %% of the queries, and is of %.2f %%", i, 100 * planned[i], 100 * real[i]);
	return moved;
}

// Each site drained, and each two: what is planned by the sample agrees within a point with what then happens when the same
// load comes again, of which the sample is a small part; where sites share clients by weight, too.
static void test_replayed_load(void **state)
{
	static const uint32_t weights[WORLD_SITES] = {1, 2, 1, 3, 1, 1};
	static uint64_t asked[REPLAY_CLIENTS];
	int before[REPLAY_CLIENTS];
	struct sample_set *set;
	unsigned large = 0;
	uint64_t queries;

	(void)state;
	random_state = 1;
	for (unsigned shares = 0; shares < 2; shares++) {
		world_begin(&world, shares ? weights : NULL, shares ? 20000 : 0);
		memset(asked, 0, sizeof(asked));
		set = replay(asked, &queries);
		assert_true(set->count < queries / 8);
		answer_all(before);
		for (unsigned i = 0; i < WORLD_SITES; i++)
			for (unsigned j = i; j < WORLD_SITES; j++) {
				uint8_t states[WORLD_SITES] = {0};
				struct effect effect;

				states[i] = states[j] = TARGET_DRAINED;
				effect = compare(set, states);
				memcpy(world.states->octets, states, WORLD_SITES);
				large += compare_with_truth(&effect, asked, queries, before) > 0.1;
				memset(world.states->octets, 0, WORLD_SITES);
				effect_wipe(&effect);
			}
		free(set);
		world_end(&world);
	}
	assert_true(large > WORLD_SITES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_effect), cmocka_unit_test(test_plain),
		cmocka_unit_test(test_clients),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_replayed_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
