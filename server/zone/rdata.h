// RDATA of all types, from presentation form to wire form. Called by file.c for every record; owns nothing, allocates
// nothing.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "wire/name.h"
#include "zone/convert.h"

enum { ZONE_RDATA_MAX = 65535 };

// Converts `count` words (see struct zone_scan_entry) to wire form. Names without a final dot are relative to `origin`.
// E_INVAL, with the reason in ret_why[ZONE_CONVERT_WHY_MAX].
int zone_rdata_parse(uint16_t type, const char *words, size_t count, const struct wire_name *origin,
                     uint8_t ret_rdata[static ZONE_RDATA_MAX], size_t *ret_len, char *ret_why) MUST_USE;
