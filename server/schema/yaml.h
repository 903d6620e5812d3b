// YAML (so JSON too) read into a jansson tree, with the place of every key and value kept beside it. The only door to
// libyaml. Used by the config loader for config files and the catalogue. Slow side.
//
// What a scalar means is for the schema to say, so every scalar becomes a JSON string with the text as written; only
// a plain `null`, `~` or nothing at all becomes JSON's null. Mappings keep the order written.
//
// The input is hostile: sizes have caps, and what a config does not need is refused: anchors and aliases (a few lines
// of them unfold to gigabytes), tags, keys that are not text, zero octets, duplicate keys, more than one document.
//
// Names begin with yaml_tree_ because libyaml has a yaml_free() and more of its own.
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "base/attr.h"
#include "schema/mark.h"

struct report;
struct yaml_tree;

enum { YAML_BYTES_MAX = 16 << 20, YAML_DEPTH_MAX = 32, YAML_NODES_MAX = 1 << 20 };

// Reads `len` bytes; `file` names them in messages (copied). What is wrong goes into the report. Where reading could go
// on past it there still is a tree, so that what is wrong elsewhere can be told as well: the caller looks at the
// report. E_INVAL: no tree. E_NOMEM.
int yaml_tree_parse(const char *file, const char *text, size_t len, struct report *report,
               struct yaml_tree **ret_tree) MUST_USE NONNULL(1, 2, 4, 5);
// As yaml_tree_parse(), from a file. E_IO (in the report) when it cannot be read.
int yaml_tree_load(const char *path, struct report *report, struct yaml_tree **ret_tree) MUST_USE NONNULL(1, 2, 3);
// Frees the tree and its marks. Takes NULL; returns NULL.
struct yaml_tree *yaml_tree_free(struct yaml_tree *yaml);

// Owned by `yaml`. JSON null for an empty document.
json_t *yaml_tree_root(const struct yaml_tree *yaml) NONNULL(1);
const char *yaml_tree_file(const struct yaml_tree *yaml) NONNULL(1);

// Places of a member of a mapping in the tree: of its key, and of its value. The file as a whole when there is none.
struct mark yaml_tree_key_mark(const struct yaml_tree *yaml, const json_t *object, const char *key) NONNULL(1, 3);
struct mark yaml_tree_value_mark(const struct yaml_tree *yaml, const json_t *object, const char *key) NONNULL(1, 3);
// The place of an element of a sequence.
struct mark yaml_tree_item_mark(const struct yaml_tree *yaml, const json_t *array, size_t index) NONNULL(1);
