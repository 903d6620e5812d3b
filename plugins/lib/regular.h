// Opens the files that plugins read, which are an operator's and may be anything.
#pragma once

#include <sys/types.h>

// Why what has this mode is no regular file; NULL: it is one.
const char *regular_fault(mode_t mode);
// Opens a regular file for reading. NULL when done, with the descriptor, the caller's to close, and the length in
// octets; else why not, e.g. "No such file or directory".
const char *regular_open(const char *path, int *ret_fd, off_t *ret_len);
