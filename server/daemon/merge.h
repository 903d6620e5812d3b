// Merges measured health and operators' overrides into one state per target, by target number. Keeps its inputs
// resolved to target numbers, so that a change costs only the targets that it affects. One per generation. Main thread,
// except for merge_new().
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "state/override.h"

struct app;
struct merge;
struct target_shares;
struct target_states;
struct view;

// One target's state (enum target_state). First row that applies:
//
//   forced      health       drained   address   state
//   up          any          no        some      0
//   down        any          no        some      DOWN
//   auto        up           no        some      0
//   auto        down         no        some      DOWN
//   any         any          yes       some      the above, and DRAINED
//   any         any          any       none      the above, and EMPTY
//
// Health is what is believed of it (health/judge.h).
uint8_t merge_state(enum force_to forced, bool up, bool drained, bool empty);

// Starts with every target up, with addresses, and no override. `view` must outlive it. NULL: out of memory.
struct merge *merge_new(const struct view *view) MUST_USE;
// A merge of the same view with all that this one knows. NULL: out of memory.
struct merge *merge_copy(const struct merge *merge) MUST_USE;
// Takes NULL; returns NULL.
struct merge *merge_free(struct merge *merge);
const struct view *merge_view(const struct merge *merge);

void merge_set_health(struct merge *merge, uint32_t target, bool up);
// Whether it has no address at all.
void merge_set_empty(struct merge *merge, uint32_t target, bool empty);
// Whether a drain of a selector of sites has taken all clients from it.
void merge_set_selected(struct merge *merge, uint32_t target, bool drained);
// Whether anything has: instead of all drains that are known of the target.
void merge_set_drained(struct merge *merge, uint32_t target, bool drained);
// No drain leaves a part of these targets any more; as merge_set_share() with all, of MERGE_STAYING, of each.
void merge_end_parts(struct merge *merge, const uint32_t *targets, uint32_t count);
// Drains have taken all clients of these targets: as merge_set_drained() and merge_end_parts().
void merge_drain_all(struct merge *merge, const uint32_t *targets, uint32_t count);
// An override, of one site or target, holds or, with `holds` false, no longer does. One whose names the view does not have in exactly this
// spelling affects no target; so no two of one kind affect the same target.
void merge_set_override(struct merge *merge, const struct override *override, bool holds);

// Why a target takes a part of its clients only: it is on its way out or in by an operator's order; it has recovered, and is
// eased in; it is above its ceiling, and the excess spills. For TARGET_EASED the less of the last two counts.
enum merge_share { MERGE_STAYING, MERGE_EASED, MERGE_SPILLING, MERGE_SHARES };

// Which part of its clients, of SHARE_ALL (view/live.h); SHARE_ALL: all, the end of that. E_NOMEM, and nothing has changed;
// never where the target already has a share of one of these kinds.
int merge_set_share(struct merge *merge, uint32_t target, enum merge_share which, uint32_t share) MUST_USE;
// SHARE_ALL where it takes all. Drains and health are not looked at.
uint32_t merge_share(const struct merge *merge, uint32_t target, enum merge_share which);
// Which part of an app's clients are steered (adopts.h), of SHARE_ALL. E_NOMEM, and nothing has changed; never where less than all
// are already.
int merge_set_steered(struct merge *merge, const struct app *app, uint32_t share) MUST_USE;
uint32_t merge_steered(const struct merge *merge, const struct app *app);
// What is to be published of the shares; the caller's, NULL where no target has one. E_NOMEM.
int merge_shares(const struct merge *merge, struct target_shares **ret_shares) MUST_USE;

uint8_t merge_state_of(const struct merge *merge, uint32_t target);
bool merge_drained(const struct merge *merge, uint32_t target);
bool merge_forced(const struct merge *merge, uint32_t target);
// A copy of all states, to be published; owned by the caller. NULL: out of memory.
struct target_states *merge_states(const struct merge *merge) MUST_USE;
// The same into `states`, made for as many targets.
void merge_copy_states(const struct merge *merge, struct target_states *states);
