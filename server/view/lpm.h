// Longest-prefix match for the hot path: a prefix tree frozen into 64-way nodes with bitmaps, so that an IPv4 address
// takes at most six small reads and an entry costs a few bytes. A leaf holds its value and its depth, the exact scope.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"

struct ptree;
struct lpm;

enum { LPM_VALUE_MAX = 0xffffff };

struct lpm_hit {
	uint32_t value;
	uint8_t depth; // length of the widest aligned block around the address that has this value
};

// Freezes a tree whose values are at most LPM_VALUE_MAX. E_NOMEM.
int lpm_freeze(const struct ptree *tree, struct lpm **ret_lpm) MUST_USE;
// Takes NULL; returns NULL.
struct lpm *lpm_free(struct lpm *lpm);

struct lpm_hit lpm_lookup(const struct lpm *lpm, struct addr_key key) HOT PURE NONNULL(1);

size_t lpm_bytes(const struct lpm *lpm) PURE;
