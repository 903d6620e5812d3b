// The plugin host: turns the config's `locate:` list and the `latency:` table into the prefix table. Called while a
// view is built, on the builder's thread; keeps nothing afterwards.
#pragma once

#include <stddef.h>

#include "base/attr.h"

struct arena;
struct config;
struct measured_row;
struct places;
struct report;

// Opens every source in order, enumerates it, closes it. Anything wrong goes into the report; E_INVAL then, or E_NOMEM.
// The latency table's rows are put into `arena` (the caller's, which must outlive their use).
int discovery_load(const struct config *config, struct arena *arena, struct report *report,
                   struct places **ret_places, struct measured_row **ret_rows, size_t *ret_row_count) MUST_USE;

// Lists the built-in plugins and their options on standard output, for `edgesteerd --plugins`.
void discovery_print_plugins(void);
