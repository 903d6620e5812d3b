// The TTL ahead of a drain that starts later, and during one over a time: what it will take away is answered with a short
// TTL, so that the drain's end comes soon after its start. It is a part of the targets' answers (view/answers.h), so a
// query pays nothing for it. Main thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct override;
struct state;
struct view;

// A drain of more targets than LEAD_TARGETS_MAX has no lead, as it would hold up the main loop: its end comes a TTL after its
// start.
enum { LEAD_TTL_S = 5, LEAD_TARGETS_MAX = 50000 };

struct lead;

// NULL: out of memory.
struct lead *lead_new(void) MUST_USE;
// Takes NULL; returns NULL.
struct lead *lead_free(struct lead *lead);
// Whether the drain's targets are to have the short TTL now. `lead_s`: so long before its start; 0: two of their TTLs.
bool lead_is_due(const struct view *view, const struct override *drain, unsigned lead_s, int64_t wall_s);
// Gives and takes the short TTL as the drains that hold say now. Calls `lowered` for each site whose answers had a longer
// TTL until now, with the longest of these. False: out of memory, to be called again.
bool lead_apply(struct lead *lead, const struct view *view, const struct state *state, unsigned lead_s,
                void (*lowered)(void *ctx, const char *site, uint32_t ttl_s), void *ctx);
