// A hash table from (app, site) to a number or a pointer. It borrows its keys: who adds them keeps them alive until
// they are removed.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct table_slot {
	const char *app;  // "" stands for "every app"
	const char *site; // NULL: the slot is empty
	uint64_t value;
	uint32_t hash;
};

// Zero-initialised is a valid, empty one.
struct table {
	struct table_slot *slots;
	size_t mask;      // slots - 1
	size_t count;
};

// A key of one allocation, "APP\0SITE\0", for who owns keys: free() gives it back. NULL: out of memory.
char *table_key(const char *app, const char *site) MUST_USE;

// Frees the slots, not the keys.
void table_done(struct table *table);
// Makes room, so that table_add() does not fail before there are `count` keys. E_NOMEM.
int table_reserve(struct table *table, size_t count) MUST_USE;
// NULL when it is not there. Valid until the next table_add() or table_remove().
struct table_slot *table_find(const struct table *table, const char *app, const char *site) PURE;
// E_EXISTS when it is there already, E_NOMEM.
int table_add(struct table *table, const char *app, const char *site, uint64_t value) MUST_USE;
// Removes a slot of the table that is not empty. Does not free the key. Never shrinks the table.
void table_remove(struct table *table, struct table_slot *slot);
