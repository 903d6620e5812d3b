// How many have moved in the last minute, so that no minute has more than so many, wherever it begins. Pure: time is an
// argument.
#pragma once

#include <stdint.h>

enum { MOVES_S = 60 };

// None when zeroed.
struct moves {
	unsigned count, at[MOVES_S]; // in the minute before `until_s` and that second; in each second of it
	int64_t until_s;
};

// How many more may move in this second, of `max` a minute.
static inline unsigned moves_left(struct moves *moves, unsigned max, int64_t now_s)
{
	int64_t passed_s = now_s - moves->until_s;

	if (passed_s < 0 || passed_s > MOVES_S)
		passed_s = MOVES_S;
	for (; passed_s > 0; passed_s--) {
		unsigned *gone = &moves->at[(now_s - passed_s + 1) % MOVES_S];

		moves->count -= *gone;
		*gone = 0;
	}
	moves->until_s = now_s;
	return max > moves->count ? max - moves->count : 0;
}

// One moves, in the second of the last moves_left().
static inline void moves_count(struct moves *moves)
{
	moves->count++;
	moves->at[moves->until_s % MOVES_S]++;
}
