// The verbs reload, which builds a new generation and takes it into use, rollback, which takes the one before into use again, and
// learned forget.
#pragma once

#include <jansson.h>

#include "base/attr.h"

struct call;

// Answers the call when the reload has finished or failed.
void reconfigure_reload(const struct call *call);
// The same for what was served before the last reload.
void reconfigure_rollback(const struct call *call);
// Forgets a learned prefix, or all of them. The reply, owned by the caller; NULL: out of memory.
json_t *reconfigure_forget(const struct call *call) MUST_USE;
