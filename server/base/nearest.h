// The word that was probably meant, for "did you mean" after an unknown key, name or verb.
#pragma once

#include <stddef.h>

// A search over words that are offered one by one: the best so far.
struct nearest {
	const char *wanted;
	const char *word; // borrowed; NULL: none is near
	size_t distance;  // of `word`, in edits
};

// Starts a search; `wanted` is borrowed.
struct nearest nearest_begin(const char *wanted);
// Keeps `word` (borrowed) when it is nearer than any before. A word is near when at most a third of its letters differ.
void nearest_offer(struct nearest *nearest, const char *word);

// The nearest of `count` words, or NULL.
const char *nearest_word(const char *wanted, const char *const *words, size_t count);
