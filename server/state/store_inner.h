// What the files of the store share: the connection to SQLite, and calls for statements that are not ours to hide.
#pragma once

#include <limits.h>
#include <sqlite3.h>
#include <stddef.h>

#include "base/attr.h"

enum { STORE_STATEMENTS_MAX = 24 };

struct store {
	sqlite3 *db;
	char name[NAME_MAX + 1];
	struct {
		const char *sql;
		sqlite3_stmt *stmt;
	} statements[STORE_STATEMENTS_MAX];
	size_t pending_pages;
	char error[256];
};

// Opens a file that is there, or ":memory:". On an error *ret_store is set if there was memory, for its words.
int store_connect(const char *name, const char *path, struct store **ret_store) MUST_USE;
// Statements without results, not kept.
int store_exec(struct store *store, const char *sql) MUST_USE;
// Its log of writes is written but not carried into the file, unless store_checkpoint() says so.
void store_keep_log(struct store *store);
