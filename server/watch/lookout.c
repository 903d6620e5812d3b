// What has changed and come to rest; see lookout.h.
#include "watch/lookout.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/inputs.h"
#include "base/log.h"
#include "watch/folders.h"

struct lookout {
	struct lookout_times times;
	struct folders *folders;
	struct inputs *files;     // NULL: none yet
	struct input_stamp *seen; // of each file, at the last look
	int64_t look_ms;          // the next look
	int64_t since_ms;         // since when some file differs from what was read; -1: none does
	int said;                 // the last fault of the folders that was logged
};

struct lookout *lookout_new(const struct lookout_times *times)
{
	struct lookout *lookout = calloc(1, sizeof(*lookout));

	if (!lookout)
		return NULL;
	lookout->times = *times;
	lookout->since_ms = -1;
	lookout->folders = folders_new();
	return lookout->folders ? lookout : lookout_free(lookout);
}

struct lookout *lookout_free(struct lookout *lookout)
{
	if (!lookout)
		return NULL;
	folders_free(lookout->folders);
	inputs_free(lookout->files);
	free(lookout->seen);
	free(lookout);
	return NULL;
}

void lookout_set(struct lookout *lookout, struct inputs *files)
{
	size_t count = inputs_count(files);
	struct input_stamp *seen = calloc(count + 1, sizeof(*seen));

	if (!seen) {
		inputs_free(files);
		return;
	}
	for (size_t i = 0; i < count; i++)
		seen[i] = inputs_at(files, i)->stamp;
	inputs_free(lookout->files);
	free(lookout->seen);
	lookout->files = files;
	lookout->seen = seen;
	lookout->since_ms = -1;
	lookout->look_ms = INT64_MIN;
}

static void say_fault(struct lookout *lookout)
{
	int fault = folders_fault(lookout->folders);
	unsigned stat_s = lookout->times.stat_ms / 1000;

	if (fault && fault != lookout->said)
		log_warning("watching files: %s: changes are noticed within %u s, not at once%s",
		            fault == ENOSPC ? "the limit of inotify watches is reached" : strerror(fault), stat_s,
		            fault == ENOSPC   ? "; to raise it: sysctl fs.inotify.max_user_watches"
		            : fault == EMFILE ? "; to allow more: sysctl fs.inotify.max_user_instances, ulimit -n"
		                              : "");
	lookout->said = fault;
}

// Folders are watched before the stamps are taken: what changes afterwards is noticed.
static void survey(struct lookout *lookout)
{
	folders_begin(lookout->folders);
	for (size_t i = 0; i < inputs_count(lookout->files); i++)
		folders_cover(lookout->folders, inputs_at(lookout->files, i)->path, inputs_at(lookout->files, i)->pattern);
	folders_end(lookout->folders);
	say_fault(lookout);
}

// Takes all stamps anew. Whether some differ from the last look; the number that differ from what was read.
static bool take_stamps(struct lookout *lookout, size_t *ret_differing)
{
	bool moving = false;
	size_t differing = 0;

	for (size_t i = 0; i < inputs_count(lookout->files); i++) {
		const struct input *file = inputs_at(lookout->files, i);
		struct input_stamp now = inputs_stamp(file->path, file->pattern);

		moving = moving || !inputs_same_stamp(&now, &lookout->seen[i]);
		lookout->seen[i] = now;
		differing += !inputs_same_stamp(&now, &file->stamp);
	}
	*ret_differing = differing;
	return moving;
}

// The files that differ from what was read, which count as read from now on; some at least. NULL when out of memory.
static struct inputs *tell(struct lookout *lookout)
{
	struct inputs *told = inputs_new();

	for (size_t i = 0; told && i < inputs_count(lookout->files); i++) {
		struct input file = *inputs_at(lookout->files, i);

		if (inputs_same_stamp(&lookout->seen[i], &file.stamp))
			continue;
		file.stamp = lookout->seen[i];
		inputs_put(told, &file);
	}
	if (!told || inputs_count(told) == 0)
		return inputs_free(told);
	for (size_t i = 0; i < inputs_count(lookout->files); i++)
		inputs_at(lookout->files, i)->stamp = lookout->seen[i];
	return told;
}

static struct inputs *look(struct lookout *lookout, int64_t now_ms)
{
	const struct lookout_times *times = &lookout->times;
	struct inputs *told = NULL;
	size_t differing;

	survey(lookout);

	bool moving = take_stamps(lookout, &differing);

	if (differing && lookout->since_ms < 0)
		lookout->since_ms = now_ms;
	if (differing && (!moving || now_ms - lookout->since_ms >= times->quiet_max_ms))
		told = tell(lookout);
	if (told || !differing)
		lookout->since_ms = -1;
	lookout->look_ms = now_ms + (lookout->since_ms < 0 ? times->stat_ms : times->quiet_ms);
	return told;
}

// What happens in the folders while a file is coming to rest brings no look forward.
struct inputs *lookout_turn(struct lookout *lookout, int64_t now_ms)
{
	bool changed = folders_changed(lookout->folders);

	if (!lookout->files || (now_ms < lookout->look_ms && !(changed && lookout->since_ms < 0)))
		return NULL;
	return look(lookout, now_ms);
}

int64_t lookout_next_ms(const struct lookout *lookout)
{
	return lookout->files ? lookout->look_ms : INT64_MAX;
}

int lookout_fd(const struct lookout *lookout)
{
	return folders_fd(lookout->folders);
}
