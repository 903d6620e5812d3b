// The parameters of SVCB and HTTPS records (RFC 9460 section 2, appendix A). Called by field.c; owns nothing.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct zone_kind;
struct zone_convert;

// Takes all words that are left and appends their parameters in ascending order. False, said, when one is not right, or
// they do not fit together.
bool zone_svcparams_read(struct zone_convert *convert, const struct zone_kind *kind) MUST_USE;
// What is wrong with parameters in wire form; NULL: nothing.
const char *zone_svcparams_fault(const uint8_t *wire, size_t len) PURE;
