// Who is left without a target that is not drained: the warnings of a drain.
#pragma once

#include <jansson.h>

#include "base/attr.h"

struct live;

enum { STRANDED_MAX = 100 };

// One line for each app with a target at `site` (of app number `app` only, -1: of every app) that some clients can now
// reach no undrained target of. A list, empty when there is none; NULL without memory. Health plays no part: where all
// that is left is down, it is answered all the same (fail open).
//
//   undrained target    undrained targets          the app's clients with nothing left
//   at a public site    of a carrier's own sites
//   some                any                        none
//   none                none                       all
//   none                some carriers'             all but those carriers', when the app has a public target
//   none                some carriers'             those of the app's other carriers, when it has none
json_t *stranded_list(const struct live *live, int site, int app) MUST_USE;
