// The schema: everything a config file may contain, as data. One row is one option, from which come its parser, checks,
// default, manual entry and JSON schema. The rows are in config/options*.c; their types in number.c, text.c and list.c;
// rules that concern several options in config/rules.c. schema.c walks the rows.
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
	const char *limits;  // what a row's min and max count: "characters", "entries"; "": they limit the value itself
	// Reads `value`, which is not null, into the row's field. Errors go into the report.
	void (*read)(struct reader *reader, const struct option *option, const struct value *value, void *field);
	// A JSON schema of such values, owned by the caller. NULL when out of memory.
	json_t *(*describe)(const struct option *option);
	// The inverse of read: prints the value in the row's field as in a config, but without quotes around a text;
	// nothing when the field has no value. NULL: the value cannot be told from the field alone.
	void (*format)(const struct option *option, const void *field, FILE *out);
};

struct option_word {
	const char *text; // NULL: the end
	int value;
};

struct option {
	const char *key;
	const struct option_type *type;
	const char *fallback;  // the default as written in a config; NULL: none
	const char *otherwise; // for the manual: the behaviour without the option, where that is not a single value
	const char *min, *max; // as written in a config; NULL: no limit
	bool required;
	bool restart;          // takes effect at a restart, not at a reload; not inside a map, nor twice in a list's mapping
	const struct option_word *words; // of text_enum
	const struct schema *schema;     // of schema_mapping, schema_map, schema_list
	size_t offset, size;   // of the field in the struct, octets
	size_t count_offset;   // lists: of the field for the number of elements
	const char *help;      // sentences, for the manual
};

// A mapping with fixed keys, and the struct it fills.
struct schema {
	const char *path;  // for the manual: "apps.NAME.targets.SITE"
	const char *intro; // paragraphs, for the manual
	const struct option *options;
	size_t option_count;
	size_t size;        // of the struct
	const char *names;  // in a map: what the entries' names are, such as "a domain name"
	size_t max_entries; // in a map or list
	// In a map: checks the entry's name (errors are reported) and stores it in the struct, with what depends on it.
	void (*name)(struct reader *reader, const char *name, void *entry);
	size_t mark_offset; // in a map or list: the field for the entry's struct mark; 0: none
	// Optional: checks what single rows cannot. Called when all options have been read, even after errors.
	void (*finish)(struct reader *reader, struct value *object, void *entry);
	bool open; // unknown keys are allowed, and left to other readers
};

// The types that hold other options: a mapping inside the same struct; a map from names to structs; a list of them.
extern const struct option_type schema_mapping, schema_map, schema_list;

// Reads a mapping (or null: an empty one) into a struct that holds zeros or defaults of its own.
void schema_read(struct reader *reader, const struct schema *schema, struct value *value, void *target);
// Whether it takes effect at a restart, or is a list of mappings of which something does.
bool schema_restarts(const struct option *option) PURE;
// Calls `fn` for each option that occurs once in the struct that `schema` fills (including those of mappings inside it and
// lists that schema_restarts(), excluding those of maps and other lists), with the schema it belongs to, its row and its field.
void schema_each(const struct schema *schema, const void *target,
                 void (*fn)(void *ctx, const struct schema *schema, const struct option *option, const void *field),
                 void *ctx);
// Writes the rows' defaults into a struct.
void schema_defaults(struct reader *reader, const struct schema *schema, void *target);

// The JSON schema of such a mapping, owned by the caller. NULL when out of memory.
json_t *schema_describe(const struct schema *schema);

// The manual's and the JSON schema's remark on options with `restart`.
#define SCHEMA_RESTART "Takes effect at a restart."

// The text of a scalar, owned by `value`; NULL when `value` is not one, which is reported.
const char *schema_text(struct reader *reader, const struct option *option, const struct value *value);
// Reports `value` as not what the row expects.
void schema_refuse(struct reader *reader, const struct option *option, const struct value *value);
// Writes what the row accepts, such as "a whole number, 0 to 256" or "http, https or tcp", into
// buf[SCHEMA_EXPECTS_MAX]. Returns buf.
enum { SCHEMA_EXPECTS_MAX = 256 };
const char *schema_expects(const struct option *option, char *buf);
// Sets the field of a list to `count` elements at `items`, which is not copied.
void schema_store_list(const struct option *option, void *field, const void *items, size_t count);
// The inverse: returns the elements, and their number in *ret_count.
const void *schema_load_list(const struct option *option, const void *field, size_t *ret_count);
