// The book of learned prefixes by a simulated clock: hysteresis walked row by row and against counting, moves spread over
// minutes, who leaves when it is full, what is stale and for how long.
#include "learn/book.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/hash.h"
#include "booked.h"

static const struct book_rules rules = {{3, 600}, 24, 48, 1000, 600, 7 * 86400};

static void test_agreement(void **state)
{
	static const struct {
		unsigned host, site, after_s;
		enum opinion_outcome outcome;
		unsigned held;
	} rows[] = {
		{1, 1, 0, OPINION_WAITS, 0},
		{2, 1, 1, OPINION_WAITS, 0},
		{2, 1, 1, OPINION_WAITS, 0},    // the same address again is no further voice
		{3, 1, 1, OPINION_READY, 1},
		{4, 1, 1, OPINION_CONFIRMED, 1},
		{5, 2, 1, OPINION_WAITS, 1},
		{6, 2, 1, OPINION_WAITS, 1},
		{7, 1, 1, OPINION_CONFIRMED, 1}, // not in a row
		{1, 2, 1, OPINION_WAITS, 1},
		{2, 2, 1, OPINION_WAITS, 1},
		{3, 2, 1, OPINION_READY, 2},     // has changed its mind for good
		{9, 3, 1, OPINION_WAITS, 2},
		{9, 3, 599, OPINION_WAITS, 2},
		{9, 3, 1, OPINION_READY, 3},     // one address, for ten minutes
		{1, 4, 1, OPINION_WAITS, 3},
		{1, 5, 1, OPINION_WAITS, 3},
		{1, 6, 1, OPINION_DOUBTED, 0},   // everybody says something else: the table speaks again
		{1, 6, 600, OPINION_READY, 6},
		{1, 7, 1, OPINION_WAITS, 6},
		{1, 7, 1, OPINION_WAITS, 6},     // does not contradict the one before: that is no reason to doubt
		{1, 7, 1, OPINION_WAITS, 6},
		{1, 7, 1, OPINION_WAITS, 6},
		{2, 7, 1, OPINION_WAITS, 6},
		{3, 7, 1, OPINION_READY, 7},
	};
	struct book *book = book_new(&rules);
	int64_t now_s = 1000;

	(void)state;
	assert_non_null(book);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		now_s += rows[i].after_s;
		assert_int_equal(hear(book, 7, rows[i].host, (uint16_t)rows[i].site, now_s), rows[i].outcome);
		assert_int_equal(held(book, 7), rows[i].held);
	}
	assert_int_equal(held(book, 8), 0);
	assert_int_equal(book_count(book), 1);
	book_free(book);
}

// Who repeats itself costs what is held no confidence, and measurements take nothing away: they put another in its place.
static void test_measured(void **state)
{
	struct book *book = book_new(&rules);

	(void)state;
	assert_non_null(book);
	for (unsigned prefix = 1; prefix <= 2; prefix++)
		for (unsigned host = 1; host <= 3; host++)
			(void)hear(book, prefix, host, 1, 1000);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(hear(book, 1, 9, 2, 1001 + i), OPINION_WAITS);
	assert_int_equal(held(book, 1), 1);
	for (unsigned i = 0; i < 100; i++) {
		struct book_sample sample = {client(2, i), {.sites = {(uint16_t)(2 + i % 2)}}, 1, 0, 100, true};
		enum opinion_outcome outcome;

		assert_int_equal(book_hear(book, &sample, 1001 + i, &outcome), E_OK);
		assert_int_equal(held(book, 2), 1);
	}
	assert_int_equal(book_counts_of(book)->withdrawn, 0);
	book_free(book);
}

// A service that names two sites by turns, on every call: nothing is learned, and what was learned stays.
static void test_flapping(void **state)
{
	struct book *book = book_new(&rules);
	uint64_t version;

	(void)state;
	assert_non_null(book);
	for (unsigned i = 0; i < 3; i++)
		(void)hear(book, 1, i, 1, 1000);
	version = book_version(book);
	for (unsigned i = 0; i < 5000; i++) {
		(void)hear(book, 1, i, 2 - i % 2, 1000 + i);
		(void)hear(book, 2, i, 2 - i % 2, 1000 + i);
		assert_int_equal(held(book, 1), 1);
		assert_int_equal(held(book, 2), 0);
	}
	assert_int_equal(book_version(book), version);
	book_free(book);
}

static enum opinion_outcome hear_all(struct book *book, unsigned host, unsigned second, unsigned third)
{
	struct book_sample sample = {client(1, host), {.sites = {1, (uint16_t)second, (uint16_t)third}}, 1, 0, 100};
	enum opinion_outcome outcome;

