// The schema: everything that may stand in a config file, as data. One row is one option; the same row parses, checks,
// gives the default, and writes the manual and the JSON schema. The rows stand in options.c; the types in number.c,
// text.c and list.c; what concerns more than one option in rules.c. schema.c walks them.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "schema/reader.h"

struct option;

// How values of a type are read and described.
struct option_type {
	const char *expects; // for messages and the manual: "a duration such as `10s` or `1h30m`"
	const char *limits;  // what min and max of a row are about: "" the value, "characters", "entries"
	// Reads `value`, which is not null, into the row's field. What is wrong goes into the report.
	void (*read)(struct reader *reader, const struct option *option, const json_t *value, void *field);
	// A JSON schema of such values; the caller's. NULL without memory.
	json_t *(*describe)(const struct option *option);
	// The inverse of read: prints the value in the row's field as it could be written, but for quotes around a text;
	// nothing when the field has no value. NULL: the field alone does not say what was written.
	void (*format)(const struct option *option, const void *field, FILE *out);
};

struct option_word {
	const char *text; // NULL: the end
	int value;
};

struct option {
	const char *key;
	const struct option_type *type;
	const char *fallback;  // the default as it could be written; NULL: none
	const char *otherwise; // for the manual: what holds without the option where that is not one value
	const char *min, *max; // as they could be written; NULL: any
	bool required;
	bool restart;          // read when the daemon starts and not by a reload; not inside a map or a list
	const struct option_word *words; // of text_enum
	const struct schema *schema;     // of schema_mapping, schema_map, schema_list
	size_t offset, size;   // the field in the struct
	size_t count_offset;   // lists: the field for the number of elements
	const char *help;      // sentences, for the manual
};

// A mapping with fixed keys, and the struct it fills.
struct schema {
	const char *path;  // for the manual: "apps.NAME.targets.SITE"
	const char *intro; // paragraphs, for the manual
	const struct option *options;
	size_t option_count;
	size_t size;        // of the struct
	const char *names;  // in a map: what the entries' names are, "a domain name"
	size_t max_entries; // in a map or list
	// In a map: checks the entry's name (reported) and keeps it in the struct, with what goes by the name.
	void (*name)(struct reader *reader, const char *name, void *entry);
	size_t mark_offset; // in a map or list: the field for the entry's place; 0: none
	// Optional: what the options' rows cannot check alone. Called when all of them are read, wrong ones included.
	void (*finish)(struct reader *reader, json_t *object, void *entry);
	bool open; // other keys are taken too, and left to somebody else
};

// The types that hold other options: a mapping inside the same struct; a map from names to structs; a list of them.
extern const struct option_type schema_mapping, schema_map, schema_list;

// Reads a mapping (or null: an empty one) into a struct that holds zeros or defaults of its own.
void schema_read(struct reader *reader, const struct schema *schema, json_t *value, void *target);
// Calls `fn` with each row that stands once in the struct that `schema` fills (those of mappings inside it too, those of
// maps and lists not), the schema that it is a row of, and its field.
void schema_each(const struct schema *schema, const void *target,
                 void (*fn)(void *ctx, const struct schema *schema, const struct option *option, const void *field),
                 void *ctx);
// Writes the rows' defaults into a struct.
void schema_defaults(struct reader *reader, const struct schema *schema, void *target);

// The JSON schema of such a mapping; the caller's. NULL without memory.
json_t *schema_describe(const struct schema *schema);

// What the manual and the JSON schema say of an option that takes a restart.
#define SCHEMA_RESTART "Takes effect at a restart."

// Checks that `value` has a scalar's text, and returns it; NULL (reported) otherwise.
const char *schema_text(struct reader *reader, const struct option *option, const json_t *value);
// Reports `value` as not what the row expects.
void schema_refuse(struct reader *reader, const struct option *option, const json_t *value);
// Writes what the row takes, "a whole number, 0 to 256" or "http, https or tcp", into buf[SCHEMA_EXPECTS_MAX]; returns
// buf.
enum { SCHEMA_EXPECTS_MAX = 256 };
const char *schema_expects(const struct option *option, char *buf);
// The field of a list: `count` elements at `items`.
void schema_store_list(const struct option *option, void *field, const void *items, size_t count);
// And back: the elements, and how many in *ret_count.
const void *schema_load_list(const struct option *option, const void *field, size_t *ret_count);
