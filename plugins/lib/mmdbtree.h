// The search trees of MaxMind databases, for plugins: opens a file, and walks one tree or two in parallel. The only
// user of libmaxminddb; see record.h for what that is not used for.
#pragma once

#include <maxminddb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edgesteer-plugin.h"

struct record;

enum { MMDBTREE_MAX = 2 }; // trees in one walk

struct mmdbtree {
	const struct edgesteer_host *host;
	const char *path;
	MMDB_s mmdb;
	bool open;
	size_t visits; // of nodes
};

// The position of a walk in one tree.
struct mmdbtree_cursor {
	enum { MMDBTREE_NOTHING, MMDBTREE_NODE, MMDBTREE_RECORD } kind;
	uint32_t at; // number of the node, or offset of the record in the data section
};

// A prefix in which no tree divides further: what each has for it, a record or nothing; one has a record. Returns 0, or
// negative to stop the walk.
typedef int mmdbtree_leaf(void *ctx, const struct edgesteer_prefix *prefix,
                          const struct mmdbtree_cursor here[MMDBTREE_MAX]);

// Opens a database, of which a copy is mapped; the path is borrowed. Returns 0, or negative (reported). The caller
// calls mmdbtree_close() in either case.
int mmdbtree_open(struct mmdbtree *tree, const struct edgesteer_host *host, const char *path);
// Takes one that is all zeros too.
void mmdbtree_close(struct mmdbtree *tree);

// Lists the leaves of both trees combined, of which either may be NULL, IPv4 first. Returns 0, or negative: leaf()
// stopped, or a database is damaged (reported).
int mmdbtree_walk(struct mmdbtree *const trees[MMDBTREE_MAX], mmdbtree_leaf *leaf, void *ctx);

// Reads the record at a cursor. Returns 0, or negative: it is damaged (reported).
int mmdbtree_record(const struct mmdbtree *tree, uint32_t at, struct record *ret_record);

// Reports that the file is damaged. Returns -1.
int mmdbtree_damaged(const struct mmdbtree *tree, const char *why);