	assert_int_equal(book_hear(book, &sample, 1000, &outcome), E_OK);
	return outcome;
}

// A service that is sure of the first site, and orders those behind it by the moment: that is no doubt. They stay as they
// are, too, until they are the same in a row.
static void test_behind_the_first(void **state)
{
	struct book *book = book_new(&rules);
	uint64_t version;

	(void)state;
	assert_non_null(book);
	assert_int_equal(hear_all(book, 1, 2, 3), OPINION_WAITS);
	assert_int_equal(hear_all(book, 2, 3, 2), OPINION_WAITS);
	assert_int_equal(hear_all(book, 3, 4, 0), OPINION_READY);
	assert_int_equal(held(book, 1), 1);
	assert_int_equal(entry_of(book, 1)->opinion.held.sites[1], 2);
	version = book_version(book);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(hear_all(book, i, 2 + i % 3, 0), OPINION_CONFIRMED);
		assert_true(book_is_fresh(entry_of(book, 1), 1000));
	}
	assert_int_equal(book_version(book), version);
	assert_int_equal(entry_of(book, 1)->opinion.confidence, 2 * rules.opinion.agree);
	assert_int_equal(hear_all(book, 1, 5, 0), OPINION_CONFIRMED);
	assert_int_equal(hear(book, 1, 2, 9, 1000), OPINION_WAITS); // not in a row
	assert_int_equal(hear_all(book, 3, 5, 0), OPINION_CONFIRMED);
	assert_int_equal(hear_all(book, 4, 5, 0), OPINION_CONFIRMED);
	assert_int_equal(hear_all(book, 5, 5, 0), OPINION_READY);
	assert_int_equal(entry_of(book, 1)->opinion.held.sites[1], 5);
	assert_int_equal(book_counts_of(book)->moved, 1);
	assert_int_equal(book_counts_of(book)->withdrawn, 0);
	book_free(book);
}

// 3,000 prefixes change their site at once: at most 600 a minute, the busiest first, and all in the end.
static void test_moves(void **state)
{
	enum { COUNT = 3000 };
	struct book_rules wide = rules;
	struct book *book;
	unsigned moved = 0;

	(void)state;
	wide.max = COUNT;
	book = book_new(&wide);
	assert_non_null(book);
	for (unsigned i = 0; i < COUNT; i++) {
		struct addr addr = client(i, 0);
		struct prefix prefix = book_prefix(book, &addr);

		for (unsigned host = 0; host < 3; host++)
			(void)hear(book, i, host, 1, 1000);
		book_note(book, &prefix, i, 1000);
	}
	for (unsigned i = 0; i < COUNT; i++)
		for (unsigned host = 0; host < 3; host++)
			(void)hear(book, i, host, 2, 2000);
	assert_int_equal(book_waiting(book), COUNT - 600);
	assert_int_equal(book_counts_of(book)->held_back, COUNT - 600);
	for (int64_t now_s = 2000; now_s < 2000 + 5 * 60; now_s++) {
		unsigned before = moved, minute = (unsigned)(now_s - 2000) / 60;

		book_tick(book, now_s);
		moved = 0;
		for (unsigned i = 0; i < COUNT; i++)
			moved += held(book, i) == 2;
		assert_true(moved >= before);
		assert_true(moved <= 600 * (minute + 1));
		if (minute > 0 && minute < 4) // the first 600 were those that were heard first
			assert_int_equal(held(book, COUNT - 1), 2);
	}
	assert_int_equal(moved, COUNT);
	assert_int_equal(book_waiting(book), 0);
	book_free(book);
}

// No minute has more moves than it may have, wherever it begins: 1 at first, 599 at its end, then 1.
static void test_any_minute(void **state)
{
	enum { COUNT = 700 };
	static const struct {
		unsigned from, to;
		int64_t at_s;
	} rows[] = {{0, 1, 2000}, {1, COUNT, 2059}};
	struct book *book = book_new(&rules);

	(void)state;
	assert_non_null(book);
	for (unsigned i = 0; i < COUNT; i++)
		for (unsigned host = 0; host < 3; host++)
			(void)hear(book, i, host, 1, 1000);
	for (size_t row = 0; row < ARRAY_LEN(rows); row++)
		for (unsigned i = rows[row].from; i < rows[row].to; i++)
			for (unsigned host = 0; host < 3; host++)
				(void)hear(book, i, host, 2, rows[row].at_s);
	assert_int_equal(book_waiting(book), COUNT - 600);
	book_tick(book, 2059);
	assert_int_equal(book_waiting(book), COUNT - 600);
	for (int64_t now_s = 2060; now_s < 2119; now_s++) {
		book_tick(book, now_s);
		assert_int_equal(book_waiting(book), COUNT - 601);
	}
	book_tick(book, 2119);
	assert_int_equal(book_waiting(book), 0);
	book_free(book);
}

