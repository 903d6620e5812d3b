// What the book tells of its changes: whoever follows that knows what it has; and what of it is forgotten.
#include "learn/book.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/hash.h"
#include "booked.h"

static const struct book_rules rules = {{3, 600}, 24, 48, 1000, 600, 7 * 86400};

// What somebody keeps of the book by its news alone, by the number of the prefix.
static struct kept {
	unsigned held;
	bool is_fresh;
} kept[2000];

static unsigned number_of(const struct prefix *prefix)
{
	return (unsigned)prefix->addr.bytes[1] << 8 | prefix->addr.bytes[2];
}

static void keep(void *ctx, const struct book_news *news)
{
	struct kept *one;

	(void)ctx;
	if (news->prefix.addr.bytes[0] != 10)
		return;
	one = &kept[number_of(&news->prefix)];
	if (news->has_moved)
		one->held = news->entry && news->entry->opinion.has_held ? news->entry->opinion.held.sites[0] : 0;
	one->is_fresh = news->is_fresh;
}

// Whoever follows the news knows what the book has: what is held, and, once a tick has looked at it, what is fresh.
static void test_news(void **state)
{
	struct book_rules narrow = rules;
	struct book *book;
	int64_t now_s = 1000;

	(void)state;
	narrow.max = 600; // some have to go for others
	narrow.max_stale_s = 5000;
	book = book_new(&narrow);
	assert_non_null(book);
	for (unsigned round = 0; round < 4000; round++) {
		uint64_t random = hash_mix(round);
		struct prefix some = {client((unsigned)(random % 2000) & ~7u, 0), 21};

		now_s += round == 3000 ? 2 * narrow.max_stale_s : round % 3 == 0 ? (int64_t)(random % 40) : 0;
		for (unsigned i = 0; i < 6; i++) {
			struct book_sample sample = {client((unsigned)(hash_mix(random + i / 3) % 2000), i), {.sites = {(uint16_t)(1 + random % 3)}},
			                             1, 60, 100 + round};
			enum opinion_outcome outcome;

			if (i == 5 && round % 7 == 0)
				(void)!book_miss(book, &sample, now_s);
			else
				(void)!book_hear(book, &sample, now_s, &outcome);
		}
		if (round % 50 == 0)
			(void)book_forget(book, &some);
		book_tick(book, now_s);
		assert_true(book_take_news(book, now_s, keep, NULL));
		for (unsigned n = 0; n < 2000; n += 1 + round % 5) {
			const struct book_entry *entry = entry_of(book, n);

			assert_int_equal(kept[n].held, held(book, n));
			assert_int_equal(kept[n].is_fresh, entry && book_is_fresh(entry, now_s));
		}
	}
	assert_true(book_counts_of(book)->expired > 0);
	assert_true(book_counts_of(book)->evicted > 0);
	assert_true(book_counts_of(book)->moved > 0);
	book_free(book);
}

// Too much of it at once is told as such, and read as a whole.
static void test_too_much(void **state)
{
	struct book_rules wide = rules;
	struct book *book;

	(void)state;
	wide.max = BOOK_NEWS + 10;
	book = book_new(&wide);
	assert_non_null(book);
	for (unsigned i = 0; i < BOOK_NEWS + 10; i++) {
		struct book_sample sample = {{.family = ADDR_V4, .bytes = {(uint8_t)(11 + (i >> 16)), (uint8_t)(i >> 8), (uint8_t)i, 1}},
		                             {{1}, 0, 0}, 1, 0, 1};
		enum opinion_outcome outcome;

		assert_int_equal(book_hear(book, &sample, 1000, &outcome), E_OK);
	}
	assert_false(book_take_news(book, 1000, keep, NULL));
	book_drop_news(book, 1000);
	assert_true(book_take_news(book, 1000, keep, NULL));
	for (unsigned i = 0; i < 3; i++)
		(void)hear(book, 7, i, 2, 1000);
	kept[7].held = 0;
	assert_non_null(entry_of(book, 7));
	assert_true(book_take_news(book, 1000, keep, NULL));
	assert_int_equal(kept[7].held, 2);
	book_free(book);
}

// Prefixes of every length, against a look at every entry.
static void test_forget(void **state)
{
	for (unsigned len = 8; len <= 32; len++) {
		struct book *book = book_new(&rules);
		struct addr around = client(300, 9);
		struct prefix prefix = {addr_cut(&around, (uint8_t)len), (uint8_t)len};
		size_t expected = 0;

		(void)state;
		assert_non_null(book);
		for (unsigned n = 0; n < 600; n++) {
			struct addr addr = client(n, 0), cut = addr_cut(&addr, (uint8_t)(len < 24 ? len : 24));
			struct addr wanted = addr_cut(&around, (uint8_t)(len < 24 ? len : 24));

			(void)hear(book, n, 1, 1, 1000);
			expected += addr_equal(&cut, &wanted);
		}
		assert_int_equal(book_forget(book, &prefix), expected);
		assert_int_equal(book_count(book), 600 - expected);
		assert_null(entry_of(book, 300));
		book_free(book);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_news),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
