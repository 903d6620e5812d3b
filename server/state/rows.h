// Overrides as rows of a store, with totals by which a missing row is noticed. Used by one thread at a time. Errors of
// what writes: E_IO, E_NOMEM, E_INVAL (the file is damaged); the caller rolls back.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "state/overrides.h"
#include "state/store.h"

// Kept in the store itself: what its rows must add up to.
struct rows_totals {
	uint64_t revision; // of the last change
	uint64_t count;
	uint64_t sum;      // of the rows' sums, modulo 2^64
};

bool rows_totals_equal(const struct rows_totals *a, const struct rows_totals *b) PURE;

// What a file gave. Owned: the overrides and the array.
struct rows_found {
	struct override **rows;  // in no order
	size_t count;
	size_t damaged;          // rows that are not what was written
	bool has_totals;
	struct rows_totals totals;
	bool is_sound;           // every row is, and they are all there
	char (*names)[2 * STATE_TEXT_MAX + 32]; // what the damaged rows say they are, the first few of them
	size_t name_count;
};

enum { ROWS_NAMED_MAX = 10 };

// Reads all it can. E_IO, E_NOMEM. A damaged store is no error.
int rows_read(struct store *store, struct rows_found *ret_found) MUST_USE;
// Frees the first `count` rows and the rest.
void rows_found_done(struct rows_found *found);

// By revision.
void rows_sort(struct override **rows, size_t count);

// A store to write to. `totals`: what is in it.
struct rows {
	struct store *store;
	struct rows_totals totals, committed;
};

// A row's checksum.
uint64_t rows_sum(const struct override *override) PURE;

int rows_begin(struct rows *rows) MUST_USE;
// Writes the totals into the transaction.
int rows_seal(struct rows *rows) MUST_USE;
// Seals and commits. On an error nothing is committed.
int rows_commit(struct rows *rows) MUST_USE;
void rows_rollback(struct rows *rows);

// In the place of the one for the same thing. E_LIMIT: STATE_OVERRIDES_MAX, and nothing has changed.
int rows_put(struct rows *rows, const struct override *override) MUST_USE;
// *ret_removed: how many.
int rows_remove(struct rows *rows, const struct override_match *match, size_t *ret_removed) MUST_USE;
// Removes what ran out by `now_s` and was given by the revision `upto`.
int rows_expire(struct rows *rows, int64_t now_s, uint64_t upto) MUST_USE;
// Removes all.
int rows_clear(struct rows *rows) MUST_USE;
