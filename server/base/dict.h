// A dictionary: texts to values, in the order in which they were added. For large mappings of the config, which are
// searched once a key. Slow side.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum { DICT_MAX = 1 << 28 };

struct dict;

struct dict_entry {
	const char *key; // borrowed
	uintptr_t value; // a number or a pointer: the owner of the dictionary knows which
};

// NULL when out of memory. The caller frees it with dict_free().
struct dict *dict_new(void) MUST_USE;
// Takes NULL; returns NULL.
struct dict *dict_free(struct dict *dict);

// Adds a key, which must outlive the dictionary. E_EXISTS: it is there already, and keeps its value. E_LIMIT past
// DICT_MAX; E_NOMEM.
int dict_add(struct dict *dict, const char *key, uintptr_t value) MUST_USE NONNULL(1, 2);
// The entry of a key; NULL: there is none. Valid until the next dict_add().
const struct dict_entry *dict_find(const struct dict *dict, const char *key) NONNULL(1, 2);
// All entries, in the order in which they were added, and their number.
const struct dict_entry *dict_entries(const struct dict *dict, size_t *ret_count) NONNULL(1, 2);
