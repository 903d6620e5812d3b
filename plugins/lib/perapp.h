// An option that has a text, or one for each app, for plugins whose service knows apps by IDs of its own.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "edgesteer-plugin.h"

// Reads an option of type EDGESTEER_JSON: a text, or a mapping from an app's name, or `*` for all others, to one; texts of
// at most PERAPP_MAX_LEN letters, digits and `-_.`, the first not a dot. Returns 0 with *ret_texts set, NULL where it is not given, or negative
// (reported).
enum { PERAPP_MAX_LEN = 64 };
int perapp_read(const struct edgesteer_host *host, const char *name, json_t **ret_texts);
void perapp_free(json_t *texts);
// Whether it is such a text.
bool perapp_is_good(const char *text);
// The text for an app, which may be NULL: any. NULL: there is none.
const char *perapp_find(const json_t *texts, const char *app);
