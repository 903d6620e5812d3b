// Which answer a client would get and why, step by step, from the functions that answer queries. For
// `edgesteerctl explain`. Main thread; allocates.
#pragma once

#include <jansson.h>

#include "base/addr.h"
#include "base/attr.h"

struct health;
struct judge;
struct learner;
struct live;
struct state;

// A JSON object, owned by the caller, with: "name", "client", "app"; "place" {carrier, class, latitude, longitude,
// accuracy_km, hint, hints [best first], and the source of each}; "candidates" [{site, kind, region, reachable, basis, km, ms, state,
// weight, and where more than its health is behind the state: forced ("up", "down"), drained (the drain), unready (true:
// it is down as its provider says)}] in order; "decision" {outcome, site, addresses, cname, hashed, probed (the addresses
// that are probed for it, each with its state)}; "scope", "ttl"; "steps": lines for people. Where CNAMEs lead through
// several apps, all but "steps" describe the last one. A name that leads to no app gives {"error": "...", "steps":
// [...]} and no fields of an app. NULL: out of memory.
// Where something is learned of the client's prefix also "learned" {prefix, block, sites, carrier, class, source, age_s,
// confidence, reach (the carrier whose sites are in reach), table (the site that would be answered without it)}.
// `learner` NULL: where that is from is left out. `health` NULL, or not of this view: the addresses' states are left out.
json_t *explain_query(const struct live *live, const struct state *state, const struct health *health, struct judge *judge,
                      struct learner *learner, const char *name, const struct prefix *client) MUST_USE;
