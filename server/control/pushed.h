// Ceilings, and the figures of load that are pushed for them.
#pragma once

#include <jansson.h>

#include "base/attr.h"

struct call;
struct control_ops;

// load: a figure for a site or a target that has a `load-ceiling`. Main thread.
json_t *pushed_load(const struct call *call) MUST_USE;
// Takes the object of a site (`app` NULL) or a target, and adds what ceilings it has: "ceiling", "rate" and "share" of answers,
// "load_ceiling", "load" (null: none counts), "load_age_s" and "load_share" of the load.
json_t *pushed_set_ceilings(const struct control_ops *ops, const char *app, const char *site, json_t *object) MUST_USE;
