// The verbs of health: what vantages report, and the brake; see show.h.
#pragma once

#include <jansson.h>

struct call;
struct judge;

enum { REPORT_BATCH_MAX = 1000 };

// "health": {"vantage", "carrier"?, "ttl"?, "observed_at"?, "reports": [{"app", "site", "up", "observed_at"?}, …]}. Replies
// with how many were "taken", were "stale", or name nothing that is there ("unknown"), and with the first of these.
json_t *reports_batch(const struct call *call);
// "report": the same for one target, with "app", "site" and "to" ("up", "down"): refused unless it was taken.
json_t *reports_one(const struct call *call);
// "vantages": {"vantages": [{name, carrier, who, up, down, reports, stale, heard, skew_s}], "brakes": [{what, held, since}]}.
json_t *reports_vantages(const struct call *call);
// "brake release": ends what the brake holds.
json_t *reports_brake_release(const struct call *call);
// What the brake holds, as "brakes" above; NULL: out of memory.
json_t *reports_brakes(const struct judge *judge);
