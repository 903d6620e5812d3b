// What caches may still have of configurations that are no longer served: a target whose TTL a reload lowered, or that
// it took away, lingers for the TTL it had. In memory only. Owns its names.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "state/table.h"

enum { LEDGER_MAX = 1 << 22 };

// Zero-initialised is a valid, empty one. All times are seconds on one clock of the caller's that never steps.
struct ledger {
	struct table until; // value: when the last cache must have forgotten it
	size_t kept;        // how many were left by the last pruning
};

void ledger_done(struct ledger *ledger);
// Answers with the app's target at the site may be cached until then; the later of two times counts. Now and then
// forgets what ran out by `now_s`. E_NOMEM; E_LIMIT: LEDGER_MAX.
int ledger_add(struct ledger *ledger, const char *app, const char *site, int64_t until_s, int64_t now_s) MUST_USE;
// How long from now on an answer with a target at the site may be cached, in seconds; 0: none can be. `app` NULL: of
// any app.
int64_t ledger_left_s(const struct ledger *ledger, const char *app, const char *site, int64_t now_s) PURE;
// Adds what `from` holds, each time `shift_s` later, unless it has run out by `now_s`. E_NOMEM; E_LIMIT: LEDGER_MAX.
int ledger_add_all(struct ledger *ledger, const struct ledger *from, int64_t shift_s, int64_t now_s) MUST_USE;
// Forgets what has run out.
void ledger_prune(struct ledger *ledger, int64_t now_s);
// The same of all that `is_wanted`; an entry whose app is "" is for every app of the site.
int64_t ledger_left_of(const struct ledger *ledger, bool (*is_wanted)(const void *ctx, const char *app, const char *site),
                       const void *ctx, int64_t now_s);
