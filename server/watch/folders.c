// Folders on the way to files, by inotify; see folders.h.
#include "watch/folders.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/dict.h"
#include "base/err.h"
#include "base/must.h"

// A file in writing tells nothing until it is closed: lookout.c looks twice.
#define EVENTS (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ATTRIB | IN_ONLYDIR)

enum {
	SURVEY_BYTES_MAX = 64 << 20, // paths; what is beyond is not watched
	STEPS_MAX = 200,             // names and links on the way to one file
	KEY_LEN = NAME_MAX + 16,
};

static const char any_name[] = "/"; // no file has this name

struct survey {
	struct arena *arena;    // keys
	struct dict *folders;   // path -> int *, the watch descriptor; -1: not watched, or not yet
	struct dict *names;     // "DESCRIPTOR NAME"
	int *watches;           // descriptors, with repetitions: paths may lead to the same folder
	size_t count, cap;
};

struct folders {
	int fd;
	int init_fault;         // why there is no inotify
	int fault;              // of the last survey
	struct survey used, next; // `next` between folders_begin() and folders_end()
};

static void survey_wipe(struct survey *survey)
{
	dict_free(survey->folders);
	dict_free(survey->names);
	arena_free(survey->arena);
	free(survey->watches);
	*survey = (struct survey){0};
}

struct folders *folders_new(void)
{
	struct folders *folders = calloc(1, sizeof(*folders));

	if (!folders)
		return NULL;
	folders->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	folders->init_fault = folders->fd < 0 ? errno : 0;
	folders->fault = folders->init_fault;
	return folders;
}

struct folders *folders_free(struct folders *folders)
{
	if (!folders)
		return NULL;
	survey_wipe(&folders->used);
	survey_wipe(&folders->next);
	if (folders->fd >= 0)
		close(folders->fd);
	free(folders);
	return NULL;
}

int folders_fd(const struct folders *folders)
{
	return folders->fd;
}

int folders_fault(const struct folders *folders)
{
	return folders->fault;
}

// ---- the way to a file ----------------------------------------------------------------------------------------------

static void cover(struct folders *folders, const char *path, unsigned steps);

static bool keep_watch(struct survey *survey, int watch)
{
	if (survey->count == survey->cap) {
		size_t cap = survey->cap ? 2 * survey->cap : 16;
		int *watches = reallocarray(survey->watches, cap, sizeof(*watches));

		if (!watches)
			return false;
		survey->watches = watches;
		survey->cap = cap;
	}
	survey->watches[survey->count++] = watch;
	return true;
}

// Watches a folder, and the way to it. `path` is in the survey's arena. The descriptor; -1: it is not watched.
static int watch_folder(struct folders *folders, const char *path, unsigned steps)
{
	struct survey *survey = &folders->next;
	const struct dict_entry *known = dict_find(survey->folders, path);

	if (known)
		return *(int *)known->value;

	int *watch = arena_take(survey->arena, sizeof(*watch));

	if (!watch || dict_add(survey->folders, path, (uintptr_t)watch) < 0) {
		folders->fault = ENOMEM;
		return -1;
	}
	*watch = -1; // should the way lead through it again
	if (strcmp(path, "/") != 0)
		cover(folders, path, steps);
	*watch = inotify_add_watch(folders->fd, path, EVENTS);
	if (*watch < 0 && (errno == ENOSPC || errno == ENOMEM))
		folders->fault = errno;
	if (*watch >= 0 && !keep_watch(survey, *watch))
		folders->fault = ENOMEM;
	return *watch;
}

static void watch_name(struct folders *folders, int watch, const char *name)
{
	char key[KEY_LEN];
	int len = snprintf(key, sizeof(key), "%d %s", watch, name);

	if (watch < 0 || len < 0 || len >= KEY_LEN) // no file has so long a name
		return;

	const char *kept = arena_strdup(folders->next.arena, key);

	if (!kept || dict_add(folders->next.names, kept, 0) == E_NOMEM)
		folders->fault = ENOMEM;
}

// The folder of a path, in the arena. NULL when out of memory.
static char *folder_of(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len;
	char *folder;

	must(slash);
	while (slash > path && slash[-1] == '/')
		slash--;
	len = slash == path ? 1 : (size_t)(slash - path);
	folder = arena_take(arena, len + 1);
	if (folder)
		memcpy(folder, path, len);
	return folder;
}

