// A config file with the files that its `include` names, joined into one tree. Called by load.c.
//
// Mappings at the top level join entry by entry, and an entry in two places is an error that names both; lists join in
// the order in which the files are read; anything else may be in one file only. A file is read before those it
// includes, and of those each with its own includes before the next.
#pragma once

#include <stddef.h>

#include "base/attr.h"

struct arena;
struct include;
struct value;
struct report;

enum { INCLUDE_FILES_MAX = 4096, INCLUDE_DEPTH_MAX = 8 };

// Reads the file at `path` and all it includes; with `text` (of `len` octets), that instead of the file itself. The
// files' names are stored in `arena`, which must outlive whatever is made of the tree's marks. Errors go into the
// report; after those that reading can continue past there is still a tree, but not when a file could not be read:
// what others refer to in it would be reported as missing. The caller frees *ret_include with include_free(). E_INVAL,
// E_IO: nothing is returned. E_NOMEM.
int include_load(const char *path, const char *text, size_t len, struct arena *arena, struct report *report,
                 struct include **ret_include) MUST_USE NONNULL(1, 4, 5, 6);
// Frees the trees, but not the files' names. Takes NULL; returns NULL.
struct include *include_free(struct include *include);

// The joined tree, owned by `include`: its root is that of the first file.
struct value *include_root(const struct include *include) NONNULL(1);
