// The merge of vantages: the truth table of column.h over states x freshness x quorum, against a slow oracle that counts; and
// that one that lies alone takes nothing down under a quorum of two.
#include "health/column.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { VANTAGES = 6, QUORUM_MAX = 8, COMBINATIONS = 729 }; // 3^6: each is not fresh, or says up, or down

static void split(unsigned combination, enum word words[VANTAGES])
{
	for (unsigned i = 0; i < VANTAGES; i++, combination /= 3)
		words[i] = (enum word)(combination % 3);
}

static struct tally tally_of(const enum word words[VANTAGES], unsigned from, unsigned to)
{
	struct tally tally = {0};

	for (unsigned i = from; i < to; i++)
		tally_add(&tally, words[i]);
	return tally;
}

// As the sentence has it: `quorum` of the fresh ones must say down; with fewer fresh, all of them must.
static enum word oracle(const enum word words[VANTAGES], unsigned from, unsigned to, unsigned quorum)
{
	unsigned fresh = 0, down = 0;

	for (unsigned i = from; i < to; i++) {
		fresh += words[i] != WORD_NONE;
		down += words[i] == WORD_DOWN;
	}
	if (fresh == 0)
		return WORD_NONE;
	if (fresh < quorum)
		return down == fresh ? WORD_DOWN : WORD_UP;
	return down >= quorum ? WORD_DOWN : WORD_UP;
}

static void test_every_combination(void **unused)
{
	enum word words[VANTAGES];

	(void)unused;
	for (unsigned combination = 0; combination < COMBINATIONS; combination++)
		for (unsigned quorum = 1; quorum <= QUORUM_MAX; quorum++) {
			split(combination, words);
			assert_int_equal(tally_word(tally_of(words, 0, VANTAGES), quorum), oracle(words, 0, VANTAGES, quorum));
		}
}

// The first vantages are a carrier's, the rest speak for everybody.
static void test_every_column(void **unused)
{
	enum word words[VANTAGES], expected, counts;

	(void)unused;
	for (unsigned combination = 0; combination < COMBINATIONS; combination++)
		for (unsigned own = 0; own <= VANTAGES; own++)
			for (unsigned quorum = 1; quorum <= QUORUM_MAX; quorum++) {
				split(combination, words);
				expected = oracle(words, 0, own, quorum);
				if (expected == WORD_NONE)
					expected = oracle(words, own, VANTAGES, quorum);
				counts = column_of_carrier(tally_word(tally_of(words, 0, own), quorum),
				                           tally_word(tally_of(words, own, VANTAGES), quorum));
				assert_int_equal(counts, expected);
			}
}

// Where two or more are fresh and all but one say up.
static void test_one_lies(void **unused)
{
	(void)unused;
	for (unsigned up = 1; up < 20; up++)
		for (unsigned quorum = 2; quorum <= QUORUM_MAX; quorum++)
			assert_int_equal(tally_word((struct tally){up, 1}, quorum), WORD_UP);
	assert_int_equal(tally_word((struct tally){5, 1}, 1), WORD_DOWN); // that is what a quorum of one means
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_combination),
		cmocka_unit_test(test_every_column),
		cmocka_unit_test(test_one_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
