// The Knuth-Morris-Pratt algorithm: one table per text, one integer of state per search; see needle.h.
#include "health/needle.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/must.h"

int needle_make(struct arena *arena, const char *text, struct needle *ret_needle)
{
	size_t len = text ? strlen(text) : 0;

	if (len > NEEDLE_MAX_LEN)
		return E_LIMIT;

	uint16_t *fallback = arena_take_array(arena, len, sizeof(*fallback));
	char *copy = arena_copy(arena, text, len);

	if (!fallback || !copy)
		return E_NOMEM;
	for (size_t i = 1, matched = 0; i < len; i++) {
		while (matched && copy[matched] != copy[i])
			matched = fallback[matched - 1];
		if (copy[matched] == copy[i])
			matched++;
		fallback[i] = (uint16_t)matched;
	}
	*ret_needle = (struct needle){copy, fallback, len};
	return E_OK;
}

bool needle_feed(const struct needle *needle, size_t *matched, const char *bytes, size_t len)
{
	size_t have = *matched;

	must(have <= needle->len);
	for (size_t i = 0; i < len && have < needle->len; i++) {
		while (have && needle->text[have] != bytes[i])
			have = needle->fallback[have - 1];
		if (needle->text[have] == bytes[i])
			have++;
	}
	*matched = have;
	return have == needle->len;
}
