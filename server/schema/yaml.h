// YAML (and so JSON) read into a jansson tree, with the position of every key and value. The only user of libyaml. Used
// by the config loader for config files and the catalogue. Slow side.
//
// The schema decides what a scalar means, so every scalar becomes a JSON string with the text as written; only a plain
// `null`, `~` or nothing at all becomes JSON's null. Mappings keep their order.
//
// The input is not trusted: sizes have caps, and what a config does not need is an error: anchors and aliases (a few
// lines of them can expand to gigabytes), tags, keys that are not text, zero octets, duplicate keys, more than one
// document.
//
// Names start with yaml_tree_ because libyaml has functions named yaml_*.
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "base/attr.h"
#include "schema/mark.h"

struct report;
struct yaml_tree;

enum { YAML_BYTES_MAX = 16 << 20, YAML_DEPTH_MAX = 32, YAML_NODES_MAX = 1 << 20 };

// Parses `len` octets; `file` names them in messages (copied). Errors go into the report. After an error that parsing
// can continue past there is still a tree, so that errors elsewhere can be reported too: the caller checks the report.
// The caller frees *ret_tree with yaml_tree_free(). E_INVAL: no tree. E_NOMEM.
int yaml_tree_parse(const char *file, const char *text, size_t len, struct report *report,
                    struct yaml_tree **ret_tree) MUST_USE NONNULL(1, 2, 4, 5);
// As yaml_tree_parse(), from a file. E_IO (in the report) when it cannot be read.
int yaml_tree_load(const char *path, struct report *report, struct yaml_tree **ret_tree) MUST_USE NONNULL(1, 2, 3);
// Frees the tree and its marks. Takes NULL; returns NULL.
struct yaml_tree *yaml_tree_free(struct yaml_tree *yaml);

// The root and the file's name, owned by `yaml`. The root is JSON null for an empty document.
json_t *yaml_tree_root(const struct yaml_tree *yaml) NONNULL(1);
const char *yaml_tree_file(const struct yaml_tree *yaml) NONNULL(1);

// The position of the key, and of the value, of a member of a mapping in the tree. Line 0, the file as a whole, when
// there is no such member.
struct mark yaml_tree_key_mark(const struct yaml_tree *yaml, const json_t *object, const char *key) NONNULL(1, 3);
struct mark yaml_tree_value_mark(const struct yaml_tree *yaml, const json_t *object, const char *key) NONNULL(1, 3);
// The position of an element of a sequence.
struct mark yaml_tree_item_mark(const struct yaml_tree *yaml, const json_t *array, size_t index) NONNULL(1);
