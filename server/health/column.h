// What the vantages of one column say of a target, taken together. Pure functions, for the judge and its test.
#pragma once

#include <stdbool.h>

enum word { WORD_NONE, WORD_UP, WORD_DOWN };

// Vantages that are fresh, by what they say.
struct tally {
	unsigned up, down;
};

static inline void tally_add(struct tally *tally, enum word word)
{
	tally->up += word == WORD_UP;
	tally->down += word == WORD_DOWN;
}

// `quorum`, at least 1, is how many fresh vantages must say down; with fewer fresh, all of them must. First row that
// applies:
//
//   fresh vantages        say down             the column
//   none                                       WORD_NONE
//   fewer than `quorum`   all                  WORD_DOWN
//   fewer than `quorum`   not all              WORD_UP
//   `quorum` or more      `quorum` or more     WORD_DOWN
//   `quorum` or more      fewer                WORD_UP
static inline enum word tally_word(struct tally tally, unsigned quorum)
{
	unsigned fresh = tally.up + tally.down, needed = fresh < quorum ? fresh : quorum;

	if (fresh == 0)
		return WORD_NONE;
	return tally.down >= needed ? WORD_DOWN : WORD_UP;
}

// What counts for the clients of a carrier: its own vantages' column while one of them is fresh, else the general one.
//
//   the carrier's   the general    counts
//   WORD_NONE       any            the general
//   any other       any            the carrier's
static inline enum word column_of_carrier(enum word carrier, enum word general)
{
	return carrier == WORD_NONE ? general : carrier;
}
