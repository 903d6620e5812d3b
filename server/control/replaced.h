// The drain that another takes the place of: of the same words there is one at a time, scheduled ones too.
#pragma once

#include <jansson.h>

#include "base/attr.h"

struct override;
struct state;

// The one whose place the drain takes if it is given now; the state's. NULL: none, or one that has expired.
const struct override *replaced_by(const struct state *state, const struct override *drain);
// Appends a warning to the list, which it takes, if `old`, which may be NULL, would have drained at times at which the new
// one does not. Returns the list; NULL: out of memory.
json_t *replaced_warn(json_t *warnings, const struct override *drain, const struct override *old) MUST_USE;
