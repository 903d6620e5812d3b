// What one client would be answered and why, step by step, from the functions that answer queries. For
// `edgesteerctl explain`. Slow side: allocates.
#pragma once

#include <jansson.h>

#include "base/addr.h"
#include "base/attr.h"

struct live;

// A JSON object (the caller's) with: "name", "client", "app"; "place" {carrier, class, latitude, longitude,
// accuracy_km, hint and who gave each}; "candidates" [{site, kind, region, reachable, basis, km, ms, state, weight}] in
// order; "decision" {outcome, site, addresses, cname, hashed}; "scope", "ttl"; "steps": lines for people. Where CNAMEs
// lead through several apps these are of the last, but for "scope", the longest of all; "steps" tell of each. A name that
// leads to no app gives {"error": "...", "steps": [...]} and nothing of an app. NULL without memory.
json_t *explain_query(const struct live *live, const char *name, const struct prefix *client) MUST_USE;
