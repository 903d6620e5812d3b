// Opening and reading the files that an operator names. They must be regular, and opening one never waits: of a FIFO
// without a writer the daemon would otherwise wait for ever. (A regular file on a hung file system still makes whoever
// reads it wait.) Slow side.
#pragma once

#include <stddef.h>

#include "base/attr.h"

enum { INFILE_WHY_LEN = 128 };

// Opens for reading; the caller closes *ret_fd. E_IO, with the reason as the end of a sentence about the file, such as
// "cannot be read: No such file or directory" or "cannot be read: not a regular file", in why[INFILE_WHY_LEN].
int infile_open(const char *path, int *ret_fd, char *why) MUST_USE NONNULL(1, 2, 3);
// The same for a file with a secret: also E_IO when others than its owner and its group may read or write it.
int infile_open_secret(const char *path, int *ret_fd, char *why) MUST_USE NONNULL(1, 2, 3);
// Reads all of a file of at most `max` octets into *ret_text, which the caller frees; a zero follows the text. E_IO and
// E_LIMIT (too large), with the reason as above; E_NOMEM.
int infile_read(const char *path, size_t max, char **ret_text, size_t *ret_len, char *why) MUST_USE NONNULL(1, 3, 4, 5);
// The same for an open file, from where it is read next; it stays open.
int infile_read_fd(int fd, size_t max, char **ret_text, size_t *ret_len, char *why) MUST_USE NONNULL(3, 4, 5);
