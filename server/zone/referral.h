// Compiles a delegation into the referral that answers at and below it. Called by freeze.c, for each delegation.
#pragma once

#include "base/attr.h"
#include "zone/draft.h"

struct arena;
struct referral;
struct zone_referral_maker;

// A maker has room for the largest referral, and serves any number of them, one after another. NULL when out of memory.
struct zone_referral_maker *zone_referral_maker_new(void) MUST_USE;
// Takes NULL; returns NULL.
struct zone_referral_maker *zone_referral_maker_free(struct zone_referral_maker *maker);

// Compiles the delegation at `cut` of a draft that zone_validate() found valid; *ret_referral is in `arena`. E_NOMEM.
int zone_referral_compile(struct zone_referral_maker *maker, struct arena *arena, const struct zone_builder *builder,
                          const struct draft_name *cut, const struct referral **ret_referral) MUST_USE;
