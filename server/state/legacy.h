// The files that versions before the store kept: orders.json and health.json. Read once, then renamed to NAME.imported;
// and written again for an older version.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "state/folder.h"
#include "state/healthmap.h"
#include "state/override.h"

extern const char legacy_overrides_file[], legacy_health_file[];

struct legacy_overrides {
	struct override **rows; // owned, in the order of the file
	size_t count;
	size_t lost;            // entries that are not what edgesteerd writes: logged
	bool is_readable;       // else it is no file of ours at all, and the rest is 0
};

// E_NOTFOUND; E_IO (folder->why), E_NOMEM. Damage is no error, it is logged. Of two entries for the same thing the first
// counts.
int legacy_read_overrides(const struct folder *folder, struct legacy_overrides *ret_overrides) MUST_USE;
void legacy_overrides_done(struct legacy_overrides *overrides);
// Fills `map`, which is empty. *ret_saved_s: when it was so, by the wall clock. E_NOTFOUND; E_INVAL: damaged (logged),
// then `map` is empty; E_IO (folder->why), E_NOMEM.
int legacy_read_health(const struct folder *folder, struct healthmap *map, int64_t *ret_saved_s) MUST_USE;
// The file has been taken over; or `is_known`, there was nothing in it that the store had not. E_IO (folder->why).
int legacy_imported(const struct folder *folder, const char *name, bool is_known) MUST_USE;

// E_IO (folder->why), E_NOMEM.
int legacy_write_overrides(const struct folder *folder, struct override *const *rows, size_t count) MUST_USE;
int legacy_write_health(const struct folder *folder, const struct healthmap *map, int64_t saved_s) MUST_USE;
