// Lenient access to replies: a missing field, or one of another type, reads as "" or 0. For edgesteerctl.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/attr.h"

enum { CTL_INT_LEN = 24, CTL_PERCENT_LEN = 32 };
// How it is printed. In ASCII: text from operators and configs cannot send control sequences to a terminal; with the digits
// that a decimal fraction keeps in a double.
enum { CLIENT_JSON_FLAGS = JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15) };

// The text is owned by `object`.
const char *client_text(const json_t *object, const char *key);
json_int_t client_int(const json_t *object, const char *key);
// The number in decimal, "" when it is missing. Into buf[CTL_INT_LEN], which it returns.
const char *client_int_text(const json_t *object, const char *key, char *buf);
// The number, of percent, as "12.5 %", "0 %" when it is missing. Into buf[CTL_PERCENT_LEN], which it returns.
const char *client_percent(const json_t *object, const char *key, char *buf);
// The list's texts as "a, b"; a single text is returned as it is. Owned by the caller; out of memory ends the program.
char *client_join(const json_t *list) MUST_USE;
// Appends the list `more` to the object's list `key`; either may be missing.
void client_extend(json_t *object, const char *key, const json_t *more);

// The "/" of "APP/SITE", the last one: names of sites have none. NULL: it is something else.
const char *client_slash(const char *written);
// Splits the request's "app", which is "APP/SITE", into "app" and "site". False: it is something else.
bool client_split_target(json_t *request);
