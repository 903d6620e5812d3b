// The last good addresses of names of hosts, and which of them are still to be written. What is handed out to be written is a
// copy. Main thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "state/table.h"

// One name's row as it is to be in the store.
struct aliasmap_row {
	char *name, *addresses; // the latter as text, with a blank between each; NULL: there is to be no row
	uint32_t ttl_s;
	int64_t since_s;        // wall clock: when a look-up last confirmed them
};

// Zero-initialised is a valid, empty one.
struct aliasmap {
	struct table index;     // value: the entry; as many as there are `entries`
	struct aliasmap_entry **entries;
	size_t room, dirty_count;
};

void aliasmap_done(struct aliasmap *map);
// Remembers it; it is to be written if it is new. E_LIMIT past STATE_ALIASES_MAX, E_NOMEM: what was known stays.
int aliasmap_set(struct aliasmap *map, const char *name, const char *addresses, uint32_t ttl_s, int64_t since_s) MUST_USE;
// The same for what is in the store already.
int aliasmap_load(struct aliasmap *map, const char *name, const char *addresses, uint32_t ttl_s,
                  int64_t since_s) MUST_USE;
// NULL: not known. Valid until the map's next change.
const struct aliasmap_row *aliasmap_get(const struct aliasmap *map, const char *name);
// Forgets each that is not kept.
void aliasmap_retain(struct aliasmap *map, bool (*is_kept)(void *ctx, const char *name), void *ctx);

// Copies up to `max` of those that are to be written, to be given back to aliasmap_written(). Fewer: there are no more, or
// no memory.
size_t aliasmap_take(struct aliasmap *map, struct aliasmap_row *rows, size_t max);
// They are in the store; or not, and are to be written once more, unless they have changed since. Frees the copies.
void aliasmap_written(struct aliasmap *map, struct aliasmap_row *rows, size_t count, bool is_written);
