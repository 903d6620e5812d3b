// What vantages elsewhere have reported of targets: a cell for each vantage and target that it speaks of. Cells age out.
// Knows no clock: the time is given to it, monotonic, so that tests drive it. Targets are numbered as in the view in use.
// Main thread only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "health/column.h"

enum {
	MATRIX_VANTAGES_MAX = 64,
	MATRIX_CELLS_MAX = 1 << 18, // all vantages together: 10 MB
	MATRIX_NAME_LEN = 64,       // with the final zero: of a vantage, and of a carrier
	MATRIX_WHO_LEN = 128,       // the same of who reports
};

struct matrix;

struct vantage {
	char name[MATRIX_NAME_LEN];
	char carrier[MATRIX_NAME_LEN]; // whose clients it speaks for, in small letters; "": everybody's
	char who[MATRIX_WHO_LEN];      // the peer that gave the last report
	uint32_t up, down;             // its cells
	uint64_t reports;              // taken so far
	uint64_t stale;                // not taken: older than their ttl, or than what is known
	int64_t heard_ms;              // the last one
	int64_t skew_ms;               // how far its clock was ahead (-: behind) when that was last told; 0: it is right
	int64_t skew_told_ms;          // when that was; 0: never
};

// What one vantage says of one target.
struct matrix_cell {
	uint32_t target;
	uint32_t next;                 // of the target's, + 1; for matrix.c
	uint8_t vantage;
	bool up;
	bool stays;                    // for matrix.c
	int64_t observed_ms;           // when it was seen to be so
	int64_t since_ms;              // when that began
	int64_t until_ms;              // fresh before this
};

// For no targets yet. NULL when out of memory.
struct matrix *matrix_new(void) MUST_USE;
// Takes NULL; returns NULL.
struct matrix *matrix_free(struct matrix *matrix);

// A new generation: old_of_new[count] has the targets' numbers so far, UINT32_MAX: it is new. Cells of those that are gone
// go. Takes ownership of first[count + 1], memory of zeros.
void matrix_renumber(struct matrix *matrix, const uint32_t *old_of_new, uint32_t *first, uint32_t count);

// The number of the vantage with this name and carrier, which becomes known; one without cells gives way. Names that are too
// long are cut by the caller. E_LIMIT: MATRIX_VANTAGES_MAX have cells.
int matrix_vantage(struct matrix *matrix, const char *name, const char *carrier, unsigned *ret_vantage) MUST_USE;
// For its counters. Valid until it has no cells and another one comes.
struct vantage *matrix_vantage_at(struct matrix *matrix, unsigned vantage);
// Whether the number is in use.
bool matrix_has_vantage(const struct matrix *matrix, unsigned vantage);

// A report. *ret_changed: the vantage says something else of the target now. E_STATE: something newer is known, nothing has
// changed; E_LIMIT: MATRIX_CELLS_MAX; E_NOMEM.
int matrix_put(struct matrix *matrix, unsigned vantage, uint32_t target, bool up, int64_t observed_ms, int64_t until_ms,
               bool *ret_changed) MUST_USE;
// Forgets what is no longer fresh, and calls each() for each of these targets after its cell is gone; once or more often.
void matrix_expire(struct matrix *matrix, int64_t now_ms, void (*each)(void *ctx, uint32_t target), void *ctx);
// How many cells there are.
size_t matrix_count(const struct matrix *matrix);
// Each of them, by its number below that. Valid until the next change.
const struct matrix_cell *matrix_cell_at(const struct matrix *matrix, size_t number);

// The first cell of a target, and the one after; NULL: there is no more.
const struct matrix_cell *matrix_first(const struct matrix *matrix, uint32_t target);
const struct matrix_cell *matrix_next(const struct matrix *matrix, const struct matrix_cell *cell);
// What the fresh vantages of a carrier ("": those that speak for everybody) say of a target.
struct tally matrix_tally(const struct matrix *matrix, uint32_t target, const char *carrier, int64_t now_ms);
