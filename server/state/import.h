// Takes over what older versions have left in the folder; for local.c, at the start. An older version that was started
// again in the meantime has the last word: what its file says replaces what the store has.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "state/folder.h"
#include "state/rows.h"

struct import {
	int64_t damaged_s;  // the file was damaged and is set aside: when, by the wall clock; 0: it was not
	size_t kept, lost;  // then: so many of its overrides were taken over, so many at least were not
};

// Into `state`, in one transaction. Of a damaged file what can be read is added to what the store has. No file: nothing
// happens. E_IO, E_NOMEM; logged.
int import_overrides(const struct folder *folder, struct rows *state, struct import *ret_import) MUST_USE;
// The renaming is left to this: to be called once everything is durable. E_IO; logged.
int import_overrides_done(const struct folder *folder, const struct import *import) MUST_USE;
// Into a store of health. Too old to be believed: nothing is taken over. E_IO, E_NOMEM, E_INVAL (the store); logged.
int import_health(const struct folder *folder, struct store *health, int64_t now_s, int64_t age_max_s) MUST_USE;
