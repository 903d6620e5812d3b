// The folders on the way to files, watched by inotify(7): tells that something on the way to one of them has changed, not
// what. Called by lookout.c on the watcher's thread.
//
// On the way to a file is each name of its path, and, where one is a symbolic link, each name of what it leads to: the
// folder of every such name is watched for that name. So a file that is replaced is noticed as well as a folder that is
// removed and made again, and a ConfigMap, whose files are links through `..data`, a link that is replaced.
#pragma once

#include <stdbool.h>

#include "base/attr.h"

struct folders;

// NULL when out of memory. Without inotify there is a fault (see below), and nothing is watched.
struct folders *folders_new(void) MUST_USE;
// Takes NULL; returns NULL.
struct folders *folders_free(struct folders *folders);

// A survey: begin, cover each file, end. From the moment that a file is covered no change is missed. folders_end() gives
// up folders that are on the way to none of them any more.
void folders_begin(struct folders *folders);
// `path` is absolute; with `pattern`, one for glob(3) in the last part, of which any name in the folder is on the way.
void folders_cover(struct folders *folders, const char *path, bool pattern);
void folders_end(struct folders *folders);

// Becomes readable when something has happened in one of the folders; -1: there is no inotify.
int folders_fd(const struct folders *folders);
// Takes all that has happened. True: some of it on the way to a covered file, or events were lost. Does not wait.
bool folders_changed(struct folders *folders);

// Why some files of the last survey may change without notice: an errno, of inotify_init1() or inotify_add_watch(); 0:
// none. A folder that is not there, or may not be read, is no fault.
int folders_fault(const struct folders *folders);
