// Matching patterns; see wildcard.h.
#include "base/wildcard.h"

#include <stdint.h>

// One star at a time is remembered, so that the time is at most the product of the lengths.
bool wildcard_match(const char *pattern, size_t len, const char *text)
{
	size_t at = 0, star = SIZE_MAX;
	const char *resume = text;

	while (*text) {
		if (at < len && pattern[at] == '*') {
			star = at++;
			resume = text;
		} else if (at < len && (pattern[at] == '?' || pattern[at] == *text)) {
			at++;
			text++;
		} else if (star != SIZE_MAX) {
			at = star + 1;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (at < len && pattern[at] == '*')
		at++;
	return at == len;
}
