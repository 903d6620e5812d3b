// The `latency:` table: round trips the operator measured, from prefixes or carriers to sites. For discovery.c.
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "config/compile.h"

struct arena;
struct config;
struct place_builder;
struct report;

// Reads the table, when the config names one. Its prefixes become one more source of the builder, all rows of a prefix
// one group of measured rows; the rows go into `arena`. Anything wrong is reported with file and line: E_INVAL;
// E_NOMEM.
int latency_load(const struct config *config, struct place_builder *builder, struct arena *arena,
                 struct report *report, struct measured_row **ret_rows, size_t *ret_row_count) MUST_USE;
