// Overrides are kept twice, in state.db and in state-copy.db: what one file has lost is taken from the other. Opens
// both, decides which one is trusted, sets aside what is damaged and builds it anew. For local.c.
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "state/folder.h"
#include "state/loss.h"
#include "state/rows.h"

extern const char salvage_state_file[], salvage_copy_file[];

struct salvage {
	struct rows state;          // open, sound
	bool is_read_only;          // the files cannot be written (folder->why): `state` is a store in memory
	struct rows copy;           // its store is NULL when it cannot be made or opened now; its totals may be behind
	struct loss loss;
};

// No store may be of a newer version when this is called. Logs what is damaged and what becomes of it. E_IO, E_NOMEM
// (folder->why): what is there cannot be read, and has not been replaced. E_STATE: a store is of a newer version after
// all.
int salvage_open(const struct folder *folder, struct salvage *ret_salvage) MUST_USE;
// Makes the copy say what state.db has. Its store may be NULL or damaged: then a new one is put in its place. E_IO,
// E_NOMEM, E_INVAL.
int salvage_renew_copy(const struct folder *folder, const struct rows *state, struct rows *copy) MUST_USE;
// A store in memory with what `state` has, which may be of files that are no longer there. E_IO, E_NOMEM.
int salvage_to_memory(const struct folder *folder, const struct rows *state, struct rows *ret_rows) MUST_USE;
// Makes both files anew from a store in memory; what stands in their places is set aside. The copy's store is NULL when
// it cannot be made. E_IO (folder->why), E_NOMEM, E_INVAL.
int salvage_rewrite(const struct folder *folder, const struct rows *memory, struct rows *ret_state,
                    struct rows *ret_copy) MUST_USE;
