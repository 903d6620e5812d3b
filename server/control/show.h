// Verbs that show: what is served, in which state, and why. Each gives the reply (verbs.h).
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "base/attr.h"

struct drain;
struct verbs_call;

// `apps` shows at most about this many targets in one reply; its "next" is the "from" of the next one.
enum { SHOW_TARGETS_MAX = 2000, SHOW_ORDERS_MAX = 1000 };

json_t *show_status(const struct verbs_call *call) MUST_USE;
json_t *show_sites(const struct verbs_call *call) MUST_USE;
json_t *show_apps(const struct verbs_call *call) MUST_USE;
json_t *show_explain(const struct verbs_call *call) MUST_USE;
json_t *show_stats(const struct verbs_call *call) MUST_USE;
json_t *show_version(const struct verbs_call *call) MUST_USE;

// Who drained, when, why and until when; null for NULL.
json_t *show_drain(const struct drain *drain) MUST_USE;
