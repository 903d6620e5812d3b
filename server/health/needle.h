// Searches for a substring in data that arrives in pieces, without buffering it. For the HTTP probe's `expect-body`.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct arena;

enum { NEEDLE_MAX_LEN = 65535 };

// Text and table are owned by the arena. Length 0: matches everything.
struct needle {
	const char *text;
	const uint16_t *fallback; // fallback[n]: after n + 1 matching bytes and a mismatch, how many bytes still match
	size_t len;
};

// `text` is copied; NULL: an empty needle. E_NOMEM; E_LIMIT: longer than NEEDLE_MAX_LEN bytes.
int needle_make(struct arena *arena, const char *text, struct needle *ret_needle) MUST_USE;
// Searches the next `len` bytes; *matched is the state of the search, 0 at the start. True once the text has been
// found.
bool needle_feed(const struct needle *needle, size_t *matched, const char *bytes, size_t len);
