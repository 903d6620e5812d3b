// Replies of the control socket: {"ok": true, …} or {"ok": false, "error": TEXT, "code": N}; for the verbs. All of
// these give NULL without memory, and take NULL for what could not be made.
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/attr.h"

struct report;

// What edgesteerctl's exit code becomes: the daemon would not or could not; the request or the config was wrong.
enum reply_code { REPLY_REFUSED = 1, REPLY_USAGE = 2 };

json_t *reply_ok(void) MUST_USE;
json_t *reply_error(enum reply_code code, const char *fmt, ...) PRINTF(2, 3) MUST_USE;
// Adds to an object or a list; takes `value`. On any failure the object is freed and NULL comes back.
json_t *reply_set(json_t *object, const char *key, json_t *value) MUST_USE;
json_t *reply_append(json_t *list, json_t *value) MUST_USE;
// A string; bytes that are not UTF-8 (of a file, of a web server's answer) become "?". NULL text: null.
json_t *reply_text(const char *text) MUST_USE;
// A wall clock time, null for 0 ("never").
json_t *reply_time(int64_t time_s) MUST_USE;
// Adds the report's lines: "errors", "warnings" and "notes", each only where there are some.
json_t *reply_report(json_t *object, const struct report *report) MUST_USE;
