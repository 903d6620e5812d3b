// Entries of the book as text, and back: the same, and with times that are right by whatever clock there is then.
#include "learn/saved.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/err.h"
#include "learn/book.h"

static const struct book_rules rules = {{3, 600}, 24, 48, 1000, 600, 7 * 86400};

// Learns of 10.0.1.0/24 that it is nearest to a site.
static const struct book_entry *learn(struct book *book, uint16_t site, int64_t now_s)
{
	struct addr addr = {.family = ADDR_V4, .bytes = {10, 0, 1}};
	struct prefix prefix = book_prefix(book, &addr);

	for (uint8_t host = 0; host < 3; host++) {
		struct book_sample sample = {.addr = {.family = ADDR_V4, .bytes = {10, 0, 1, host}}, .finding = {.sites = {site}},
		                             .source = 1, .weight = 100};
		enum opinion_outcome outcome;

		assert_int_equal(book_hear(book, &sample, now_s, &outcome), E_OK);
	}
	return book_find(book, &prefix);
}

static void test_saved(void **state)
{
	static const char *const bad[] = {
		"", "a", "a\tb\tc\td\te\tf\tg", "a\tb\tc\td\te\tf\tg\t1\t3\t0\t7\t9\t1\t2\t3\t4",
		"a\tb\tc\td\te\tf\tg\t2\t3\t0\t7\t9\t1\t2\t3\t4\t5", "a\tb\tc\td\te\tf\tg\t1\t3\t0\t7\t9\t1\t2\t3\t4\t5 ",
		"a\tb\tc\td\te\tf\tg\t1\t99\t0\t7\t9\t1\t2\t3\t4\t5",
	};
	struct book *book = book_new(&rules), *other = book_new(&rules);
	const struct book_entry *entry, *there;
	struct book_entry read;
	char text[SAVED_TEXT_LEN], again[SAVED_TEXT_LEN];

	(void)state;
	assert_non_null(book);
	assert_non_null(other);
	for (unsigned i = 1; i <= 4; i++) {
		uint16_t number;

		assert_int_equal(book_name(book, (char[]){'s', (char)('0' + i), 0}, &number), E_OK);
		assert_int_equal(number, i);
	}
	entry = learn(book, 4, 1000);
	saved_format(book, entry, 0, text);
	assert_int_equal(saved_parse(other, "10.0.1.0/24", text, &read), E_OK);
	assert_int_equal(book_restore(other, &read), E_OK);
	there = book_find(other, &read.prefix);
	assert_non_null(there);
	assert_string_equal(saved_format(other, there, 0, again), text);
	assert_string_equal(book_text(other, there->opinion.held.sites[0]), "s4");
	assert_true(book_is_fresh(there, 1001));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(saved_parse(other, "10.0.1.0/24", bad[i], &read), E_INVAL);
	assert_int_equal(saved_parse(other, "10.0.1.0/33", text, &read), E_INVAL);
	assert_int_equal(saved_parse(other, "10.0.0.0/16", text, &read), E_OK);
	assert_int_equal(book_restore(other, &read), E_INVAL); // of another length than prefixes have now
	book_free(book);
	book_free(other);
}

// What is saved has times of the wall clock, what is read back has those of the book, however the clocks were set.
static void test_saved_times(void **state)
{
	enum { NOW_S = 1000000, DAY_S = 86400 };
	static const struct {
		int64_t stepped_s;                // of the clock by which it was saved, and of the next daemon's
		int64_t down_s, next_stepped_s;   // how long there was none
		int64_t heard_s, fresh_until_s;   // by the next one's steady clock
	} rows[] = {
		{0, 0, 0, NOW_S, NOW_S + BOOK_LIFETIME_S},
		{0, 100, 0, NOW_S - 100, NOW_S - 100 + BOOK_LIFETIME_S},
		{DAY_S, 100, 0, NOW_S, NOW_S}, // the first one's clock was wrong: it is asked about
		{-DAY_S, 100, 0, NOW_S - DAY_S - 100, NOW_S - DAY_S - 100 + BOOK_LIFETIME_S},
		{DAY_S, 100, DAY_S, NOW_S - 100, NOW_S - 100 + BOOK_LIFETIME_S}, // both are: it does not matter
		{0, 100, 5, NOW_S - 105, NOW_S - 105 + BOOK_LIFETIME_S},
	};
	struct book *book = book_new(&rules);
	const struct book_entry *entry;

	(void)state;
	assert_non_null(book);
	entry = learn(book, 1, NOW_S);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[SAVED_TEXT_LEN];
		struct book_entry read;

		saved_format(book, entry, rows[i].stepped_s, text);
		assert_int_equal(saved_parse(book, "10.0.1.0/24", text, &read), E_OK);
		read = book_shifted(&read, -rows[i].down_s); // the next one's NOW_S is later
		assert_int_equal(saved_settle(&read, NOW_S, rows[i].next_stepped_s), i == 2);
		assert_int_equal(read.heard_s, rows[i].heard_s);
		assert_int_equal(read.fresh_until_s, rows[i].fresh_until_s);
		assert_int_equal(read.held_until_s, rows[i].fresh_until_s);
		assert_int_equal(read.learned_s, rows[i].heard_s);
	}
	book_free(book);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_saved), cmocka_unit_test(test_saved_times)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
