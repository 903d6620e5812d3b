// The candidates of one client in the order in which they are answered, for `explain`: what is learned of the client comes
// before the table's order, and decides what else is in reach. See answer/pick.c, which does so for queries.
#pragma once

#include <stdbool.h>

#include "view/view.h"

struct app;
struct live;
struct location;
struct place;

struct explain_candidate {
	struct candidate by; // what the table says of it
	bool is_learned;     // its place in the order is by what is learned
	bool is_reachable;
	bool is_cut_off;     // reachable by the table, but not with what is learned
};

// Writes one for each of the app's targets, those that are reachable first.
void explain_order(const struct live *live, const struct app *app, const struct location *where, const struct place *place,
                   struct explain_candidate *ret_candidates);
// Why the candidates of unknown cost have their order, in words; see the truth table in metro.h. NULL: there are none
// because of the place.
const char *explain_metro_text(enum metro_case case_);
const char *explain_metro_word(enum metro_case case_);
