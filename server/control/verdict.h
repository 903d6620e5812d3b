// `check`: whether all is well, in one word and one line, for monitoring.
#pragma once

#include <jansson.h>

#include "base/attr.h"

struct call;

// The reply, owned by the caller; NULL: out of memory. Main thread.
json_t *verdict_check(const struct call *call) MUST_USE;
