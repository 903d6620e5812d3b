// The word somebody probably meant, for "did you mean": of unknown keys, names and verbs.
#pragma once

#include <stddef.h>

// A search over words that come one by one, the shortest edit distance so far.
struct nearest {
	const char *wanted;
	const char *word; // NULL: none is near
	size_t distance;  // of `word`
};

struct nearest nearest_begin(const char *wanted);
// Takes `word` when it is nearer than what was seen before. A word farther than a third of its letters is not near.
void nearest_offer(struct nearest *nearest, const char *word);

// The nearest of `count` words, or NULL.
const char *nearest_word(const char *wanted, const char *const *words, size_t count);
