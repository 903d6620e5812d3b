// What was observed: measured round trips, by prefix and site, until they are enough to be believed. Owned and called by
// the learner; reads no clock and waits for nothing.
//
// For each prefix and site the latest seven samples of up to five hosts are kept, none older than `window`: old ones decay
// by leaving. **One vote per host**: a host's vote is the median of its samples, and the round trip is the median of the
// votes; of an even number of votes the greater of the two in the middle, so that of two hosts the one that says less (and
// would draw the clients to its site) persuades nobody. So a host that lies must be joined by as many liars as there are
// honest ones. Samples without a host are all the vote of one; where one sample of a prefix names its host, of whatever site,
// those that do not count for nothing there: whoever leaves the name out would otherwise be one host more, or alone need no
// other to agree.
//
// Bounded: so many pairs of a prefix and a site, OBSERVED_PAIR_BYTES each. Who comes when it is full takes the place of
// about the prefix that was heard of least recently.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"

enum {
	OBSERVED_SAMPLES = 7,      // of a host
	OBSERVED_HOSTS = 5,        // of a prefix and site; a further one takes the place of the one that was heard least recently
	OBSERVED_SITES = 16,       // of a prefix; likewise
	OBSERVED_MAX = 1 << 20,    // pairs of a prefix and a site
	OBSERVED_PAIR_BYTES = 344, // with the share of its prefix and of the index, at most
};

struct observed_rules {
	unsigned samples;          // that make a round trip believable, 1..OBSERVED_SAMPLES
	unsigned hosts;            // that they are from, if any sample of the prefix says who it is, 1..OBSERVED_HOSTS
	int64_t window_s;          // at most 30 days
	uint32_t max;              // pairs, 1..OBSERVED_MAX
};

// The round trip from a prefix to a site.
struct measure {
	uint16_t site;             // as told to observed_add()
	uint16_t samples, hosts;   // that it is from
	bool is_enough;            // by the rules
	uint32_t us;
};

struct observed;

// `rules` is copied. NULL when out of memory.
struct observed *observed_new(const struct observed_rules *rules) MUST_USE;
// Takes NULL; returns NULL.
struct observed *observed_free(struct observed *observed);

// A sample: `host` (0: not stated) has measured `us` microseconds from a client of the prefix to the site. All prefixes of
// a family have one length. E_NOMEM.
int observed_add(struct observed *observed, const struct prefix *prefix, uint16_t site, uint32_t host, uint32_t us,
                 int64_t now_s) MUST_USE;
// What is known of a prefix, in no order; returns how many.
unsigned observed_measures(const struct observed *observed, const struct prefix *prefix, int64_t now_s,
                           struct measure ret_measures[OBSERVED_SITES]);
// Time passes: forgets what is older than `window`, a part of all in each call; all within a minute if called every second.
void observed_tick(struct observed *observed, int64_t now_s);

size_t observed_prefixes(const struct observed *observed);
size_t observed_pairs(const struct observed *observed);
// Prefixes that had to go for others.
uint64_t observed_evicted(const struct observed *observed);
// Memory used, octets.
size_t observed_bytes(const struct observed *observed);
