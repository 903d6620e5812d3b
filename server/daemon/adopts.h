// Which share of its clients each app steers: an operator's adoption, else the config's `adopt`; in the merge. Main
// thread, but for what is said otherwise.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct config;
struct config_app;
struct merge;
struct override;
struct state;

// The config's alone, of SHARE_ALL. Any thread.
uint32_t adopts_written(const struct config_app *app) PURE;
// Of a generation that comes into use: sets all apps. `state` NULL: no operator has said anything. E_NOMEM: some apps
// steer all of their clients; adopts_step() does not see to those of the config.
int adopts_apply(struct merge *merge, const struct state *state, const struct config *config) MUST_USE;
// An adoption has been given or (`holds` false) taken back: sets its app. E_NOMEM: it steers all of its clients.
int adopts_set(struct merge *merge, const struct config *config, const struct override *adoption, bool holds) MUST_USE;
// Sets the apps whose operator's share is another one than the merge has. 1: there are some, 0: none. E_NOMEM: to be called
// again.
int adopts_step(struct merge *merge, const struct state *state) MUST_USE;
// Whether the adoption moves clients at the moment.
bool adopts_is_moving(const struct override *adoption) PURE;

// What operators say, for another thread.
struct adopts_said;

// NULL: out of memory.
struct adopts_said *adopts_copy(const struct state *state) MUST_USE;
// Takes NULL; returns NULL.
struct adopts_said *adopts_free(struct adopts_said *said);
// The share of the app, of SHARE_ALL. `said` NULL: the config's. Any thread.
uint32_t adopts_share(const struct adopts_said *said, const struct config_app *app);
