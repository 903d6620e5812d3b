// What providers gave last, as rows of health.db: their names and texts are provide/'s business.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct store;

enum {
	PROVIDED_OWNER_MAX = 255, // octets of a provider's id
	PROVIDED_KEY_MAX = 1023,
	PROVIDED_TEXT_MAX = 16384,
	PROVIDED_BATCH_MAX = 512,    // rows in one transaction
	PROVIDED_ROWS_MAX = 1 << 19, // in the file, and of changes that wait: all that is learned, and 124,288 more
};

// One block of memory.
struct provided_row {
	const char *owner, *key;
	const char *text; // NULL: there is to be no such row
};

// Zero-initialised is a valid, empty one.
struct provided_list {
	struct provided_row **rows; // owned
	size_t count, cap;
};

// Of changes since the start: how many are to be written, how many of these are, how many besides there was no room for.
struct provided_progress {
	uint64_t queued, written, lost;
};

// E_LIMIT: a text is too long, or there are PROVIDED_ROWS_MAX; E_NOMEM.
int provided_add(struct provided_list *list, const char *owner, const char *key, const char *text) MUST_USE;
// Frees the first `count` rows.
void provided_drop(struct provided_list *list, size_t count);
void provided_done(struct provided_list *list);

// Reads all; rows that are not what was written are left out, and counted. E_INVAL, E_IO, E_NOMEM: nothing more can be
// read.
int provided_read(struct store *store, struct provided_list *list, size_t *ret_damaged) MUST_USE;
// Writes the rows in one transaction, the later of two with the same key last. E_INVAL, E_IO, E_NOMEM: none is written.
int provided_write(struct store *store, struct provided_row *const *rows, size_t count) MUST_USE;
