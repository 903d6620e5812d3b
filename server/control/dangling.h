// Orders that hold nothing, as a reload took away the app, the site or the target that they name: drains and forces
// are kept by name, so they go on, unseen, until the name comes back. For the verbs that show orders, and for the
// daemon's reloads.
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "state/table.h"

struct report;
struct state;
struct view;

// What some orders name and where the view has it. Borrows the state's texts: valid until an order is given.
struct dangling {
	const struct view *view;
	struct table named; // (app, "") or ("", site) -> 1 + the number in the view; 0: not there
};

// Looks up drains `from` … and forces `from` …, at most `count` of each. E_NOMEM.
int dangling_look(const struct state *state, size_t from, size_t count, const struct view *view,
                struct dangling *ret_vacant) MUST_USE;
void dangling_done(struct dangling *vacant);
// NULL: an order for this app (NULL: the whole site) and site, one of those looked up, holds something; else why not:
// "no such app".
const char *dangling_why(const struct dangling *vacant, const char *app, const char *site) PURE;

// Warns of each order that holds nothing in the view.
void dangling_warn(const struct state *state, const struct view *view, struct report *report);
