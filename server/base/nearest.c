// Edit distance; see nearest.h.
#include "base/nearest.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"

enum { WORD_MAX = 64 }; // longer words are never suggested

_Static_assert(sizeof(", did you mean ''?") + WORD_MAX <= NEAREST_MEANT_MAX, "any word fits");

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). Both at most WORD_MAX long.
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *row = rows[2];

	must(a_len <= WORD_MAX && b_len <= WORD_MAX);
	for (size_t j = 0; j <= b_len; j++)
		last[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t change = last[j - 1] + (a[i - 1] != b[j - 1]);

			row[j] = min(change, min(last[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = min(row[j], before[j - 2] + 1);
		}

		size_t *oldest = before;

		before = last;
		last = row;
		row = oldest;
	}
	return last[b_len];
}

struct nearest nearest_begin(const char *wanted)
{
	return (struct nearest){.wanted = wanted};
}

void nearest_offer(struct nearest *nearest, const char *word)
{
	size_t wanted_len = strlen(nearest->wanted), len = strlen(word);

	size_t apart = len > wanted_len ? len - wanted_len : wanted_len - len, edits_max = (len + 2) / 3;

	if (wanted_len == 0 || wanted_len > WORD_MAX || len > WORD_MAX || apart > edits_max)
		return;

	size_t edits = distance(nearest->wanted, wanted_len, word, len);

	if (edits > edits_max || (nearest->word && edits >= nearest->distance))
		return;
	nearest->word = word;
	nearest->distance = edits;
}

const char *nearest_meant(const struct nearest *nearest, char quote, char *buf)
{
	buf[0] = '\0';
	if (nearest->word)
		snprintf(buf, NEAREST_MEANT_MAX, ", did you mean %c%s%c?", quote, nearest->word, quote);
	return buf;
}
