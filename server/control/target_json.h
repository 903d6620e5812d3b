// A target's addresses and their health in JSON, for the verbs that show them. NULL: out of memory.
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/attr.h"

struct addr;
struct health;
struct judge;
struct health_target;
struct live;
struct provide;
struct state;

// Adds "state" of a target of live->view, "share" (which part of its clients it takes, where not all), and what is behind it
// besides its own health: "forced" ("up", "down"), or else "unready" (true, its provider says that it is down), "held" (true, by
// the brake), "panic" (true, of its app), "damped_for_s" and "penalty", "slow_start" (percent), and "vantages", as
// target_json_vantages(); takes ownership of the object. `judge` NULL: not known.
json_t *target_json_state(json_t *object, const struct live *live, const struct state *state, struct judge *judge,
                          uint32_t number) MUST_USE;
// [{vantage, carrier, who, up, age_s, fresh_for_s}]: what vantages elsewhere say of a target.
json_t *target_json_vantages(struct judge *judge, uint32_t number) MUST_USE;
// Adds what is known of an address that is probed, or of a target, to an object; takes ownership of it.
json_t *target_json_shown(json_t *object, const struct health_target *shown) MUST_USE;
// [{address, up, layer, text, …}]: the addresses that are probed for a target of live->view.
json_t *target_json_probed(const struct health *health, uint32_t number) MUST_USE;
// The target's own addresses, whether they are answered now or not: how many, in list[CONFIG_ADDRESSES_MAX]; as JSON.
size_t target_json_list(const struct live *live, const struct health *health, uint32_t number, struct addr *list);
json_t *target_json_addresses(const struct live *live, const struct health *health, uint32_t number) MUST_USE;
// What the provider of an app's target at a site says of the servers behind it: "ready", "unready", or null.
json_t *target_json_ready(const struct provide *provide, const char *app, const char *site) MUST_USE;
