// What the learner shows of itself, to the operator. Main thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "learn/book.h"
#include "learn/breaker.h"
#include "learn/crowd.h"
#include "learn/informant.h"
#include "learn/hopper.h"
#include "learn/observed.h"

struct learner;

struct shown_service {
	const char *label, *plugin;
	unsigned rate, concurrency, busy;
	enum breaker_state breaker;
	int64_t open_for_ms;         // BREAKER_OPEN
	struct informant_totals totals;
	uint64_t unmatched;
	unsigned names;              // that it has made up
	char error[INFORMANT_TEXT_LEN]; // the last one; "": none
	int64_t error_s;
	bool is_waiting;
};

// Of what is observed.
struct shown_observe {
	bool is_on, has_socket;      // has_socket: it receives by one
	struct hopper_counts hopper;
	uint64_t taken, unknown_sites, out_of_reach, evicted; // evicted: prefixes that had to go for others
	size_t prefixes, pairs, octets;
};

struct shown_status {
	struct informant_totals totals; // of all services since the start, those that are gone too
	struct shown_observe observe;
	struct shown_service services[16];
	size_t service_count;
	size_t entries, waiting, crowd; // waiting: for a move
	size_t octets;                // of entries, the crowd, and what workers see of them
	uint64_t dropped;             // notes, as a ring was full
	uint64_t unbelieved;          // notes of who is not in `notes-from`
	uint64_t short_subnets;       // notes of client subnets that are shorter than what is learned
	uint64_t out_of_reach, unknown_sites;
	uint64_t unnamed;             // findings ignored, as there were too many names, of services or of sites
	struct crowd_counts crowd_counts;
	struct book_counts book_counts;
};

// "closed", "open", "half-open", or "failed": the plugin has stopped by itself.
const char *shown_state(const struct shown_service *service);

// Texts are valid until the next learner_take().
void shown_read(struct learner *learner, struct shown_status *ret_status);

// An entry as it is shown, with times of the wall clock. Texts are copies.
struct shown_entry {
	struct book_entry entry;
	char sites[FINDING_SITES_MAX][NAME_MAX_LEN + 1], carrier[NAME_MAX_LEN + 1], class_[NAME_MAX_LEN + 1];
	char source[NAME_MAX_LEN + 1];
};

// The entry of the prefix that an address is learned by. False: there is none.
bool shown_find(struct learner *learner, const struct addr *addr, struct shown_entry *ret_entry);
// What is measured of the clients of that prefix, in no order; returns how many sites. The names of the sites are copies.
struct shown_measure {
	struct measure measure;
	char site[NAME_MAX_LEN + 1];
};
unsigned shown_measures(struct learner *learner, const struct addr *addr, struct shown_measure ret_measures[OBSERVED_SITES]);

// Which entries are wanted. NULL: any.
struct shown_filter {
	const struct prefix *prefix; // in which they lie, or which lies in them
	const char *site, *source;   // which they have; whom they are from
};

// Some entries in the order of addresses, IPv4 first.
struct shown_page {
	struct prefix after;         // the first ones behind this one, only if `has_after`; set to that of the next page
	bool has_after;
	struct shown_entry *entries; // set, room for `max`
	size_t max, count;           // count: set; entries that go meanwhile are not there, so it may be less than there are
	bool is_last;                // set: there is no next page
};

// Reads a page of the wanted entries that hold something. Any thread. Costs a walk over all, during which others wait for a
// fraction of a millisecond at a time. E_NOMEM.
int shown_page(struct learner *learner, const struct shown_filter *filter, struct shown_page *page) MUST_USE;
// Calls each() for the wanted entries, in no order, for `max` at most; returns how many there are. Others wait meanwhile.
size_t shown_each(struct learner *learner, const struct shown_filter *filter, size_t max,
                  void (*each)(void *ctx, const struct shown_entry *entry), void *ctx);
