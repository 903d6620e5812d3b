// Patterns with `*` and `?`; see glob.h.
#include "glob.h"

#include <stddef.h>

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool glob_match(const char *pattern, const char *text)
{
	const char *star = NULL, *resume = NULL;

	// Only the last star needs another try: what those before it took can stay as it is.
	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			resume = text;
		} else if (*pattern == '?' || (*pattern && lower(*pattern) == lower(*text))) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}
