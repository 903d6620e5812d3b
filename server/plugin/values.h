// The options of one entry, checked against its plugin's rows. For instance.c.
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "edgesteer-plugin.h"

struct arena;
struct plugin_entry;
struct report;
struct value;

enum { VALUES_MAX = 64 };

struct values {
	const struct edgesteer_option *rows; // the plugin's
	size_t count;
	const char *texts[VALUES_MAX];       // by row; in the arena, or the plugin's defaults. NULL: neither, or a mapping
};

// Reads the entry's options by the plugin's rows. Relative paths start in the folder of the file `beside`, an absolute
// path. What is not in the entry's options or the plugin is in `arena`. E_INVAL (all errors are reported), E_NOMEM.
int values_read(const struct edgesteer_option *rows, const struct plugin_entry *entry, const char *beside,
                struct arena *arena, struct report *report, struct values *ret_values) MUST_USE;
// The value of an option as the contract's option() gives it.
const char *values_text(const struct values *values, const char *name) PURE;
// A value as JSON, every scalar of it as a text, for free(). NULL when out of memory.
char *values_json(const struct value *node) MUST_USE;
// The first path among the options; NULL: there is none.
const char *values_first_path(const struct values *values) PURE;
