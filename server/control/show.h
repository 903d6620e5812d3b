// Verbs that show: what is served, in which state, and why. Each gives the reply (verbs.h).
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "base/attr.h"

struct call;
struct override;

// `apps` shows at most about this many targets in one reply, `status` so many overrides; the reply's
// "next" is the "from" of the next one. The parts are of one whole where "generation" of `apps`, or "overrides_revision" of
// `status`, is the same in all of them.
enum { SHOW_TARGETS_MAX = 2000, SHOW_OVERRIDES_MAX = 2000 };

json_t *show_status(const struct call *call) MUST_USE;
json_t *show_sites(const struct call *call) MUST_USE;
json_t *show_apps(const struct call *call) MUST_USE;
json_t *show_explain(const struct call *call) MUST_USE;
json_t *show_stats(const struct call *call) MUST_USE;
json_t *show_version(const struct call *call) MUST_USE;

// Who drained, when, why and until when; null for NULL.
json_t *show_drain(const struct override *drain) MUST_USE;
