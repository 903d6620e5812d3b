// A document as a tree: mappings, lists and texts, each with the place where it was written. Made by yaml.c, joined
// over several files by config/include.c, read by the schema. Slow side.
//
// The schema decides what a scalar means, so every scalar is a text as written; only a plain `null`, `~` or nothing at
// all is VALUE_NULL. Mappings keep their order, and their keys are unique.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "schema/mark.h"

struct arena;

enum value_kind { VALUE_NULL, VALUE_TEXT, VALUE_LIST, VALUE_MAP };

// Where nodes come from; owned by whoever had them made.
struct value_file {
	const char *name; // for messages
	const char *path; // absolute: relative paths in the file start in its folder
};

// The fields are for reading; trees are made and changed by the functions that say so.
struct value {
	struct value *next;            // in the same mapping or list
	const char *key;              // in a mapping; else NULL
	union {
		const char *text;         // VALUE_TEXT
		struct value *first;       // VALUE_LIST, VALUE_MAP
	};
	const struct value_file *file;
	uint32_t line, column;        // of the value, from 1
	uint32_t key_line, key_column; // of the key; in a list, of the value
	uint32_t count;               // children
	uint8_t kind;                 // enum value_kind
};

_Static_assert(sizeof(struct value) <= 64, "a config of a million targets has some five million of them");

// NULL is none of these.
static inline bool value_is(const struct value *node, enum value_kind kind)
{
	return node && node->kind == kind;
}

// The text of a VALUE_TEXT, else NULL.
static inline const char *value_text(const struct value *node)
{
	return value_is(node, VALUE_TEXT) ? node->text : NULL;
}

static inline bool value_has_children(const struct value *node)
{
	return value_is(node, VALUE_LIST) || value_is(node, VALUE_MAP);
}

// The number of children; 0 for other nodes, and for NULL.
static inline size_t value_count(const struct value *node)
{
	return value_has_children(node) ? node->count : 0;
}

static inline struct value *value_first(const struct value *node)
{
	return value_has_children(node) ? node->first : NULL;
}

// Loops over the members of a mapping or the elements of a list; other nodes, and NULL, have none.
#define value_foreach(child, parent) for (struct value *child = value_first(parent); child; child = child->next)

// The member of a mapping with this key; NULL when there is none, or `map` is no mapping. A linear search: not for each
// key of a large mapping.
struct value *value_get(const struct value *map, const char *key) PURE NONNULL(2);
// Takes a member out of its mapping.
void value_remove(struct value *map, const char *key) NONNULL(1, 2);
// Whether both have the same keys and texts, in the same order, wherever they were written.
bool value_equal(const struct value *a, const struct value *b) PURE;
// A copy with all below it; the files stay borrowed. NULL when out of memory.
struct value *value_copy(struct arena *arena, const struct value *node) MUST_USE;

// The position of a value, and of a member's key. Of NULL: all zero.
struct mark value_mark(const struct value *node) PURE;
struct mark value_key_mark(const struct value *node) PURE;
