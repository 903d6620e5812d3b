// The overrides that have ended within the last week, with who ended them and why: rows of health.db, written a second
// or so afterwards, so that the last ones may be lost with a kill -9. Bounded: the oldest go first.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "state/override.h"

enum { ENDED_MAX = 2000, ENDED_KEPT_S = 7 * 86400 };

enum ended_how { ENDED_TAKEN_BACK, ENDED_RAN_OUT, ENDED_REPLACED };

// One of them. Owns its override and its texts.
struct ended {
	struct override *override;
	enum ended_how how;
	int64_t at_s;      // wall clock
	char *ender;       // as override.who; NULL: nobody, it ran out
	char *by;          // as override.by
	uint64_t number;   // of its row
};

// Zero-initialised is a valid, empty one.
struct ended_list {
	struct ended *rows; // the one that ended last at the end
	size_t count, room;
	uint64_t next;      // number
};

// "taken back", "ran out", "replaced". Never NULL.
const char *ended_how_text(enum ended_how how);
// A copy of all that it is given, at the end of the list. E_NOMEM. Who is beyond ENDED_MAX is to be dropped by the
// caller.
int ended_add(struct ended_list *list, const struct override *override, enum ended_how how, const char *ender,
              const char *by, int64_t at_s) MUST_USE;
// Takes the first one out of the list, and frees it.
void ended_drop_first(struct ended_list *list);
// The row of the last one, to be freed by the caller; NULL: out of memory.
char *ended_text_of_last(const struct ended_list *list) MUST_USE;
// Adds what ended_text_of_last() wrote; whatever else it is, is left out: E_INVAL. E_NOMEM.
int ended_load(struct ended_list *list, const char *key, const char *text) MUST_USE;
// Rows are loaded in no order; this sorts them.
void ended_sort(struct ended_list *list);
void ended_done(struct ended_list *list);
