// Points in time as people write them. Slow side: it may read the time zone's file.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

enum { WHEN_TEXT_LEN = 24 };

// Reads one of these, in seconds of the wall clock:
//
//   2026-08-09T14:03:20+02:00   with "Z" or a distance from UTC; a blank instead of the T, the seconds left out
//   @1786284200                 seconds since the Unix epoch
//   2026-08-09 14:03, 14:03     with `is_local` only: of this machine's time zone; the latter is the next such time
//
// E_INVAL: it is none of these, or no such date.
int when_parse(const char *text, int64_t now_s, bool is_local, int64_t *ret_s) MUST_USE;
// Writes "2026-08-09T14:03:20Z" into buf[WHEN_TEXT_LEN] and returns it.
const char *when_format(int64_t time_s, char *buf);