// Prefixes that are given up, as a service says something else each time, are among the moves of a minute.
static void test_withdrawn(void **state)
{
	enum { COUNT = 700 };
	struct book *book = book_new(&rules);
	unsigned left = 0;

	(void)state;
	assert_non_null(book);
	for (unsigned i = 0; i < COUNT; i++)
		for (unsigned host = 0; host < 3; host++)
			(void)hear(book, i, host, 1, 1000);
	for (unsigned i = 0; i < COUNT; i++)
		for (unsigned host = 0; host < 3; host++)
			(void)hear(book, i, host, (uint16_t)(2 + host), 2000);
	for (unsigned i = 0; i < COUNT; i++)
		left += held(book, i) == 1;
	assert_int_equal(left, COUNT - 600);
	assert_int_equal(book_counts_of(book)->withdrawn, 600);
	for (unsigned i = 0; i < COUNT; i++)
		(void)hear(book, i, 9, 9, 2060);
	for (unsigned i = 0; i < COUNT; i++)
		assert_int_equal(held(book, i), 0);
	book_free(book);
}

static void test_time(void **state)
{
	struct book *book = book_new(&rules);
	struct book_sample missed = {client(9, 1), {{0}, 0, 0}, 1, 0, 5};

	(void)state;
	assert_non_null(book);
	for (unsigned host = 0; host < 3; host++)
		(void)hear(book, 1, host, 1, 1000);
	assert_true(book_is_fresh(entry_of(book, 1), 1000 + BOOK_LIFETIME_S - 1));
	assert_false(book_is_fresh(entry_of(book, 1), 1000 + BOOK_LIFETIME_S));
	book_tick(book, 1000 + BOOK_LIFETIME_S + rules.max_stale_s - 1);
	assert_int_equal(held(book, 1), 1); // stale, and serving
	book_tick(book, 1000 + BOOK_LIFETIME_S + rules.max_stale_s);
	assert_null(entry_of(book, 1));
	assert_int_equal(book_counts_of(book)->expired, 1);

	for (int64_t pause_s = BOOK_MISS_S, now_s = 1000; pause_s < 4 * BOOK_MISS_S; now_s += pause_s, pause_s *= 2) {
		assert_int_equal(book_miss(book, &missed, now_s), E_OK);
		assert_true(book_is_fresh(entry_of(book, 9), now_s + pause_s - 1));
		assert_false(book_is_fresh(entry_of(book, 9), now_s + pause_s));
	}
	assert_int_equal(held(book, 9), 0);
	book_free(book);
}

// A service that does not know the clients any more, or cannot make up its mind, confirms nothing: what is held serves for
// `max_stale_s`, and no longer.
static void test_unconfirmed(void **state)
{
	const int64_t until_s = 1000 + BOOK_LIFETIME_S + rules.max_stale_s;
	struct book *book = book_new(&rules);
	struct book_sample missed = {client(1, 1), {{0}, 0, 0}, 1, 0, 100};
	unsigned misses = 0;

	(void)state;
	assert_non_null(book);
	for (unsigned prefix = 1; prefix <= 2; prefix++)
		for (unsigned host = 0; host < 6; host++)
			(void)hear(book, prefix, host, 1, 1000);
	for (int64_t now_s = 1000 + BOOK_LIFETIME_S; now_s < until_s; now_s += 500) {
		const struct book_entry *entry = entry_of(book, 1);

		assert_int_equal(held(book, 1), 1);
		if (!book_is_fresh(entry, now_s)) {
			misses++;
			assert_int_equal(book_miss(book, &missed, now_s), E_OK);
		}
		if (now_s + 1000 > until_s) // one more opinion, at the end
			assert_int_equal(hear(book, 2, 7, 2, now_s), OPINION_WAITS);
		book_tick(book, now_s);
	}
	assert_in_range(misses, 5, 20);
	assert_int_equal(held(book, 2), 1);
	book_tick(book, until_s);
	assert_null(entry_of(book, 1));
	assert_null(entry_of(book, 2));
	book_free(book);
}

