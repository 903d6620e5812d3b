// Replies of the control socket: {"ok": true, …} or {"ok": false, "error": TEXT, "code": N}; for the verbs. All
// functions return NULL when out of memory and accept NULL for an argument that could not be made, so a chain of calls
// needs one check at its end.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct override;
struct report;

// The exit code of edgesteerctl: the daemon refused or failed; the request or the config is wrong; it is so already, and
// nothing was done; it was not done everywhere. 4 is no reply: see client/main.c.
// How replies are written: 15 digits are all that a decimal fraction keeps in a double, so 52.52 stays 52.52.
enum { REPLY_FLAGS = JSON_COMPACT | JSON_REAL_PRECISION(15) };

enum reply_code { REPLY_REFUSED = 1, REPLY_USAGE = 2, REPLY_NOTHING = 3, REPLY_PARTLY = 5 };

json_t *reply_ok(void) MUST_USE;
json_t *reply_error(enum reply_code code, const char *fmt, ...) PRINTF(2, 3) MUST_USE;
// Adds to an object or a list; takes ownership of `value`. On any failure frees the object or list and returns NULL.
json_t *reply_set(json_t *object, const char *key, json_t *value) MUST_USE;
json_t *reply_append(json_t *list, json_t *value) MUST_USE;
// A string. If `text` is not UTF-8 (from a file, or a web server's reply), it is cleaned. NULL: null.
json_t *reply_text(const char *text) MUST_USE;
// A time in seconds of the wall clock; null for 0 ("never").
json_t *reply_time(int64_t time_s) MUST_USE;
// The drain: what it is of, who set it, when, why, how far it has come, and until when. NULL: null.
json_t *reply_drain(const struct override *drain) MUST_USE;
// A drain or a force as it was given, and no word of how far it has come, as fields of `object`.
json_t *reply_given(json_t *object, const struct override *override) MUST_USE;
// The drain, as reply_drain() has it, as fields of `object`.
json_t *reply_drain_into(json_t *object, const struct override *drain) MUST_USE;
// Whether the list has an equal value.
bool reply_has(const json_t *list, const json_t *value);
// Adds the report's lines as "errors", "warnings" and "notes", leaving out those without lines.
json_t *reply_report(json_t *object, const struct report *report) MUST_USE;
