// Measured round trips by a simulated clock: votes and medians against a slow oracle, liars, decay, and the bounds.
#include "learn/observed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/hash.h"

enum { START_S = 1000000 };

static const struct observed_rules rules = {5, 2, 3600, 10000};

static uint64_t seed;

static uint32_t below(uint32_t limit)
{
	return (uint32_t)(hash_mix(++seed) % limit);
}

// Prefix number `number`, 10.x.y.0/24.
static struct prefix prefix_of(unsigned number)
{
	return (struct prefix){{.family = ADDR_V4, .bytes = {10, (uint8_t)(number >> 8), (uint8_t)number}}, 24};
}

static void add(struct observed *observed, unsigned number, uint16_t site, uint32_t host, uint32_t us, int64_t now_s)
{
	struct prefix prefix = prefix_of(number);

	assert_int_equal(observed_add(observed, &prefix, site, host, us, now_s), E_OK);
}

// Of one site; .samples 0: nothing is known.
static struct measure measure_of(const struct observed *observed, unsigned number, uint16_t site, int64_t now_s)
{
	struct prefix prefix = prefix_of(number);
	struct measure all[OBSERVED_SITES];
	unsigned count = observed_measures(observed, &prefix, now_s, all);

	for (unsigned i = 0; i < count; i++)
		if (all[i].site == site)
			return all[i];
	return (struct measure){.site = site};
}

// When a round trip is believable.
static void test_enough(void **state)
{
	static const struct {
		unsigned samples, hosts; // samples of each of so many hosts; 0: no host is stated
		bool is_enough;
	} rows[] = {
		{4, 0, false}, {5, 0, true}, {7, 1, false}, {2, 2, false}, {3, 2, true}, {1, 4, false}, {1, 5, true},
	};
	struct observed *observed = observed_new(&rules);

	(void)state;
	assert_non_null(observed);
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct measure measure;

		for (unsigned host = rows[i].hosts > 0; host <= rows[i].hosts; host++)
			for (unsigned k = 0; k < rows[i].samples; k++)
				add(observed, i, 1, host, 20000, START_S);
		measure = measure_of(observed, i, 1, START_S);
		assert_int_equal(measure.samples, rows[i].samples * (rows[i].hosts ? rows[i].hosts : 1));
		assert_int_equal(measure.hosts, rows[i].hosts ? rows[i].hosts : 1);
		assert_int_equal(measure.is_enough, rows[i].is_enough);
	}
	observed_free(observed);
}

// Lines that name no host beside lines that do: they are nobody's, of whatever site they are, until no name is left.
static void test_mixed(void **state)
{
	struct observed *observed = observed_new(&rules);
	struct measure measure;

	(void)state;
	assert_non_null(observed);
	for (unsigned k = 0; k < OBSERVED_SAMPLES; k++) {
		add(observed, 1, 1, 7, 20000, START_S); // one host, and itself without its name
		add(observed, 1, 1, 0, 1000, START_S);
		add(observed, 1, 2, 0, 1000, START_S);  // a site of which no line names a host
		add(observed, 2, 2, 0, 3000, START_S);  // a prefix of which none does
	}
	measure = measure_of(observed, 1, 1, START_S);
	assert_int_equal(measure.hosts, 1);
	assert_int_equal(measure.samples, OBSERVED_SAMPLES);
	assert_int_equal(measure.us, 20000);
	assert_false(measure.is_enough);
	assert_int_equal(measure_of(observed, 1, 2, START_S).samples, 0);
	assert_true(measure_of(observed, 2, 2, START_S).is_enough);
	for (unsigned k = 0; k < OBSERVED_SAMPLES; k++)
		add(observed, 1, 1, 8, 22000, START_S);
	measure = measure_of(observed, 1, 1, START_S);
	assert_int_equal(measure.us, 22000); // the two that have a name
	assert_true(measure.is_enough);
	for (unsigned k = 0; k < OBSERVED_SAMPLES; k++)
		add(observed, 1, 2, 0, 1000, START_S + rules.window_s);
	assert_false(measure_of(observed, 1, 2, START_S + rules.window_s).is_enough);
	assert_true(measure_of(observed, 1, 2, START_S + rules.window_s + 60).is_enough); // those with names are too old now
	observed_free(observed);
}

