// The merge of what is measured and what operators want into one state a target, by target number. Holds what it was told,
// resolved to numbers once, so that a change costs the targets that it concerns. One for each generation. Main thread, but
// for merge_new().
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "state/override.h"

struct merge;
struct target_states;
struct view;

// One target's state (enum target_state). First row that applies:
//
//   forced      health       drained     state
//   up          any          no          0
//   down        any          no          DOWN
//   auto        up or none   no          0
//   auto        down         no          DOWN
//   any         any          yes         the above, and DRAINED
uint8_t merge_state(enum force_to forced, bool up, bool drained);

// Every target is up, and no override holds. `view` must outlive it. NULL without memory.
struct merge *merge_new(const struct view *view) MUST_USE;
// Takes NULL; returns NULL.
struct merge *merge_free(struct merge *merge);
const struct view *merge_view(const struct merge *merge);

// What is measured of a target now.
void merge_set_health(struct merge *merge, uint32_t target, bool up);
// An override holds, or (not `holds`) does no longer. One that names what the view does not have, or has in other
// letters' case, concerns no target: no two of one kind concern the same one.
void merge_set_override(struct merge *merge, const struct override *override, bool holds);

uint8_t merge_state_of(const struct merge *merge, uint32_t target);
bool merge_drained(const struct merge *merge, uint32_t target);
// All states as they are now, to be published; the caller's. NULL without memory.
struct target_states *merge_states(const struct merge *merge) MUST_USE;
// The same into a part that was made for the merge's view.
void merge_copy_states(const struct merge *merge, struct target_states *states);
