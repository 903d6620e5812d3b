// Names interned to small numbers: carriers, classes, hints. Number 0 is always the empty name ("not known"). Filled on
// the slow side, read-only from then on.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum { NAMES_MAX = 65535, NAME_MAX_LEN = 63 };

struct names;

// NULL when out of memory. The caller frees it with names_free().
struct names *names_new(void) MUST_USE;
// Takes NULL; returns NULL.
struct names *names_free(struct names *names);

// The number of `text` (`len` bytes, not necessarily zero-terminated), added when new; the text is copied. 0 for the
// empty name. E_LIMIT when it is longer than NAME_MAX_LEN, contains a zero, or there are NAMES_MAX already; E_NOMEM.
int names_add(struct names *names, const char *text, size_t len, uint16_t *ret_number) MUST_USE NONNULL(1, 4);
// The number of a name already added, or -1.
int names_find(const struct names *names, const char *text, size_t len) PURE NONNULL(1);
// The name of a number; "" for 0 and for numbers never given. Owned by `names`.
const char *names_text(const struct names *names, uint16_t number) PURE NONNULL(1);
// Numbers in use, the empty name included.
size_t names_count(const struct names *names) PURE NONNULL(1);

// Writes ASCII capitals as small letters: names that are compared without case, such as carriers', are kept like this.
// `len` octets from `text` and a final zero into `buf`, which may be `text`. Returns buf.
char *names_lower(char *buf, const char *text, size_t len) NONNULL(1);
