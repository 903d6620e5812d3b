// The verb force: a target counts as up or down whatever its probes find.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/attr.h"

struct call;
struct control_ops;
struct override;

// Answers the call later, from the loop, or at once when it is refused.
void force_put(const struct call *call);
// What the call would force; FORCE_AUTO: what it would take back. Its texts are the call's and the view's. False: it is
// refused, and *ret_refusal is the reply (NULL: out of memory).
bool force_read(const struct call *call, struct override *force, json_t **ret_refusal);
// The reply where nothing is forced. NULL: out of memory.
json_t *force_nothing(const struct control_ops *ops, const struct override *force) MUST_USE;
