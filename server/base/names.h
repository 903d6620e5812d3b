// Names interned to small numbers: carriers, classes. Number 0 is always the empty name ("not known"). Filled on the
// slow side, then only read.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum { NAMES_MAX = 65535, NAME_MAX_LEN = 63 };

struct names;

struct names *names_new(void) MUST_USE;
// Takes NULL; returns NULL.
struct names *names_free(struct names *names);

// The number of `text` (`len` bytes, need not end in zero), added when new. 0 for the empty name. E_LIMIT when it is
// too long or there are too many; E_NOMEM.
int names_add(struct names *names, const char *text, size_t len, uint16_t *ret_number) MUST_USE NONNULL(1, 4);
// The number of a name that is there, or -1.
int names_find(const struct names *names, const char *text, size_t len) PURE NONNULL(1);
// The name of a number; "" for 0 and for numbers never given. Owned by `names`.
const char *names_text(const struct names *names, uint16_t number) PURE NONNULL(1);
// Numbers in use, the empty name included.
size_t names_count(const struct names *names) PURE NONNULL(1);
