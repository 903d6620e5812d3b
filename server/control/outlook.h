// A drain looked at for all of the time that it holds: when it begins, and then at each time at which another drain that has
// been ordered begins, as these two may be safe only one at a time. Main thread.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "control/ops.h"

enum { OUTLOOK_TIMES_MAX = 32 }; // of other drains, the first ones

// As forecast_begin() for the drain, from its beginning; without refusals by then, "refusals", "nothing", "nothing_more",
// "ceilings" and "carriers" are those of the first time to come that has some, and "later" tells which:
// {"time", "site", "app" (null: every app)} of the drain that begins. "warnings" also tells of times that were not looked at.
void outlook_begin(const struct control_ops *ops, const struct override *drain, bool is_order,
                   void (*done)(void *ctx, json_t *forecast), void *ctx);