// Where a symbolic link in the folder leads, in the arena; NULL: it is none, or cannot be read. Not inlined, for the
// stack of what calls itself.
static NOINLINE const char *link_target(struct arena *arena, const char *folder, const char *path)
{
	char target[PATH_MAX];
	ssize_t len = readlink(path, target, sizeof(target) - 1);

	if (len <= 0)
		return NULL;
	target[len] = '\0';
	if (target[0] == '/')
		return arena_strdup(arena, target);

	size_t size = strlen(folder) + (size_t)len + 2;
	char *joined = arena_take(arena, size);

	if (joined)
		snprintf(joined, size, "%s/%s", folder, target);
	return joined;
}

// The folder is watched before the link in it is read: whatever changes then is noticed.
static void cover(struct folders *folders, const char *path, unsigned steps)
{
	struct arena *arena = folders->next.arena;
	const char *folder = steps < STEPS_MAX ? folder_of(arena, path) : NULL;

	if (!folder)
		return; // what is not covered is still looked at now and then

	const char *name = strrchr(path, '/') + 1;

	watch_name(folders, watch_folder(folders, folder, steps + 1), name);

	const char *target = link_target(arena, folder, path);

	if (target)
		cover(folders, target, steps + 1);
}

// As glob(3) reads it: a backslash stands before what is meant literally.
static void unescape(char *path)
{
	char *to = path;

	for (const char *from = path; *from; from++) {
		if (from[0] == '\\' && from[1])
			from++;
		*to++ = *from;
	}
	*to = '\0';
}

void folders_cover(struct folders *folders, const char *path, bool pattern)
{
	must(path[0] == '/');
	if (!folders->next.arena)
		return;
	if (!pattern) {
		cover(folders, path, 0);
		return;
	}

	char *folder = folder_of(folders->next.arena, path);

	if (!folder)
		return;
	unescape(folder);
	watch_name(folders, watch_folder(folders, folder, 1), any_name);
}

// ---- surveys --------------------------------------------------------------------------------------------------------

void folders_begin(struct folders *folders)
{
	struct survey *next = &folders->next;

	survey_wipe(next);
	folders->fault = folders->init_fault;
	if (folders->fd < 0)
		return;
	next->arena = arena_new(SURVEY_BYTES_MAX);
	next->folders = dict_new();
	next->names = dict_new();
	if (!next->arena || !next->folders || !next->names) {
		survey_wipe(next);
		folders->fault = ENOMEM;
	}
}

static int compare_watches(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

void folders_end(struct folders *folders)
{
	struct survey *used = &folders->used, *next = &folders->next;

	if (next->count)
		qsort(next->watches, next->count, sizeof(*next->watches), compare_watches);
	for (size_t i = 0; i < used->count; i++)
		if (!next->count ||
		    !bsearch(&used->watches[i], next->watches, next->count, sizeof(*next->watches), compare_watches))
			(void)inotify_rm_watch(folders->fd, used->watches[i]); // a folder that is gone took it along
	survey_wipe(used);
	*used = *next;
	*next = (struct survey){0};
}

// ---- events ---------------------------------------------------------------------------------------------------------

static bool is_watched_name(const struct survey *survey, int watch, const char *name)
{
	char key[KEY_LEN];

	snprintf(key, sizeof(key), "%d %s", watch, name);
	return survey->names && dict_find(survey->names, key);
}

static bool concerns_us(const struct survey *survey, const struct inotify_event *event)
{
	if (event->mask & (IN_Q_OVERFLOW | IN_UNMOUNT))
		return true;
	return event->len > 0 && (is_watched_name(survey, event->wd, event->name) ||
	                          is_watched_name(survey, event->wd, any_name));
}

bool folders_changed(struct folders *folders)
{
	_Alignas(struct inotify_event) char events[16384];
	bool changed = false;
	ssize_t len;

	while (folders->fd >= 0 && (len = read(folders->fd, events, sizeof(events))) > 0)
		for (ssize_t at = 0; at < len;) {
			const struct inotify_event *event = (const struct inotify_event *)(events + at);

			changed = changed || concerns_us(&folders->used, event);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	return changed;
}
