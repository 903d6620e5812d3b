// Measured round trips at the control socket: they come in by the verb `observe`, and are shown by `discovery` and `explain`.
// Main thread.
#pragma once

#include <jansson.h>

#include "base/attr.h"

struct addr;
struct call;
struct learner;
struct shown_observe;

// Takes lines of the request's "lines": how many octets of them were "used" (less than all when there was no room; the rest is
// to be sent again), "lines" that are fine, "bad" ones, and the first of those as "refused", each with its
// "line" and "why". Owned by the caller.
json_t *measured_put(const struct call *call) MUST_USE;
// For `discovery`; null where nothing is observed. Owned by the caller.
json_t *measured_json(const struct shown_observe *observe) MUST_USE;

// For `explain`: what is measured of a client's prefix, as "observed" of `object` and as lines of `steps`; nothing where
// nothing is.
void measured_explain(struct learner *learner, const struct addr *client, json_t *object, json_t *steps);
