// RDATA of the common types, written plainly, to wire form. Nearly all records of a large zone are like that, and this is
// many times faster than ldns. Called by rdata.c; owns nothing.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

// Converts `count` words, as zone_rdata_parse() does, into wire[size]. Returns the length in octets; -1 for anything else
// than correct data of a common type without escapes, which ldns then reads, or refuses with a reason.
int zone_plain_parse(uint16_t type, const char *words, size_t count, const uint8_t *origin, size_t origin_len,
                     uint8_t *wire, size_t size) MUST_USE;
