// $GENERATE in master files, as BIND 9 defines it: a record for each number of a range. Called by file.c; owns nothing.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct zone_generate_range {
	uint32_t start, stop; // stop is at least start
	uint32_t step;        // at least 1
};

// Parses "START-STOP" or "START-STOP/STEP". E_INVAL.
int zone_generate_range(const char *word, struct zone_generate_range *ret_range) MUST_USE;
// The number of records.
uint32_t zone_generate_count(const struct zone_generate_range *range) PURE;

// Copies `count` words into words[size], `number` in place of each "$" or "${OFFSET[,WIDTH[,BASE]]}"; "$$" is a dollar
// sign, as is "\$". *ret_len counts the words' zeros. E_INVAL when braces hold anything else, or a number becomes
// negative; E_LIMIT when they do not fit.
int zone_generate_words(const char *from, size_t count, uint32_t number, char *words, size_t size,
                        size_t *ret_len) MUST_USE;
