// Master files (RFC 1035 section 5): the records of one zone into a builder. Called on the slow side.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct report;
struct zone_builder;

// Adds the records of the file at path `file`, which must outlive the builder, to the zone of that apex, which is open in
// the builder. What is wrong goes into the report with file and line, and the builder knows that the zone is incomplete.
// E_NOMEM alone is returned.
int zone_file_load(struct zone_builder *builder, const uint8_t *apex, size_t apex_len, const char *file,
                   struct report *report) MUST_USE;
