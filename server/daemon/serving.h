// The generation in use: its config, its view, and the targets' states that follow from health and overrides. Published
// from the moment that serving starts. Owned by the daemon; main thread only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct addr;
struct aliases;
struct caches;
struct ceilings;
struct config;
struct generation;
struct handover;
struct health;
struct judge;
struct learned;
struct live;
struct merge;
struct override;
struct readiness;
struct samples;
struct serving;
struct state;
struct view;

// Takes ownership of a generation in every case, and the merge out of its handover; there will be up to `workers` of them.
// NULL: out of memory; the handover is then freed too.
struct serving *serving_new(struct generation *first, unsigned workers) MUST_USE;
// Withdraws what is published. Workers must have been stopped. Takes NULL; returns NULL.
struct serving *serving_free(struct serving *serving);

// Replaces the generation in use by `next`, taking ownership of it and its handover: `health` gets the next watchlist,
// overrides, readiness and the names of hosts are resolved to the new view, which is published at once if serving has
// started. E_NOMEM, E_IO: nothing has changed, and `next` is still the caller's.
int serving_take(struct serving *serving, struct generation *next, struct health *health, struct aliases *aliases,
                 const struct readiness *readiness, struct state *state) MUST_USE;
// The checks have begun: from now on `judge`, whose word comes back by serving_judged() and serving_eased(), says what is believed
// of health. `first` is the handover of the first generation. Once.
void serving_begin(struct serving *serving, struct judge *judge, struct handover *first, const struct health *health,
                   const struct readiness *readiness);
// As judge_ops has them.
void serving_judged(struct serving *serving, uint32_t target, bool up);
void serving_eased(struct serving *serving, uint32_t target, uint32_t share);
// Publishes the first generation with the health known so far, and what is learned (NULL: nothing), of which it takes
// ownership in every case. Once. E_NOMEM.
int serving_start(struct serving *serving, const struct health *health, struct learned *learned) MUST_USE;
bool serving_started(const struct serving *serving);

// The health of one of a target's addresses, or an override (`old` NULL: new, `next` NULL: removed), has changed; takes
// effect with the next serving_publish(), what a target is answered with at once.
void serving_set_health(struct serving *serving, const struct health *health, uint32_t target);
// `state` has what holds now.
void serving_set_override(struct serving *serving, const struct state *state, const struct override *old,
                          const struct override *next);
// To be called after these and after state_step(), see impose_step(). True: it is to be published, and to be called again.
bool serving_step_drains(struct serving *serving, const struct state *state);
// Sets the addresses of a target to which the config gives none, see addresses_set(); to be published. E_NOMEM: what was
// there stays; call it again.
int serving_set_addresses(struct serving *serving, struct health *health, uint32_t target, const struct addr *list,
                          size_t count, uint32_t ttl_s) MUST_USE;
// Sets the addresses that are probed for a target whose check address is a name; to be published. E_NOMEM, as above.
int serving_set_probed(struct serving *serving, struct health *health, uint32_t target, const struct addr *list,
                       size_t count) MUST_USE;
// Sets what is known of all names of hosts; to be published. E_NOMEM, as above.
int serving_fill(struct serving *serving, struct aliases *aliases, struct health *health) MUST_USE;
// Whether a provider has a server for its target, which need not be in use; to be published.
void serving_set_ready(struct serving *serving, const char *app, const char *site, bool ready);
// The same where it has said something else, but for which nothing follows yet; to be published.
void serving_judge_again(struct serving *serving, const char *app, const char *site);
// Publishes these changes, if serving has started. False: out of memory, which is logged once. What was published before
// stays, and nothing is lost: call it again.
bool serving_publish(struct serving *serving, const struct health *health);

struct config *serving_config(const struct serving *serving);
// What was answered since the last call is compared with the ceilings. True: shares have changed, to be published.
bool serving_turn_ceilings(struct serving *serving, int64_t now_ms);
// What is known of each target, in numbers of serving_view().
const struct merge *serving_merge(const struct serving *serving);
// See ceilings_load().
int serving_load(struct serving *serving, const char *app, const char *site, double figure, int64_t ttl_ms, int64_t now_ms) MUST_USE;
const struct ceilings *serving_ceilings(const struct serving *serving);
// Of what is answered; filled by whoever calls samples_read().
struct samples *serving_samples(const struct serving *serving);
const struct view *serving_view(const struct serving *serving);
// The published live part or, before serving has started, a preview in which every target whose health is unknown is
// up. NULL: out of memory. Valid until control returns to the event loop.
const struct live *serving_live(struct serving *serving);
// What caches may still hold of earlier generations, for the builder.
const struct caches *serving_caches(const struct serving *serving);
// For how many seconds a cache may still hold an answer of an earlier generation, of the process before, or with a TTL
// that has been lowered since, of those that `is_wanted` (the app "": of any app); 0: none can.
int64_t serving_cached_s(const struct serving *serving,
                         bool (*is_wanted)(const void *ctx, const char *app, const char *site), const void *ctx);
// Answers with the site from before now may be cached for so long.
void serving_note_cached(struct serving *serving, const char *site, int64_t left_s);
// Lowers and restores TTLs for the drains that are to come; see lead.h. False: out of memory, to be called again.
bool serving_lead(struct serving *serving, const struct state *state);
// Forgets the saved health of up to `count` of the targets that the last generation taken does not have. True: of all.
bool serving_forget(struct serving *serving, struct state *state, size_t count);
