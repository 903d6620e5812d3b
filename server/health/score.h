// Rise and fall as one integer: how far a target is from a change of state. Pure functions, for health.c and its test.
#pragma once

#include <stdbool.h>

// A score below `rise` is down, from `rise` to rise + fall - 1 is up. A result that contradicts the state moves the
// score one step, one that confirms it resets the score. The truth table, with rise 2 and fall 3:
//
//   score   state   after a success    after a failure
//   0       down    1  down            0  down
//   1       down    4  up              0  down
//   2       up      4  up              0  down
//   3       up      4  up              2  up
//   4       up      4  up              3  up
//
// Without a state yet, a success gives score 4 at once, `fall` failures in a row score 0.
static inline bool score_up(unsigned score, unsigned rise)
{
	return score >= rise;
}

// The score of a state that no recent result contradicts.
static inline unsigned score_sure(bool up, unsigned rise, unsigned fall)
{
	return up ? rise + fall - 1 : 0;
}

static inline unsigned score_next(unsigned score, bool success, unsigned rise, unsigned fall)
{
	unsigned next = success ? score + 1 : score - 1;
	bool up = score_up(score, rise);

	if (success == up || score_up(next, rise) != up)
		return score_sure(success, rise, fall);
	return next;
}

// How many consecutive results contradict the state.
static inline unsigned score_streak(unsigned score, unsigned rise, unsigned fall)
{
	return score_up(score, rise) ? score_sure(true, rise, fall) - score : score;
}
