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

// For the end of a message: writes ", did you mean 'WORD'?" with that quote into buf[NEAREST_MEANT_MAX], or "" when
// none is near. Returns buf.
enum { NEAREST_MEANT_MAX = 96 };
const char *nearest_meant(const struct nearest *nearest, char quote, char *buf);
