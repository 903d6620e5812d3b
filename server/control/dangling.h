// Overrides that concern nothing, as a reload took away the app, the site or the target that they name: they are kept by
// name, so they go on, unseen, until the name comes back. For the verbs that show overrides, and for the daemon's reloads.
#pragma once

#include "base/attr.h"

struct override;
struct report;
struct state;
struct view;

// NULL: the override concerns something in the view; else why it does not: "no such app".
const char *dangling_why(const struct view *view, const struct override *override) PURE;

// Warns of each override that concerns nothing in the view.
void dangling_warn(const struct state *state, const struct view *view, struct report *report);
