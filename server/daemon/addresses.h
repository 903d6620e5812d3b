// What a target is answered with, from its addresses and their health: those that are up, or all when none is, as then
// fail-open may serve them. A target that stands or falls as a whole always has all. Main thread only.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"

struct health;
struct merge;
struct view;

// Composes a target's answer anew, after the health of one of its addresses has changed. E_NOMEM: it stays as it was.
int addresses_compose(const struct view *view, const struct health *health, uint32_t number) MUST_USE;
// The same for every target, after E_NOMEM.
int addresses_compose_all(const struct view *view, const struct health *health) MUST_USE;

// From now on the target is answered with a TTL of at most cap_s; 0: with its own. E_NOMEM: nothing has changed.
int addresses_cap(const struct view *view, uint32_t number, uint32_t cap_s) MUST_USE;

// Sets the addresses of a target to which the config gives none, up to CONFIG_ADDRESSES_MAX, each once; they are probed
// where the target has a check and no check addresses. None: it has the state EMPTY. `merge` learns of that.
// E_NOMEM: call it again.
int addresses_set(const struct view *view, struct merge *merge, struct health *health, uint32_t number,
                  const struct addr *list, size_t count, uint32_t ttl_s) MUST_USE;
// For a view that is to be published: takes over by name the addresses that were set in the view before, whose states are
// in `previous_merge`. E_NOMEM: it is not to be published, as targets would be without any.
int addresses_carry(const struct view *view, const struct view *previous, const struct merge *previous_merge) MUST_USE;
// Then, with its own health: says in `merge` which targets have none, and composes what differs from the config. E_NOMEM:
// see addresses_compose_all().
int addresses_prepare(const struct view *view, struct merge *merge, const struct health *health) MUST_USE;
