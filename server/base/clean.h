// Text that operators, files or peers gave, made safe to show: in the log, in messages, in replies and on a terminal.
#pragma once

#include <stddef.h>

#include "base/attr.h"

// Copies `text` into buf[size] with a final zero, cut between characters where it does not fit. Each of these becomes
// "?": control characters (also DEL, and U+0080 to U+009F), line and paragraph separators, marks that change the
// direction of text (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069), and octets that are not UTF-8.
// `buf` may be `text`. Returns how many octets of `text` it has taken: its length, unless it was cut.
size_t clean_copy(char *buf, size_t size, const char *text) NONNULL(1, 3);
// The same in place, for a text that is its own buffer. Returns `text`.
char *clean_text(char *text) NONNULL(1);
