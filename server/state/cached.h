// What caches may still hold of configurations that are served no more: a target whose TTL a reload lowered, or that it
// took away, lingers for the TTL it had. For state.c. Owns its names. In memory only.
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "state/table.h"

struct view;

// Zero-initialised is a valid, empty one.
struct cached {
	struct table until; // value: seconds on the caller's clock
};

void cached_done(struct cached *cached);
// The view `next` is about to replace `old`. `now_s`: of a clock that never steps. Forgets what has run out. E_NOMEM,
// then nothing has changed.
int cached_reload(struct cached *cached, const struct view *old, const struct view *next, int64_t now_s) MUST_USE;
// How long from now an answer of an earlier view with a target at the site may be cached, in seconds; 0: none can be.
// `app` NULL: of any app.
int64_t cached_left_s(const struct cached *cached, const char *app, const char *site, int64_t now_s) PURE;
