// Master files (RFC 1035 section 5): adds the records of one zone to a builder. Called on the slow side.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct report;
struct zone_builder;

// Adds the records in the file at path `file`, a string that must outlive the builder, to the zone with that apex,
// which is open in the builder. Errors go into the report with file and line, and make zone_builder_finish() fail; the
// only one returned is E_NOMEM.
int zone_file_load(struct zone_builder *builder, const uint8_t *apex, size_t apex_len, const char *file,
                   struct report *report) MUST_USE;
