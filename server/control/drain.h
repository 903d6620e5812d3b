// The verb drain, for a site, a selector of sites, or an app's targets there. It is looked at first what it would do
// (forecast.h): what is not safe is refused, but with "force", which its row then tells. A change is durable and published
// before it is acknowledged; with "volatile", where it cannot be durable, published alone.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/attr.h"

struct call;
struct override;

// Answers the call later, from the loop, or at once when it is refused.
void drain_put(const struct call *call);
// What the call would give, into *drain, with its site or selector in sites[STATE_TEXT_MAX + 1]; its other texts are the
// call's and the view's. False: it is refused before it is looked at, and *ret_refusal is the reply (NULL: out of memory).
bool drain_read(const struct call *call, char *sites, struct override *drain, json_t **ret_refusal);
// The refusal of what is not safe, "what: why", with what the forecast has found. NULL: out of memory.
json_t *drain_refusal(const char *what, const char *why, const json_t *forecast) MUST_USE;
