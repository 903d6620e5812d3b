// The groups of clients (left.h) whom a change leaves with nothing, found in all rankings and place classes at once:
// those that have a target in reach without it and none with it. Of these, the ones that have clients: the prefix table
// says where, and what is learned. Any thread that may read the two live parts.
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "base/attr.h"

struct live;
struct uncovered;

enum { UNCOVERED_TEXT_MAX = 768, UNCOVERED_SHOWN_MAX = 100, UNCOVERED_EXAMPLES = 3, UNCOVERED_REACH_MAX = 16 };

// Both of one view. NULL: out of memory.
struct uncovered *uncovered_find(const struct live *before, const struct live *after) MUST_USE;
// Takes NULL; returns NULL.
struct uncovered *uncovered_free(struct uncovered *uncovered);
// How many there are.
size_t uncovered_count(const struct uncovered *uncovered) PURE;
// The first ones in words, into buf[UNCOVERED_TEXT_MAX], which it returns.
const char *uncovered_text(const struct uncovered *uncovered, char *buf);
// Adds "nothing" and "nothing_more" to the object, which it takes; see safety.h. NULL: out of memory.
json_t *uncovered_json(const struct uncovered *uncovered, json_t *object) MUST_USE;
