// A substring looked for in bytes that come in pieces, without keeping them. For the HTTP probe's `expect-body`.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct arena;

enum { NEEDLE_MAX_LEN = 65535 };

// Text and table are the arena's. Length 0: nothing is looked for.
struct needle {
	const char *text;
	const uint16_t *fallback; // fallback[n]: with n + 1 bytes matched and the next one wrong, so many still are
	size_t len;
};

// `text` is copied; NULL: nothing is looked for. E_NOMEM, E_LIMIT when it is too long.
int needle_make(struct arena *arena, const char *text, struct needle *ret_needle) MUST_USE;
// Takes the next `len` bytes; *matched is the search's whole state, 0 at the start. True once the text has been seen.
bool needle_feed(const struct needle *needle, size_t *matched, const char *bytes, size_t len);
