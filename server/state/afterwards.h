// What is written after an override has been acknowledged: which ones have ended, when caches have forgotten what a
// drain took away, and with which TTL each site was answered. Rows of health.db, a second or so later; without them the
// answers given are cautious ones. For state.c, whose functions say what they are. Main thread only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "state/ended.h"
#include "state/former.h"

struct lastprovided;
struct overrides;

// Zero-initialised is a valid, empty one.
struct afterwards {
	struct ended_list ended;
	struct former former;
	struct lastprovided *last; // borrowed
};

// Reads what was there at the start, also into safe_mono_s of the overrides. E_NOMEM.
int afterwards_open(struct afterwards *afterwards, struct lastprovided *last, struct overrides *overrides,
                    int64_t wall_s, int64_t mono_s) MUST_USE;
void afterwards_done(struct afterwards *afterwards);
void afterwards_ended(struct afterwards *afterwards, const struct override *override, enum ended_how how,
                      const char *ender, const char *by, int64_t now_s);
// An override holds no more: what was known of its caches goes.
void afterwards_gone(struct afterwards *afterwards, const struct override *override);
void afterwards_safe(struct afterwards *afterwards, const struct override *override, int64_t safe_s);
void afterwards_answered(struct afterwards *afterwards, const char *site, uint32_t ttl_s, int64_t now_s);
