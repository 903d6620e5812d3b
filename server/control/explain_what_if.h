// `explain --without`: which answer a client would get if some sites were drained, by the same steps. Main thread;
// allocates.
#pragma once

#include <jansson.h>

#include "base/addr.h"
#include "base/attr.h"

struct call;
struct live;

// As explain_query() gives it, for the sites of the call's "without": names or patterns as a drain takes them, with
// commas between. Adds "without" (the sites) and "today" (what the client is answered with now: a site, or null). NULL
// with a *ret_refusal: they are none; NULL with none: out of memory.
json_t *explain_what_if(const struct call *call, const struct live *live, const struct prefix *client,
                        json_t **ret_refusal) MUST_USE;
