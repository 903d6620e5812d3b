// What caches may still hold of earlier generations: a target whose TTL a reload reduced, or that it removed, lingers for
// the TTL that it was answered with. Each generation's is made on the builder's thread from the one before it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "state/ledger.h"

struct caches {
	struct ledger earlier; // until when, by caches_now_s()
	struct ledger latest;  // how long after `replaced_s`
	int64_t replaced_s;    // when the generation before stopped being answered from
};

// A clock that never steps, in seconds.
int64_t caches_now_s(void);

// Nothing is cached. NULL when out of memory.
struct caches *caches_new(void) MUST_USE;
// What `before` (NULL: nothing) holds and has not run out. NULL when out of memory. `before` is only read.
struct caches *caches_next(const struct caches *before) MUST_USE;
// Takes NULL. Any thread.
void caches_free(void *caches);
// A target of the generation that is about to be replaced was answered with this TTL. E_NOMEM, E_LIMIT.
int caches_add(struct caches *caches, const char *app, const char *site, uint32_t ttl_s) MUST_USE;

// Answers with any app's target at the site, from before now, may be cached for `left_s` seconds. E_NOMEM, E_LIMIT.
int caches_add_former(struct caches *caches, const char *site, int64_t left_s) MUST_USE;

// For how many seconds a cache may still hold an answer of those that `is_wanted`; 0: none can. The app "": of any app.
int64_t caches_left_s(const struct caches *caches, bool (*is_wanted)(const void *ctx, const char *app, const char *site),
                      const void *ctx);
