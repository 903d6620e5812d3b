// What a change would mean for the recent traffic, as JSON; for plans and reloads.
#pragma once

#include <jansson.h>

#include "base/attr.h"

struct effect;
struct sample_set;
struct view;

enum { EFFECT_MOVES_SHOWN = 100 };

// {"seconds", "samples", "queries", "clients", "ms_before", "ms_after", "moved", "lost", "found", "gone" (queries), "lost_clients",
// "moves": [{"from", "to" (null: no target), "queries", "clients", "ms_before", "ms_after" (estimated round trip; null: not
// known), "examples" (clients)}] the heaviest first, "moves_left_out", "sites": [{"site", "before", "after" (queries a second,
// by the rate of now)}], "lost_apps", with plain records that some cannot reach "beyond" (queries) and "beyond_clients"}.
// `before` and `after`
// are the views that were compared. Owned by the caller; NULL: out of memory. Any thread.
json_t *effect_json(const struct effect *effect, const struct sample_set *samples, const struct view *before,
                    const struct view *after) MUST_USE;
