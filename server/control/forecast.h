// What a change of overrides would mean, before it is made: for the recent traffic, and whether it may be made at all
// (safety.h). The work is done on the background thread; what is published may be replaced meanwhile, and then it is
// begun again. Main thread.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/attr.h"
#include "control/ops.h"

enum { FORECAST_SAMPLES_FEW = 1000 }; // with fewer, shares are off by points

// {"effect": see effect_json.h, and "few" (true: there are fewer samples than FORECAST_SAMPLES_FEW); null: nobody has
// asked, or nothing that an order would be refused for depends on it}, and what safety_judge() adds. `is_order`: it is
// waited for, so nothing is looked at that it cannot be refused for. done(ctx, forecast) is called exactly once, later
// or at once; NULL: out of memory. The forecast is the callee's.
void forecast_begin(const struct control_ops *ops, const struct control_change *change, bool is_order,
                    void (*done)(void *ctx, json_t *forecast), void *ctx);
// The same as of an order, of a drain that holds already: with it and without it.
void forecast_begin_of_begun(const struct control_ops *ops, const struct override *drain,
                             void (*done)(void *ctx, json_t *forecast), void *ctx);
// The lines of "refusals" as one text, with "; " between, each "it ..."; the caller's to free. NULL: there are none, or
// out of memory.
char *forecast_refusal(const json_t *forecast) MUST_USE;
