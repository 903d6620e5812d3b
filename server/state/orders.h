// The operators' orders as one set: drains and forces in the order given, with an index; for state.c. A change makes a
// new set that shares the orders it keeps, so that nothing has changed until it is saved.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "state/state.h"
#include "state/table.h"

enum { STATE_VERSION = 1 }; // of the files' form

// Zero-initialised is a valid, empty one.
struct orders {
	struct drain **drains;
	struct force **forces;
	size_t drain_count, force_count;
	struct table drained; // (app or "", site) -> index in drains
	struct table forced;  // (app, site) -> index in forces
};

// E_LIMIT when a text is too long; E_INVAL when a needed one is missing or one is not UTF-8.
int orders_check_drain(const struct drain *drain) MUST_USE;
int orders_check_force(const struct force *force) MUST_USE;

struct drain *orders_drain_new(const struct drain *from) MUST_USE;
struct drain *orders_drain_free(struct drain *drain);
struct force *orders_force_new(const struct force *from) MUST_USE;
struct force *orders_force_free(struct force *force);

// Frees the arrays and the indexes, not the orders in them.
void orders_done(struct orders *orders);
// Frees the orders as well.
void orders_wipe(struct orders *orders);
// A set of the same orders with room for one more of each, not yet indexed. E_NOMEM.
int orders_share(const struct orders *from, struct orders *ret_orders) MUST_USE;
// Makes the indexes. E_EXISTS when two orders are for the same thing; E_NOMEM.
int orders_index(struct orders *orders) MUST_USE;
// The drain of exactly this app (NULL: the whole site) and site, or NULL.
struct drain *orders_find_drain(const struct orders *orders, const char *app, const char *site, size_t *ret_at);
struct force *orders_find_force(const struct orders *orders, const char *app, const char *site, size_t *ret_at);

// The file's contents, and back. NULL without memory.
json_t *orders_to_json(const struct orders *orders) MUST_USE;
// What is not what orders_to_json() writes is left out and logged, and counted in *ret_lost: one bad entry must not free
// every site. Of two for the same thing the first counts, as do the first STATE_ORDERS_MAX. A list that is none is one
// entry, whatever it held. E_NOMEM.
int orders_from_json(const json_t *root, struct orders *ret_orders, size_t *ret_lost) MUST_USE;
