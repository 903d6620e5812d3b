// The generation in use: its config, its view, and the targets' states that follow from health and overrides. Published
// from the moment that serving starts. Owned by the daemon; main thread only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct caches;
struct config;
struct generation;
struct health;
struct live;
struct merge;
struct override;
struct serving;
struct state;
struct view;

// Takes ownership of a generation in every case, and the merge out of its handover. NULL: out of memory; the handover
// is then freed too.
struct serving *serving_new(struct generation *first) MUST_USE;
// Withdraws what is published. Workers must have been stopped. Takes NULL; returns NULL.
struct serving *serving_free(struct serving *serving);

// Replaces the generation in use by `next`, taking ownership of it and its handover: `health` gets the next watchlist,
// overrides are resolved to the new view, which is published at once if serving has started. E_NOMEM: nothing has
// changed, and `next` is still the caller's.
int serving_take(struct serving *serving, struct generation *next, struct health *health, struct state *state) MUST_USE;
// Publishes the first generation with the health known so far. Once. E_NOMEM.
int serving_start(struct serving *serving, const struct health *health) MUST_USE;
bool serving_started(const struct serving *serving);

// A target's health, or an override (`old` NULL: new, `next` NULL: removed), has changed; takes effect with the next
// serving_publish().
void serving_set_health(struct serving *serving, uint32_t target, bool up);
void serving_set_override(struct serving *serving, const struct override *old, const struct override *next,
                          int64_t now_s);
// Publishes these changes, if serving has started. Out of memory is logged, and the previous states stay published.
void serving_publish(struct serving *serving);

struct config *serving_config(const struct serving *serving);
const struct view *serving_view(const struct serving *serving);
// The published live part or, before serving has started, a preview in which every target whose health is unknown is
// up. NULL: out of memory. Valid until control returns to the event loop.
const struct live *serving_live(struct serving *serving);
// What caches may still hold of earlier generations.
const struct caches *serving_caches(const struct serving *serving);
// Forgets the saved health of up to `count` of the targets that the last generation taken does not have. True: of all.
bool serving_forget(struct serving *serving, struct state *state, size_t count);