// A host that lies has one vote however much it says; of two the greater one counts.
static void test_liars(void **state)
{
	struct observed *observed = observed_new(&rules);

	(void)state;
	assert_non_null(observed);
	for (unsigned hosts = 2; hosts <= OBSERVED_HOSTS; hosts++)
		for (unsigned k = 0; k < 100; k++) {
			add(observed, hosts, 1, 99, 1000, START_S + k);
			for (unsigned host = 1; host < hosts; host++)
				add(observed, hosts, 1, host, 20000 + host * 100, START_S + k);
		}
	for (unsigned hosts = 2; hosts <= OBSERVED_HOSTS; hosts++) {
		uint32_t us = measure_of(observed, hosts, 1, START_S + 100).us;

		assert_true(us > 20000 && us < 21000);
	}
	observed_free(observed);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

// Samples as they were told, for the oracle.
struct told {
	uint32_t host, us;
	int64_t at_s;
};

static uint32_t oracle(const struct told *list, size_t count, unsigned hosts, int64_t now_s, unsigned *ret_hosts)
{
	uint32_t votes[OBSERVED_HOSTS];
	unsigned used = 0;

	for (uint32_t host = 1; host <= hosts; host++) {
		uint32_t samples[OBSERVED_SAMPLES];
		unsigned kept = 0;

		for (size_t i = count; i-- > 0 && kept < OBSERVED_SAMPLES;)
			if (list[i].host == host && now_s / 60 - list[i].at_s / 60 <= rules.window_s / 60)
				samples[kept++] = list[i].us;
		qsort(samples, kept, sizeof(samples[0]), compare);
		if (kept > 0)
			votes[used++] = samples[(kept - 1) / 2];
	}
	qsort(votes, used, sizeof(votes[0]), compare);
	*ret_hosts = used;
	return used ? votes[used / 2] : 0;
}

static void test_oracle(void **state)
{
	enum { ROUNDS = 200, SAMPLES = 100 };

	(void)state;
	seed = 1;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct observed *observed = observed_new(&rules);
		unsigned hosts = 1 + below(OBSERVED_HOSTS), expected_hosts;
		struct told list[SAMPLES];
		int64_t now_s = START_S;

		assert_non_null(observed);
		for (unsigned i = 0; i < SAMPLES; i++) {
			struct measure measure;

			now_s += below(4) == 0 ? below(2000) : below(60);
			list[i] = (struct told){1 + below(hosts), 1000 + below(50000), now_s};
			add(observed, 3, 7, list[i].host, list[i].us, now_s);
			if (below(10) == 0)
				observed_tick(observed, now_s);
			measure = measure_of(observed, 3, 7, now_s);
			assert_int_equal(measure.us, oracle(list, i + 1, hosts, now_s, &expected_hosts));
			assert_int_equal(measure.hosts, expected_hosts);
		}
		observed_free(observed);
	}
}

// What is older than the window counts no more, and is forgotten within a minute of ticks.
static void test_decay(void **state)
{
	struct observed *observed = observed_new(&rules);
	int64_t now_s = START_S;

	(void)state;
	assert_non_null(observed);
	for (unsigned i = 0; i < 500; i++)
		for (unsigned k = 0; k < 5; k++)
			add(observed, i, (uint16_t)(1 + k % 2), k, 10000, now_s);
	assert_int_equal(observed_prefixes(observed), 500);
	assert_int_equal(observed_pairs(observed), 1000);
	now_s += rules.window_s - 60;
	assert_true(measure_of(observed, 7, 1, now_s).samples > 0);
	for (unsigned k = 0; k < 60; k++)
		observed_tick(observed, now_s);
	assert_int_equal(observed_pairs(observed), 1000);
	now_s += 180;
	assert_int_equal(measure_of(observed, 7, 1, now_s).samples, 0);
	add(observed, 7, 1, 1, 30000, now_s);
	assert_int_equal(measure_of(observed, 7, 1, now_s).us, 30000);
	for (unsigned k = 0; k < 130; k++)
		observed_tick(observed, now_s);
	assert_int_equal(observed_prefixes(observed), 1);
	assert_int_equal(observed_pairs(observed), 1);
	observed_free(observed);
}

// However many prefixes, sites and hosts there are: never more than stated, and nearly all of those heard of lately stay.
static void test_bounds(void **state)
{
	enum { MAX = 1000 };
	static const struct observed_rules few = {5, 2, 86400, MAX};
	struct observed *observed = observed_new(&few);
	unsigned whole = 0;

	(void)state;
	assert_non_null(observed);
	seed = 2;
	for (unsigned i = 0; i < 200000; i++) {
		unsigned number = i % 2 ? below(100) : 100 + below(20000); // a hundred that are heard of all the time

		add(observed, number, (uint16_t)(number < 100 ? 1 : below(40)), below(100), 10000, START_S + i / 10);
		assert_true(observed_pairs(observed) <= MAX);
		if (i % 10 == 0)
			observed_tick(observed, START_S + i / 10);
	}
	assert_true(observed_evicted(observed) > 10000);
	assert_true(observed_bytes(observed) < MAX * (OBSERVED_PAIR_BYTES + 40));
	for (unsigned number = 0; number < 100; number++)
		whole += measure_of(observed, number, 1, START_S + 20000).hosts == OBSERVED_HOSTS;
	assert_true(whole >= 90); // who goes is drawn: one of them may have gone just now
	observed_free(observed);
	// One prefix with more sites than there is room for.
	observed = observed_new(&(struct observed_rules){5, 2, 86400, 4});
	assert_non_null(observed);
	for (unsigned i = 0; i < 100; i++)
		add(observed, 1, (uint16_t)i, 1, 10000, START_S + 60 * i);
	assert_int_equal(observed_pairs(observed), OBSERVED_SITES);
	assert_int_equal(measure_of(observed, 1, 99, START_S + 6000).samples, 1);
	assert_int_equal(measure_of(observed, 1, 0, START_S + 6000).samples, 0);
	observed_free(observed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enough), cmocka_unit_test(test_mixed), cmocka_unit_test(test_liars),
		cmocka_unit_test(test_oracle), cmocka_unit_test(test_decay), cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
