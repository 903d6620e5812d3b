// Whom an override leaves without a target, or with none that is up: its warnings.
#pragma once

#include <jansson.h>

#include "base/attr.h"

struct live;

enum { IMPACT_MAX = 100 };

// A group of an app's clients is those of one of its carriers, who can reach its public targets and that carrier's, or
// everybody else, who can reach its public targets only and is no group where it has none. By what a group can reach:
//
//   one is neither drained nor down    nothing is said
//   all are drained                    no target is left
//   all are drained or down, one is    every target left is down: a warning, no more, as they are answered all the same
//   not drained                        (fail open)
//
// One line for each app with a target at `site` (of app number `app` only, -1: of every app) and each lack, with the
// groups that have it; of what is down only where a target at the site is one that such a group can reach. A list, empty
// when there is nothing to say; NULL without memory. Where health is not known yet nothing counts as down.
json_t *impact_by_drain(const struct live *live, int site, int app) MUST_USE;
// After a target has been taken for down: the lines of what is down.
json_t *impact_by_down(const struct live *live, int site, int app) MUST_USE;
