// The warnings about an override: which clients it leaves without a target, or without one that is up.
#pragma once

#include <jansson.h>

#include "base/attr.h"

struct live;

enum { IMPACT_MAX = 100 };

// An app's clients form groups: the clients of each of its carriers, who can reach its public targets and that
// carrier's, and all other clients, who can reach its public targets only (no group where it has none). By the targets
// that a group can reach:
//
//   one is neither drained nor down    no warning
//   all are drained                    no target is left: they get the app's last resort or, without one, SERVFAIL
//   all are drained or down, and one   every target left is down; a warning only, as they are still answered
//   is not drained                     (fail-open)
//
// One line per app with a target at `site` (of app number `app` only; -1: of every app) and kind of warning, naming the
// groups; "every target left is down" only if such a group can reach a target at the site. Returns a list, owned by the
// caller, empty without warnings; NULL: out of memory. While health is not known yet, nothing counts as down.
json_t *impact_by_drain(const struct live *live, int site, int app) MUST_USE;
// After a target has been forced down: only the lines about targets that are down.
json_t *impact_by_down(const struct live *live, int site, int app) MUST_USE;
