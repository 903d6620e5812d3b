// What has become of a provider's targets, for the log: a line at once, and while more comes, one every ten seconds.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum change_kind { CHANGE_ADDED, CHANGE_REPLACED, CHANGE_VANISHED, CHANGE_RETURNED, CHANGE_REMOVED, CHANGE_KINDS };

enum { CHANGES_FIRST_LEN = 640 };

struct object;

// Zero-initialised is a valid one, of nothing.
struct changes {
	size_t counts[CHANGE_KINDS];   // since the last line
	char first[CHANGES_FIRST_LEN]; // the target that the line names
	int64_t said_ms;               // monotonic: the last line; 0: there was none
};

void changes_note(struct changes *changes, enum change_kind kind, const struct object *object);
// Logs what was noted, if it is time; `label` is the provider's. Returns whether something is still to be said.
bool changes_tell(struct changes *changes, const char *label, int64_t now_ms);
