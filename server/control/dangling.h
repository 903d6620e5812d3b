// Overrides without effect because a reload removed the app, the site or the target that they name. Overrides are kept
// by name, so such a one takes effect again when the name returns. For the verbs that show overrides, and for reloads.
#pragma once

#include "base/attr.h"

struct override;
struct report;
struct state;
struct view;

// Why the override has no effect in the view ("no such app"), a static text; NULL: it has one.
const char *dangling_why(const struct view *view, const struct override *override) PURE;

// Adds a warning to the report for each override without effect in the view.
void dangling_warn(const struct state *state, const struct view *view, struct report *report);
