// A history of changes that a test gives and can name the outcome of, for the tests that kill, cut the power, and
// damage files: change `i` of a seed is always the same.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct state;
struct state_result;

enum { HISTORY_KEYS = 24 };

// What holds: by key, the number of the change that gave it + 1; 0: nothing.
struct history {
	unsigned seed;
	uint32_t given[HISTORY_KEYS];
};

// Gives change `number` to the state.
void history_give(struct state *state, unsigned seed, uint32_t number,
                  void (*done)(void *ctx, const struct state_result *result), void *ctx);
// What holds after it.
void history_apply(struct history *history, uint32_t number);
// Whether the state has exactly that.
bool history_is(const struct history *history, const struct state *state);
// Whether everything in the state was set at some time before change `end`. *ret_missing counts the overrides of
// `history` that are missing from the state, or not as last set.
bool history_is_part(const struct history *history, const struct state *state, uint32_t end, size_t *ret_missing);
