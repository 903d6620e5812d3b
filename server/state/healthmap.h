// The last measured health by app, site and what was probed there, and which of it is still to be written. Main thread;
// what is handed out to be written borrows its names, which stay until healthmap_written().
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "state/limits.h"
#include "state/table.h"

// The row of one address of a target as it is to be in the store.
struct healthmap_row {
	const char *app, *site;
	uint32_t word;   // what was probed, and in the lowest bit whether it is up
	int64_t since_s; // wall clock: since when it is; 0: not known
	uint32_t number; // the entry's
	bool is_gone;    // there is to be none
};

// Zero-initialised is a valid, empty one.
struct healthmap {
	struct table index; // by app and site; value: the number of the first entry of the target
	struct healthmap_entry *entries;
	uint32_t *dirty;    // numbers of the entries that are to be written
	size_t room, used, dirty_count;
	size_t count;       // of entries in use
	uint32_t free_head; // of entries that are not used: number + 1
};

void healthmap_done(struct healthmap *map);
// Remembers it; it is to be written if it is new. E_LIMIT past STATE_HEALTH_MAX, or STATE_HEALTH_OF_TARGET_MAX of one
// target, E_NOMEM: then it is not remembered.
int healthmap_set(struct healthmap *map, const char *app, const char *site, uint32_t word, int64_t since_s) MUST_USE;
// The same for what is in the store already.
int healthmap_load(struct healthmap *map, const char *app, const char *site, uint32_t word, int64_t since_s) MUST_USE;
// 1, 0, with *ret_since_s; -1: not known.
int healthmap_get(const struct healthmap *map, const char *app, const char *site, uint32_t probed,
                  int64_t *ret_since_s);
// Forgets what is known of a target, but for the addresses that `probed` stands for.
void healthmap_retain(struct healthmap *map, const char *app, const char *site, const uint32_t *probed, size_t count);
// Calls `row` for each that is known, until it returns something other than 0, which is then returned. It may forget
// those of the target that it is called with.
int healthmap_each(const struct healthmap *map, int (*row)(void *ctx, const struct healthmap_row *row), void *ctx);

// Takes up to `max` of those that are to be written. Not again before healthmap_written() has been called for them.
size_t healthmap_take(struct healthmap *map, struct healthmap_row *rows, size_t max);
// They are in the store; or not, and are to be written once more, unless they have changed since.
void healthmap_written(struct healthmap *map, const struct healthmap_row *rows, size_t count, bool is_written);
