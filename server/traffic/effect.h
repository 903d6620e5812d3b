// Who would be answered differently: the samples decided twice, from two live parts. Both may be of one view, for a plan of an
// operator's, or of two, for a reload. Any thread; where a live part is published, by an online reader.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"

struct live;
struct sample_set;

enum { EFFECT_EXAMPLES = 3, EFFECT_NOWHERE = -1, EFFECT_APPS_MAX = 10 };

// What is known of some of the queries.
struct effect_part {
	uint64_t weight;                 // queries
	uint64_t clients;                // different ones: as they are hashed, see answer/share.h
	double us_sum;                   // of estimated round trips, times weight
	uint64_t us_weight;              // of the queries for which there is an estimate
};

// From one site to another.
struct effect_move {
	int from, to;                    // sites of the view before and after; EFFECT_NOWHERE: no target
	struct effect_part before, after; // the same queries
	size_t example_count;
	struct addr examples[EFFECT_EXAMPLES]; // clients
};

struct effect {
	struct effect_part all, then;    // all queries, as they are answered before and after
	uint64_t moved, lost, found;     // queries: whose site is another; who get a target no more; who get one again
	uint64_t gone;                   // of `moved`, whose target the view after has not got
	struct effect_move *moves;       // the heaviest first
	size_t move_count;
	uint64_t beyond, beyond_clients; // with plain records: queries and clients whose target is out of their reach
	struct effect_part lost_part;    // of those who get a target no more
	uint64_t *before, *after;        // queries by site of each view
	uint64_t *before_at, *after_at;  // queries by target of each view
	uint32_t lost_apps[EFFECT_APPS_MAX]; // numbers in the view before, of some of the apps with clients who get none
	size_t lost_app_count;
};

// The samples are of `before`'s view; those of apps that `after` has not got count as lost. Contents are freed with
// effect_wipe(). E_NOMEM.
int effect_of(const struct sample_set *samples, const struct live *before, const struct live *after,
              struct effect *ret_effect) MUST_USE;
// The same for plain weighted records (plain.h) instead of what `live` answers.
int effect_of_plain(const struct sample_set *samples, const struct live *live, struct effect *ret_effect) MUST_USE;
void effect_wipe(struct effect *effect);
// Mean estimated round trip in milliseconds; NaN: nothing is known.
double effect_ms(const struct effect_part *part);
