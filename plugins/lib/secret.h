// Files with a token or a key: read anew whenever they are needed, as others replace them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SECRET_MAX_LEN = 16 << 10 };

// Why a file with a secret must not be used: "readable by everybody (mode 0644)", or that it cannot be read; NULL: it
// may. `buf` may hold the text.
const char *secret_fault(const char *path, char buf[static 128]);

// Reads a token, without the blanks around it, into `ret_token`. `shared`: the file may be readable by everybody, as
// where its folder is the container's own. NULL when done; else why not, for which `buf` may be used.
const char *secret_read_token(const char *path, bool shared, char ret_token[static SECRET_MAX_LEN + 1],
                              char buf[static 128]);

// A number that changes when the file does, or another takes its place; 0: there is none. NULL is allowed.
uint64_t secret_stamp(const char *path);
