// A hash table from (app, site) to a small number; for state.c. It borrows its keys: who adds them keeps them alive.
// Never shrinks and forgets nothing: it is rebuilt when something goes.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct table_slot {
	const char *app;  // "" stands for "every app"
	const char *site; // NULL: the slot is empty
	uint32_t hash;
	uint32_t value;
};

// Zero-initialised is a valid, empty one.
struct table {
	struct table_slot *slots;
	size_t mask;      // slots - 1
	size_t count;
};

// A key of one allocation, "APP\0SITE\0", for who owns keys: free() gives it back. NULL without memory.
char *table_key(const char *app, const char *site) MUST_USE;

// Frees the slots, not the keys.
void table_done(struct table *table);
// A table with the same keys, borrowed once more. E_NOMEM.
int table_copy(const struct table *from, struct table *ret_table) MUST_USE;
// NULL when it is not there. Valid until the next table_add().
struct table_slot *table_find(const struct table *table, const char *app, const char *site) PURE;
// E_EXISTS when it is there already, E_NOMEM.
int table_add(struct table *table, const char *app, const char *site, uint32_t value) MUST_USE;
