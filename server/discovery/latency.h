// The `latency:` table: round trips the operator measured, from prefixes or carriers to sites. For discovery.c.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct arena;
struct config;
struct place_builder;
struct report;

// A row of the table as read: before carriers have numbers.
struct measured_row {
	uint32_t group;       // 0: for a carrier
	const char *carrier;  // for group 0
	uint16_t site;        // index in config->sites
	uint32_t us;
};

// Reads the table, when the config names one. Its prefixes become one more source of the builder, all rows of a prefix
// one group of measured rows; the rows go into `arena`. Anything wrong is reported with file and line: E_INVAL;
// E_NOMEM.
int latency_load(const struct config *config, struct place_builder *builder, struct arena *arena,
                 struct report *report, struct measured_row **ret_rows, size_t *ret_row_count) MUST_USE;