// A clock that is set back: what was heard after that is asked again, and not believed for years.
static void test_clock(void **state)
{
	const int64_t right_s = 1000000, wrong_s = right_s + 5 * 365 * 86400;
	struct book *book = book_new(&rules);

	(void)state;
	assert_non_null(book);
	for (unsigned host = 0; host < 3; host++)
		(void)hear(book, 1, host, 1, wrong_s);
	assert_true(book_is_fresh(entry_of(book, 1), wrong_s));
	assert_false(book_is_fresh(entry_of(book, 1), right_s));
	assert_int_equal(held(book, 1), 1);
	assert_int_equal(hear(book, 1, 4, 1, right_s), OPINION_CONFIRMED);
	assert_true(book_is_fresh(entry_of(book, 1), right_s));
	assert_false(book_is_fresh(entry_of(book, 1), right_s + BOOK_LIFETIME_S));
	book_tick(book, right_s + BOOK_LIFETIME_S + rules.max_stale_s);
	assert_null(entry_of(book, 1));
	book_free(book);
}

// Full: the busy stay, whoever comes.
static void test_room(void **state)
{
	struct book_rules small = rules;
	struct book *book;
	unsigned kept = 0;

	(void)state;
	small.max = 200;
	book = book_new(&small);
	assert_non_null(book);
	for (unsigned i = 0; i < 100; i++) { // of weight 100
		(void)hear(book, i, 0, 1, 1000);
	}
	for (unsigned i = 1000; i < 50000; i++) {
		struct book_sample sample = {client(i, 1), {{1}, 0, 0}, 1, 0, 1 + i % 50};
		enum opinion_outcome outcome;
		int err = book_hear(book, &sample, 1000, &outcome);

		assert_true(err == E_OK || err == E_LIMIT);
		assert_true(book_count(book) <= 200);
	}
	for (unsigned i = 0; i < 100; i++)
		kept += entry_of(book, i) != NULL;
	assert_int_equal(kept, 100);
	assert_int_equal(book_count(book), 200);
	assert_true(book_counts_of(book)->refused > 1000);
	book_free(book);
}

// Other rules that leave room for fewer: those with the most traffic stay, however that is distributed.
static void test_less_room(void **state)
{
	enum { COUNT = 900, KEPT = 100 };
	static const struct {
		uint32_t step, floor; // weights: floor + step * a number of its own
	} rows[] = {{1, 1}, {0, 7}, {1000003, 1}, {1, UINT32_MAX - COUNT}, {65536, 3}};

	(void)state;
	for (size_t row = 0; row < ARRAY_LEN(rows); row++) {
		struct book_rules small = rules;
		struct book *book = book_new(&rules);

		assert_non_null(book);
		small.max = KEPT;
		for (unsigned i = 0; i < COUNT; i++) {
			uint32_t rank = i * 7 % COUNT; // 7 divides not
			struct book_sample sample = {client(i, 1), {{1}, 0, 0}, 1, 0, rows[row].floor + rows[row].step * rank};
			enum opinion_outcome outcome;

			assert_int_equal(book_hear(book, &sample, 1000, &outcome), E_OK);
		}
		book_set_rules(book, &small, 1000);
		assert_int_equal(book_count(book), KEPT);
		assert_int_equal(book_counts_of(book)->evicted, COUNT - KEPT);
		for (unsigned i = 0; i < COUNT && rows[row].step > 0; i++)
			assert_int_equal(entry_of(book, i) != NULL, i * 7 % COUNT >= COUNT - KEPT);
		book_set_rules(book, &rules, 1000);
		assert_int_equal(book_count(book), KEPT);
		book_free(book);
	}
}

// Those that were busy are not the first to go as soon as they are to be asked again, though their traffic was not noted
// while they were fresh, however long that was, and is at its first notes now.
static void test_room_after_rest(void **state)
{
	struct book_rules small = rules;
	struct book *book;
	const int64_t now_s = 1000 + BOOK_LIFETIME_MAX_S;
	unsigned kept = 0;

	(void)state;
	small.max = 200;
	small.opinion.agree = 1;
	book = book_new(&small);
	assert_non_null(book);
	for (unsigned i = 0; i < 100; i++) {
		struct book_sample sample = {client(i, 1), {{1}, 0, 0}, 1, BOOK_LIFETIME_MAX_S, 100};
		enum opinion_outcome outcome;

		assert_int_equal(book_hear(book, &sample, 1000, &outcome), E_OK);
	}
	for (unsigned i = 0; i < 100; i++)
		book_note(book, &entry_of(book, i)->prefix, 1, now_s);
	for (unsigned i = 1000; i < 5000; i++) {
		struct book_sample sample = {client(i, 1), {{1}, 0, 0}, 1, 0, 50};
		enum opinion_outcome outcome;
		int err = book_hear(book, &sample, now_s, &outcome);

		assert_true(err == E_OK || err == E_LIMIT);
	}
	for (unsigned i = 0; i < 100; i++)
		kept += entry_of(book, i) != NULL;
	assert_int_equal(kept, 100);
	// Nobody has asked from there for hours.
	for (unsigned i = 5000; i < 9000; i++) {
		struct book_sample sample = {client(i, 1), {{1}, 0, 0}, 1, 0, 50};
		enum opinion_outcome outcome;

		(void)!book_hear(book, &sample, now_s + 5 * 3600, &outcome);
	}
	for (unsigned i = 0; i < 100; i++)
		assert_null(entry_of(book, i));
	book_free(book);
}

