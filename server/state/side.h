// One of the two files of overrides as it was found: opened and read as far as it can be. For salvage.c.
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "state/folder.h"
#include "state/rows.h"
#include "state/store.h"
#include "state/wal.h"

// Zero-initialised but for the name.
struct side {
	const char *name;
	bool is_there, is_sound;
	struct wal_found log;
	bool is_unknown;         // it cannot be opened now, which is not its fault
	bool is_to_read;         // its store is in memory: the file cannot be written
	struct store *store;     // NULL: it is not there, or nothing can be read
	struct rows_found found;
};

// Damage is no error: it is logged, and the side is not sound. E_IO (folder->why): nothing can be read, now. E_STATE
// (logged): it is of a newer version. E_NOMEM. To be followed by side_done() in any case.
int side_examine(const struct folder *folder, struct side *side) MUST_USE;
void side_done(struct side *side);
