// Learned prefixes from a file that an operator imports: checked against the view in use and the rules of `learned`, then put
// into the book as if they had been learned. Any thread that is an online reader (live_read()); the learner's mutex is held
// for a batch at most.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/names.h"
#include "learn/opinion.h"

struct learner;
struct view;

#define IMPORTING_SOURCE "import" // whose word an imported entry is; a service that confirms or changes it takes its place

enum { IMPORTING_WHY_LEN = 256, IMPORTING_BATCH_MAX = 4096 };

// A row. Texts are copies; carrier and class in small letters; "": not known. Times are Unix time, 0: not stated.
struct importing_row {
	struct prefix prefix;
	char sites[FINDING_SITES_MAX][NAME_MAX_LEN + 1]; // best first; the first "" ends them
	char carrier[NAME_MAX_LEN + 1], class_[NAME_MAX_LEN + 1];
	int64_t learned_s, heard_s, fresh_until_s, held_until_s;
	uint32_t samples, weight;
	uint8_t confidence;          // 0: not stated
};

// What is wrong with a row: with which of its fields, by the name that `learned export` gives its column, and why.
struct importing_fault {
	const char *field;
	char why[IMPORTING_WHY_LEN];
};

// What came of rows, or would.
struct importing_counts {
	size_t imported;
	size_t same;         // of these prefixes the book holds that already, as fresh
	size_t newer;        // it has heard of them since, so that they stay as they are
	size_t expired;      // held so long that they would not be answered any more
	size_t refused;      // the book is full of busier ones
	size_t ignored;      // nothing was left, as their sites are out of reach
	size_t out_of_reach; // sites that no client of the prefix can reach, all together
};

// Whether a file of so many rows may be imported; otherwise *ret_fault says why.
bool importing_fits(struct learner *learner, size_t total, struct importing_fault *ret_fault) MUST_USE;
// Whether a row may be. Reach is not looked at: what is out of it is left out, and counted.
bool importing_check(struct learner *learner, const struct view *view, const struct importing_row *row,
                     struct importing_fault *ret_fault) MUST_USE;
// Puts rows that were checked into the book, or only counts what would come of it, which `ret_counts` is increased by. To be
// followed by learner_imported() on the main thread. E_NOMEM: some of them may be missing.
int importing_take(struct learner *learner, const struct view *view, const struct importing_row *rows, size_t count,
                   bool is_dry, struct importing_counts *ret_counts) MUST_USE;