// The index, against an array that says which prefixes are in.
static void test_index(void **state)
{
	static bool in[2000];
	struct book_rules wide = rules;
	struct book *book;

	(void)state;
	wide.max = 2000;
	book = book_new(&wide);
	assert_non_null(book);
	for (unsigned i = 0; i < 60000; i++) {
		unsigned n = (unsigned)(hash_mix(i) % 2000);
		struct addr addr = client(n, 0);
		struct prefix prefix = book_prefix(book, &addr);

		if (hash_mix(i) >> 32 & 1) {
			(void)hear(book, n, 1, 1, 1000);
			in[n] = true;
		} else {
			assert_int_equal(book_forget(book, &prefix), in[n]);
			in[n] = false;
		}
	}
	for (unsigned n = 0; n < 2000; n++)
		assert_int_equal(entry_of(book, n) != NULL, in[n]);
	book_forget_all(book);
	assert_int_equal(book_count(book), 0);
	assert_null(entry_of(book, 1));
	book_free(book);
}

// 100,000 entries with their index: under 24 MB, which leaves 8 for the overlay.
static void test_memory(void **state)
{
	struct book_rules wide = rules;
	struct book *book;

	(void)state;
	wide.max = 100000;
	book = book_new(&wide);
	assert_non_null(book);
	for (unsigned i = 0; i < 100000; i++) {
		struct book_sample sample = {{.family = ADDR_V4, .bytes = {(uint8_t)(11 + (i >> 16)), (uint8_t)(i >> 8), (uint8_t)i, 1}},
		                             {{1}, 0, 0}, 1, 0, 1};
		enum opinion_outcome outcome;

		assert_int_equal(book_hear(book, &sample, 1000, &outcome), E_OK);
	}
	assert_true(book_bytes(book) < 24 << 20);
	book_free(book);
}

// ---- saved ----------------------------------------------------------------------------------------------------------

static unsigned changed, gone;

static void count_change(void *ctx, const struct prefix *prefix, const struct book_entry *entry)
{
	(void)ctx, (void)prefix;
	changed += entry != NULL;
	gone += entry == NULL;
}

static void expect_changes(struct book *book, unsigned wanted_changed, unsigned wanted_gone)
{
	changed = gone = 0;
	while (book_take_changes(book, 1, count_change, NULL))
		;
	assert_int_equal(changed, wanted_changed);
	assert_int_equal(gone, wanted_gone);
}

static void test_changes(void **state)
{
	struct book *book = book_new(&rules);
	struct addr addr = client(1, 0);
	struct prefix prefix;

	(void)state;
	assert_non_null(book);
	prefix = book_prefix(book, &addr);
	(void)hear(book, 1, 1, 1, 1000);
	expect_changes(book, 0, 1); // nothing is believed yet, so nothing is kept
	(void)hear(book, 1, 2, 1, 1000);
	(void)hear(book, 1, 3, 1, 1000);
	expect_changes(book, 1, 0);
	expect_changes(book, 0, 0);
	(void)hear(book, 1, 4, 1, 1000);
	assert_int_equal(book_forget(book, &prefix), 1);
	expect_changes(book, 0, 1);
	book_free(book);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agreement),  cmocka_unit_test(test_measured), cmocka_unit_test(test_flapping), cmocka_unit_test(test_moves),
		cmocka_unit_test(test_behind_the_first),
		cmocka_unit_test(test_any_minute), cmocka_unit_test(test_withdrawn), cmocka_unit_test(test_time),     cmocka_unit_test(test_unconfirmed),
		cmocka_unit_test(test_clock),      cmocka_unit_test(test_room),
		cmocka_unit_test(test_less_room),  cmocka_unit_test(test_room_after_rest),
		cmocka_unit_test(test_index),      cmocka_unit_test(test_memory),   cmocka_unit_test(test_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
