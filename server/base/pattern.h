// Regular expressions that an operator writes, for octets that anybody may have sent; PCRE2's door. What a search may cost
// is limited by the work that it does, not by time: the same octets have the same result on every machine, and however
// busy it is; with these limits, up to some ten milliseconds. Called by the schema, to check them, and by the probes.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum {
	PATTERN_WHY_LEN = 192,
	PATTERN_SUBJECT_MAX = 64 << 10, // octets that are searched
	PATTERN_WORK_MAX = 1 << 20,     // steps of the pattern, and octets that they passed over
	PATTERN_HEAP_KIB = 8 << 10,     // for what a search can go back to
};

struct pattern;

// Compiles a text. Letters are octets: nothing is UTF-8. Refused are back references, as one step of theirs may cost as
// much as all the rest. E_INVAL, with the reason as the end of a sentence about the text; E_NOMEM.
int pattern_new(const char *text, struct pattern **ret_pattern, char why[static PATTERN_WHY_LEN]) MUST_USE;
// Takes NULL; returns NULL.
struct pattern *pattern_free(struct pattern *pattern);

// Whether it is anywhere in `len` octets, PATTERN_SUBJECT_MAX at most. E_OK: it is; E_NOTFOUND; E_LIMIT: to tell would have
// cost too much; E_NOMEM. `ret_work`, unless it is NULL, gets how much it has cost.
int pattern_search(const struct pattern *pattern, const char *octets, size_t len, uint64_t *ret_work) MUST_USE;
