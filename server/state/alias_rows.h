// The last good addresses of names as rows of a store (health.db). Errors: E_INVAL (the file is damaged), E_IO, E_NOMEM.
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "state/aliasmap.h"
#include "state/store.h"

// Reads all. E_INVAL when one row is not what was written. On an error `map` has some of it.
int alias_rows_read(struct store *store, struct aliasmap *map) MUST_USE;
// Writes the rows in one transaction.
int alias_rows_write(struct store *store, const struct aliasmap_row *rows, size_t count) MUST_USE;
