// Counting, and one line for all; see changes.h.
#include "provide/changes.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "provide/object.h"

enum { PAUSE_MS = 10000, COUNTS_LEN = 256 };

void changes_note(struct changes *changes, enum change_kind kind, const struct object *object)
{
	if (!changes->first[0])
		snprintf(changes->first, sizeof(changes->first), "%s at %s", object->app, object->site);
	changes->counts[kind]++;
}

// "2 added, 1 removed" into buf. Returns how many there are.
static size_t write_counts(const struct changes *changes, char *buf, size_t size)
{
	static const char *const words[CHANGE_KINDS] = {
		[CHANGE_ADDED] = "added", [CHANGE_REPLACED] = "changed", [CHANGE_VANISHED] = "vanished from the source",
		[CHANGE_RETURNED] = "back in the source", [CHANGE_REMOVED] = "removed"};
	size_t all = 0, len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < CHANGE_KINDS; i++) {
		if (changes->counts[i] == 0)
			continue;
		len += (size_t)snprintf(buf + len, size - len, "%s%zu %s", all ? ", " : "", changes->counts[i], words[i]);
		all += changes->counts[i];
	}
	return all;
}

bool changes_tell(struct changes *changes, const char *label, int64_t now_ms)
{
	char counts[COUNTS_LEN], more[32] = "";
	size_t all = write_counts(changes, counts, sizeof(counts));

	if (all == 0)
		return false;
	if (changes->said_ms && now_ms - changes->said_ms < PAUSE_MS)
		return true;
	if (all > 1)
		snprintf(more, sizeof(more), " and %zu more", all - 1);
	log_notice("providers: %s: targets: %s: %s%s", label, counts, changes->first, more);
	*changes = (struct changes){.said_ms = now_ms};
	return false;
}
