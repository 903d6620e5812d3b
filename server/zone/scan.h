// Splits the text of a master file (RFC 1035 section 5.1) into entries: lines joined across parentheses, comments
// removed, words separated. Called by file.c; owns the file's contents.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct report;

enum { ZONE_SCAN_FILES_MAX = 1 << 30, ZONE_SCAN_ENTRY_MAX = 160 * 1024 };

// A record or a directive.
struct zone_scan_entry {
	size_t line;     // of its start
	bool indented;   // starts with white space: has the owner of the last record
	size_t count;    // of words
	char *words;     // in sequence, each with its final zero; quotes and escapes as written, except that \( \) \; \"
	size_t len;      // and \SPACE outside quotes become \DDD. `len` is in octets and counts every zero
};

struct zone_scan;

// Reads a complete file; `path` is borrowed until zone_scan_close(). *budget is how many octets the zone's files may
// still have (ZONE_SCAN_FILES_MAX to begin with), and is lowered by the file's. E_IO (reported), E_NOMEM.
int zone_scan_open(const char *path, size_t *budget, struct report *report, struct zone_scan **ret_text) MUST_USE;
// The same for a file that is open already as `fd`, which is closed in any case.
int zone_scan_open_fd(int fd, const char *path, size_t *budget, struct report *report,
                      struct zone_scan **ret_text) MUST_USE;
// Takes NULL; returns NULL.
struct zone_scan *zone_scan_close(struct zone_scan *text);

// Reads the next entry, valid until the next call. Returns 1; 0 at the end, which is warned of if it is not that of a
// line; E_INVAL when the entry is malformed (reported), after which the next call goes on behind it.
int zone_scan_next(struct zone_scan *text, struct report *report, struct zone_scan_entry *ret_entry) MUST_USE;

// The word after `word` in an entry.
const char *zone_scan_after(const char *word);
// Parses a time such as "3600" or "1h30m", with units s, m, h, d, w, into seconds. E_INVAL when malformed; E_LIMIT
// above `max`.
int zone_scan_period(const char *word, uint32_t max, uint32_t *ret_s) MUST_USE;
