// The state folder: opened, locked, its files read, replaced atomically, set aside. Everything but SQLite goes
// through the folder's descriptor, so that moving the folder or putting a link in its place does no harm.
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum { FOLDER_FILE_MAX = 1 << 30, FOLDER_WHY_LEN = 512 }; // octets that are read as a text

struct folder {
	int fd;
	char *path;      // as it was given
	char *real_path; // absolute, without links: for SQLite
	char *why;       // what folder_fail() was called with last; FOLDER_WHY_LEN octets
};

enum folder_entry { FOLDER_NOTHING, FOLDER_FILE, FOLDER_OTHER /* a link, a pipe, a folder, or unknown */ };

// Opens the folder, makes it (0750) and its parents (0755) where they are missing, and locks it against a second
// daemon until it is closed. Logs what is wrong: E_IO; E_EXISTS when another daemon has it locked; E_NOMEM.
int folder_open(const char *path, struct folder *ret_folder) MUST_USE;
void folder_close(struct folder *folder);

// Keeps "FOLDER/NAME WHAT: REASON", for the caller's log line or reply. Keeps errno.
void folder_fail(const struct folder *folder, const char *name, const char *what, const char *reason);
// The same with "cannot be read", errno and the user that tried: the usual cause is a file made by another one.
void folder_fail_to_read(const struct folder *folder, const char *name);
// False: the path leads elsewhere or nowhere; the folder was removed or replaced.
bool folder_is_in_place(const struct folder *folder);
// Whether so many octets can be written and synced now, with a file that it removes again. E_IO (folder->why).
int folder_try(const struct folder *folder, size_t len) MUST_USE;

enum folder_entry folder_look(const struct folder *folder, const char *name);
// SQLite's log of writes of the file NAME: "NAME-wal", into buf[FOLDER_LOG_LEN], which it returns.
enum { FOLDER_LOG_LEN = NAME_MAX + 8 };
const char *folder_log(const char *name, char *buf);
// Opens a file for reading. E_NOTFOUND; E_INVAL when it is not a regular file (a link, a pipe) or too large; E_IO
// (errno).
int folder_open_file(const struct folder *folder, const char *name, int *ret_fd) MUST_USE;
// Makes an empty file, mode 0640, in the place of what has the name; made by root, it is the folder's owner's. E_IO
// (errno).
int folder_new_file(const struct folder *folder, const char *name, int *ret_fd) MUST_USE;
// The file has the new contents or the old ones, at whatever moment the process or the machine stops. E_IO (errno): it
// may have either.
int folder_replace(const struct folder *folder, const char *name, const char *octets, size_t len) MUST_USE;
// Durable when it returns 0. E_IO (errno).
int folder_rename(const struct folder *folder, const char *from, const char *to) MUST_USE;
// What was made and renamed is durable. E_IO (errno).
int folder_sync(const struct folder *folder) MUST_USE;
// Renames the file to NAME.WORD-TIME, and with it NAME-wal and NAME-journal, those that are there. `word`: "damaged", or
// "replaced" of a sound file that something else is written in the place of. E_IO (errno, folder->why).
int folder_set_aside(const struct folder *folder, const char *name, const char *word, int64_t now_s) MUST_USE;
