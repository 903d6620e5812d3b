// Apps and their targets as queries read them. Plain data inside a view: immutable, owned by its arena.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "steer/steer.h"
#include "zone/zone.h"

// An app's load balancer at one site.
struct target {
	const struct app *app;
	const struct rrset *a;      // NULL: no address of the family, so NODATA (never another site's address)
	const struct rrset *aaaa;
	const struct rrset *cname;  // to a host name; then a and aaaa are NULL
	_Atomic uint64_t *handouts; // its counters, see handouts.h
	uint32_t weight;            // its share of its group; used only where the config gives weights
	uint16_t site;              // index in view->sites
	uint16_t slot;              // its index among the app's targets, in the order of the config
};

_Static_assert(sizeof(struct target) == 48, "a target takes three quarters of a cache line");

struct app {
	const struct steer *steer;  // one of view->steering->of
	const char *name;           // presentation form, without the final dot
	uint32_t ttl_s;
	uint32_t first_target;      // index in view->targets of slot 0
	uint16_t target_count;
	bool any_cname;             // some target answers with a CNAME: then every type is steered
	enum last_resort last_resort;
	const struct rrset *last_a, *last_aaaa; // for LAST_RESORT_ADDRESSES; either may be NULL
	const struct rrset *negative_soa; // for a NODATA decided by steering: cached no longer than the app's answers
};
