// LOC records (RFC 1876). Called by field.c; owns nothing.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct zone_convert;
struct zone_kind;
struct zone_octets;

// Takes all words that are left and appends the location. False, said, when it is not right.
bool zone_location_read(struct zone_convert *convert, const struct zone_kind *kind) MUST_USE;
// See struct zone_kind.
int zone_location_check(const struct zone_octets *octets, const struct zone_kind *kind) MUST_USE PURE;
