// The overrides that hold, as one set: in the order they were given, with an index by kind, app and site. Owns them.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "state/limits.h"
#include "state/override.h"
#include "state/table.h"

// Zero-initialised is a valid, empty one.
struct overrides {
	struct override **rows;             // by revision
	size_t count, room;
	struct override **selectors;        // those of them that are for a selector of sites, in no order; `room` places
	size_t selector_count;
	struct table index[OVERRIDE_KINDS]; // (app or "", site) -> the override
};

void overrides_done(struct overrides *overrides);
// Makes room, so that overrides_put() does not fail before there are `count` of them. E_NOMEM.
int overrides_reserve(struct overrides *overrides, size_t count) MUST_USE;
// The one of exactly this app (NULL: the whole site) and site, or NULL.
struct override *overrides_find(const struct overrides *overrides, enum override_kind kind, const char *app,
                                const char *site) PURE;
// Takes `next`, whose revision is larger than any in the set, in the place of the one that is for the same thing. There
// is room for it. Returns what it replaced, now the caller's, or NULL.
struct override *overrides_put(struct overrides *overrides, struct override *next);
// The override is in the set; now it is the caller's.
void overrides_take(struct overrides *overrides, struct override *override);
// Takes out all that go. They stay behind the others, rows[count] and on, where the next overrides_put() would
// overwrite them: they are the caller's now. Returns how many.
size_t overrides_sweep(struct overrides *overrides, bool (*goes)(const void *ctx, const struct override *override),
                       const void *ctx);
