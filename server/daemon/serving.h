// The generation in use: its config, its view and what health and overrides come to in it. Published as soon as serving
// begins; before that it is what will be. Owned by the daemon; main thread only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct config;
struct generation;
struct health;
struct ledger;
struct live;
struct merge;
struct override;
struct serving;
struct state;
struct view;

// Takes a generation with its handover (ownership passes in every case). NULL without memory.
struct serving *serving_new(struct generation *first) MUST_USE;
// Withdraws what is published. Workers were stopped before. Takes NULL; returns NULL.
struct serving *serving_free(struct serving *serving);

// Takes the place of the generation in use by `next` with its handover: health (of the same targets) takes the next list,
// overrides are resolved anew, and what is served goes over to it at once. E_NOMEM: nothing has changed.
int serving_take(struct serving *serving, struct generation *next, struct health *health, struct state *state) MUST_USE;
// Begins to serve. E_NOMEM.
int serving_begin(struct serving *serving, const struct health *health) MUST_USE;
bool serving_begun(const struct serving *serving);

// A target's health, or an override, is another one now; published by the next serving_publish().
void serving_set_health(struct serving *serving, uint32_t target, bool up);
void serving_set_override(struct serving *serving, const struct override *old, const struct override *next,
                          int64_t now_s);
// Publishes what has changed, once serving has begun. Without memory that is logged, and what was served goes on.
void serving_publish(struct serving *serving);

const struct config *serving_config(const struct serving *serving);
const struct view *serving_view(const struct serving *serving);
// What is published or, before anything is, what would be if every target whose health is not known yet were up. NULL
// without memory. Valid until the loop turns.
const struct live *serving_live(struct serving *serving);
// What caches may still have of earlier generations, in seconds of serving_now_s().
const struct ledger *serving_ledger(const struct serving *serving);
// A clock that never steps.
int64_t serving_now_s(void);
