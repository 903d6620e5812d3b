// YAML (and so JSON) read into a tree of nodes, with the position of every key and value. The only user of libyaml. Used
// by the config loader for config files and the catalogue. Slow side.
//
// The input is not trusted: sizes have caps, and what a config does not need is an error: anchors and aliases (a few
// lines of them can expand to gigabytes), tags, keys that are not text, zero octets, duplicate keys, more than one
// document.
//
// Names start with yaml_tree_ because libyaml has functions named yaml_*.
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "schema/value.h"

struct report;
struct yaml_tree;

enum { YAML_BYTES_MAX = 256 << 20, YAML_DEPTH_MAX = 32, YAML_NODES_MAX = 1 << 23 };

// What trees that are kept together, such as those of a config of many files (config/include.h), may still take. Each
// takes its part from it.
struct yaml_budget {
	size_t octets, nodes;
};

#define YAML_BUDGET ((struct yaml_budget){YAML_BYTES_MAX, YAML_NODES_MAX})

// Parses `len` octets. `file` is borrowed by the nodes. Errors go into the report. After an error that parsing can
// continue past there is still a tree, so that errors elsewhere can be reported too: the caller checks the report. The
// caller frees *ret_tree with yaml_tree_free(). E_INVAL: no tree. E_NOMEM.
int yaml_tree_parse(const struct value_file *file, const char *text, size_t len, struct yaml_budget *budget,
                    struct report *report, struct yaml_tree **ret_tree) MUST_USE NONNULL(1, 2, 4, 5, 6);
// As yaml_tree_parse(), from the file. E_IO (in the report) when it cannot be read or is not a regular file.
int yaml_tree_load(const struct value_file *file, struct yaml_budget *budget, struct report *report,
                   struct yaml_tree **ret_tree) MUST_USE NONNULL(1, 2, 3, 4);
// Frees the tree. Takes NULL; returns NULL.
struct yaml_tree *yaml_tree_free(struct yaml_tree *yaml);

// The root, owned by `yaml`. It is VALUE_NULL for an empty document.
struct value *yaml_tree_root(const struct yaml_tree *yaml) NONNULL(1);
