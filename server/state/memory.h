// The last measured health by (app, site), and its JSON; for state.c. Owns its names.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "state/table.h"

struct view;

// Zero-initialised is a valid, empty one.
struct memory {
	struct table up; // value: what was probed, and in the lowest bit whether it is up
};

void memory_done(struct memory *memory);
// Whether something changed. E_LIMIT past STATE_HEALTH_MAX, E_NOMEM.
int memory_set(struct memory *memory, const char *app, const char *site, uint32_t probed, bool up,
               bool *ret_changed) MUST_USE;
// 1, 0, -1: not known, or something else was probed.
int memory_get(const struct memory *memory, const char *app, const char *site, uint32_t probed) PURE;
// Forgets what the view does not have. E_NOMEM, then nothing is forgotten.
int memory_retain(struct memory *memory, const struct view *view, bool *ret_changed) MUST_USE;

// {"version": 1, "saved": SECONDS, "health": {APP: {SITE: {"up": true, "probed": NUMBER}, …}, …}}: what was so at the wall clock's `now_s`. NULL
// without memory.
json_t *memory_to_json(const struct memory *memory, int64_t now_s) MUST_USE;
// The "saved" of it; 0: it does not say.
int64_t memory_saved_s(const json_t *root) MUST_USE;
// E_INVAL when it is not that; E_LIMIT, E_NOMEM.
int memory_from_json(const json_t *root, struct memory *ret_memory) MUST_USE;
