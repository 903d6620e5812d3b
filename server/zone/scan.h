// The text of a master file (RFC 1035 section 5.1) cut into entries: lines joined over parentheses, comments gone,
// words apart. Called by file.c; owns the file's bytes.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct report;

enum { ZONE_SCAN_FILE_MAX = 1 << 30, ZONE_SCAN_ENTRY_MAX = 160 * 1024 };

// A record or a directive.
struct zone_scan_entry {
	size_t line;     // where it begins
	bool indented;   // begins with white space: of the last owner
	size_t count;    // of words
	char *words;     // each with its final zero, one after the other; quotes and escapes as written, but \( \) \; \"
	size_t len;      // and \SPACE outside quotes are \DDD. `len` counts every zero
};

struct zone_scan;

// Reads a whole file. E_IO (reported), E_NOMEM.
int zone_scan_open(const char *path, struct report *report, struct zone_scan **ret_text) MUST_USE;
struct zone_scan *zone_scan_close(struct zone_scan *text);

// The next entry, valid until the call after this one. 1; 0 at the end; E_INVAL: it is malformed (reported), go on.
int zone_scan_next(struct zone_scan *text, struct report *report, struct zone_scan_entry *ret_entry) MUST_USE;

// The word after `word`.
const char *zone_scan_after(const char *word);
// "3600", "1h30m": seconds, with units of s, m, h, d, w. E_INVAL; E_LIMIT above `max`.
int zone_scan_period(const char *word, uint32_t max, uint32_t *ret_s) MUST_USE;
