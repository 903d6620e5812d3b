// Apps and their targets as queries read them. Plain data inside a view: owned by its arena and immutable, but for each
// target's answers.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "steer/steer.h"
#include "zone/zone.h"

struct answers;

// An app's load balancer at one site.
struct target {
	const struct app *app;
	_Atomic(const struct answers *) answers; // see answers.h; replaced while the view is served
	_Atomic uint64_t *handouts; // its counters, see handouts.h
	uint32_t weight;            // its share of its group; used only where the config gives weights
	uint16_t site;              // index in view->sites
	uint16_t slot;              // its index among the app's targets, in the order of the config
};

_Static_assert(sizeof(struct target) == 32, "a target takes half a cache line");

struct app {
	const struct steer *steer;  // one of view->steering->of
	const char *name;           // presentation form, without the final dot
	uint32_t ttl_s;
	uint32_t first_target;      // index in view->targets of slot 0
	uint16_t target_count;
	bool any_cname;             // some target answers with a CNAME: then every type is steered
	enum last_resort last_resort;
	const struct answers *last; // for LAST_RESORT_ADDRESSES
	const struct rrset *negative_soa; // for a NODATA decided by steering: cached no longer than the app's answers
};
