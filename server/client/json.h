// Reading replies without a thought for what is missing: a field that is not there is "" or 0. For edgesteerctl.
#pragma once

#include <jansson.h>

#include "base/attr.h"

enum { CTL_INT_LEN = 24 };

const char *client_text(const json_t *object, const char *key);
json_int_t client_int(const json_t *object, const char *key);
// The number in digits, "" when it is not there. Into buf[CTL_INT_LEN], returned.
const char *client_int_text(const json_t *object, const char *key, char *buf);
// The list's texts, "a, b"; a text alone is itself. The caller's to free.
char *client_join(const json_t *list) MUST_USE;
// Appends one list to another. Both may be missing.
void client_extend(json_t *object, const char *key, const json_t *more);
