// Files in the state folder: read, replaced whole or not at all, set aside; for state.c. Everything goes through the
// folder's descriptor, so nobody can move the folder away under us or put a link in our way.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum { FILE_SIZE_MAX = 1 << 30 };

// Opens the folder, makes it (0750) and its parents (0755) where they are missing, and locks it against a second
// daemon for as long as the descriptor is open. Logs what is wrong: E_IO; E_EXISTS when another daemon holds it.
int file_open_dir(const char *path, int *ret_dir) MUST_USE;
// Opens a file for reading. E_NOTFOUND; E_INVAL when it is not a regular file (a link, a pipe) or too large; E_IO.
int file_open(int dir, const char *name, int *ret_fd) MUST_USE;
// The file has the new contents or the old ones, at whatever moment the process or the machine stops. E_IO (errno): it
// may have either.
int file_replace(int dir, const char *name, const char *bytes, size_t len) MUST_USE;
// Renames it to NAME.damaged-TIME. E_IO (errno).
int file_set_aside(int dir, const char *name, int64_t now_s) MUST_USE;
