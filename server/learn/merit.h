// Whether measured round trips make another order of sites than the prefix table and its estimates: what is learned of a
// prefix by measuring. Owned and called by the learner's thread; reads no clock.
//
// Rivals are what the table alone gives a place's clients: the first site of each set of sites that apps have. A site is
// compared by its measured round trip where that is enough, else, if it is a rival, by the table's estimate; with its bias
// in both cases. `a` beats `b` when `a` is measured and costs less than `b` by `margin`. What costs nobody knows what is
// never beaten: if the table's first is of unknown cost, or hinted, it has to be measured before another takes its place.
// It is, as clients are sent there.
//
// The truth table, for a site of which enough is measured:
//
//   what is held             the site                                              then
//   nothing                  beats the rival of each set that has it               it is listed, and the first such rival last
//   nothing                  else                                                  nothing
//   an order of sites        is one of them                                        moves up past those that it beats
//   an order of sites        is a rival, beats the rivals, or beats the first      it is put last, and moves up likewise
//   an order of sites        else                                                  nothing
//
// So an order stays unless another site is better by `margin`, whatever else is or is no longer measured.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "learn/observed.h"
#include "learn/opinion.h"

struct view;

enum {
	MERIT_SETS = 64,           // sets of sites that are looked at: those of most apps
	MERIT_RIVALS = 16,         // different ones, of a place
};

struct merit_rival {
	uint16_t site;
	uint64_t sets;             // in which it is the first
	int64_t us;                // the table's estimate; INT64_MAX: unknown, or a hint
};

struct merit_rivals {
	unsigned count;
	struct merit_rival list[MERIT_RIVALS];
	bool has_second;           // the next one is there
	uint16_t first, second;    // of the table's order: with these two as what is learned, every app's clients get what the table
	                           // alone gives them
};

struct merit;

// NULL when out of memory.
struct merit *merit_new(void) MUST_USE;
// Takes NULL; returns NULL.
struct merit *merit_free(struct merit *merit);
// The rivals for the clients at an address, valid until the next call. Remembered by place until the view changes.
const struct merit_rivals *merit_rivals_of(struct merit *merit, const struct view *view, const struct addr *client);

// An order of sites, by their numbers in a view.
struct merit_order {
	uint16_t sites[FINDING_SITES_MAX];
	unsigned count;
};

// What is learned of a prefix of which nothing else is to be said, so that its second best site can be explored: what the table
// says, where the first site is measured. Empty: nothing is.
struct merit_order merit_start(const struct merit_rivals *rivals, const struct measure *measures, unsigned count);
// The order that follows for `measures` (their sites are the view's; those that are not enough are passed over), where
// `held` is held, in percent of `margin`. Empty: nothing is to be said.
struct merit_order merit_judge(const struct view *view, const struct merit_rivals *rivals, const struct measure *measures,
                               unsigned count, const struct merit_order *held, unsigned margin);
