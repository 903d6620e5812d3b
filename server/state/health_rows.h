// Health as rows of a store (health.db). Errors: E_INVAL (the file is damaged), E_IO, E_NOMEM.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "state/healthmap.h"
#include "state/store.h"

// Reads all; *ret_confirmed_s is when it was last known to be so, by the wall clock; 0: never. E_INVAL when one row is
// not what was written. On an error `map` has some of it.
int health_rows_read(struct store *store, struct healthmap *map, int64_t *ret_confirmed_s) MUST_USE;
// In one transaction: writes the rows, and that what the store has is so at `confirmed_s`.
int health_rows_write(struct store *store, const struct healthmap_row *rows, size_t count,
                      int64_t confirmed_s) MUST_USE;
int health_rows_clear(struct store *store) MUST_USE;
