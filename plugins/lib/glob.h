// Patterns with `*` (any text, dots included) and `?` (any one octet), for names in options.
#pragma once

#include <stdbool.h>

// Whether all of `text` matches; capital and small letters of ASCII are the same. Takes time of at most the product of
// the lengths, whatever the pattern.
bool glob_match(const char *pattern, const char *text);
