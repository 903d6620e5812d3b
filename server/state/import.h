// Takes over what older versions have left in the folder; for local.c, at the start. Where an older
// version has run in the meantime, its file replaces what the store has.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "state/folder.h"
#include "state/loss.h"
#include "state/rows.h"

struct import {
	bool is_known;    // it says what the store has, as after an export
	struct loss loss; // of the file's overrides: kept are those that were taken over
};

// Into `state`, in one transaction. Of a damaged file what can be read is added to what the store has. No file: nothing
// happens. E_IO (folder->why), E_NOMEM.
int import_overrides(const struct folder *folder, struct rows *state, struct import *ret_import) MUST_USE;
// The renaming is left to this: to be called once everything is durable. E_IO (folder->why).
int import_overrides_done(const struct folder *folder, const struct import *import) MUST_USE;
// Into a store of health. Nothing is taken over when it is older than age_max_s. E_IO (folder->why), E_NOMEM, E_INVAL (the
// store). `is_read_only`: the files stay as they are.
int import_health(const struct folder *folder, struct store *health, bool is_read_only, int64_t now_s,
                  int64_t age_max_s) MUST_USE;
