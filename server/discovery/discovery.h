// Turns the config's `locate:` list and the `latency:` table into the prefix table, with the help of plugins. Called
// while a view is built, on the builder's thread; has no state of its own.
#pragma once

#include <stddef.h>

#include "base/attr.h"

struct arena;
struct config;
struct measured_row;
struct places;
struct report;

// Opens, enumerates and closes every source in order. The caller owns *ret_places; the latency table's rows in
// *ret_rows are in `arena`. E_INVAL after errors, which are in the report; E_NOMEM.
int discovery_load(const struct config *config, struct arena *arena, struct report *report,
                   struct places **ret_places, struct measured_row **ret_rows, size_t *ret_row_count) MUST_USE;

// Lists the built-in plugins and their options on standard output, for `edgesteerd --plugins`.
void discovery_print_plugins(void);
