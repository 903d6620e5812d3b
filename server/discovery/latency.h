// The `latency:` table: round trips measured by the operator, from prefixes or carriers to sites. For discovery.c.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct arena;
struct config;
struct place_builder;
struct report;

// A row of the table as read, before carriers have numbers.
struct measured_row {
	uint32_t group;       // of the prefix; 0: the row is for a carrier
	const char *carrier;  // when `group` is 0
	uint16_t site;        // index in config->sites
	uint32_t us;
};

// Reads the table, if the config names one. Its prefixes become another source of the builder, and all rows of a prefix
// one group; *ret_rows is in `arena`. E_INVAL after errors, which are reported with file and line; E_NOMEM.
int latency_load(const struct config *config, struct place_builder *builder, struct arena *arena,
                 struct report *report, struct measured_row **ret_rows, size_t *ret_row_count) MUST_USE;
