// What the files of the store share: the connection to SQLite, and calls for statements that are not ours to hide.
#pragma once

#include <limits.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"

enum { STORE_STATEMENTS_MAX = 24, STORE_PAGE_LEN = 4096 };

struct store {
	sqlite3 *db;
	char name[PATH_MAX]; // with the folder
	struct {
		const char *sql;
		sqlite3_stmt *stmt;
	} statements[STORE_STATEMENTS_MAX];
	size_t log_pages;    // committed ones in the log of writes
	bool log_is_known;   // else their number is not
	bool log_is_carried; // all of them are in the file as well
	int64_t page_len;
	struct store_file {
		dev_t device;
		ino_t inode; // 0: of none
	} file, log;         // as they were opened
	char error[512];
};

// Opens a file that is there, or ":memory:"; `name` is for messages. `path` of a file that is only to be read: see
// store_open_to_read(). On an error *ret_store is set if there was memory, for its words.
int store_connect(const char *name, const char *path, bool to_read, struct store **ret_store) MUST_USE;
// In place of what the store has. E_IO, E_NOMEM, E_INVAL: see `from`'s error.
int store_copy(struct store *from, struct store *to) MUST_USE;
// Statements without results, not kept.
int store_exec(struct store *store, const char *sql) MUST_USE;
// Its log of writes is written but not carried into the file, unless store_checkpoint() says so.
void store_keep_log(struct store *store);
