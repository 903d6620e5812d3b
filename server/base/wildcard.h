// Patterns in which * stands for any characters and ? for one; for overrides of many sites and for tokens of many
// vantages.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

// Whether the whole text is as the pattern of `len` octets says. Takes at most the product of their lengths.
bool wildcard_match(const char *pattern, size_t len, const char *text) PURE;
