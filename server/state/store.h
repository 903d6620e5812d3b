// A file of rows: the one door to SQLite. A store is used by one thread at a time. Every text and number that comes out
// of it says its type, so that a damaged file gives errors and never surprises. Errors of all functions:
// E_INVAL (the file is damaged), E_IO, E_NOMEM; store_error() has the words for the log.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "state/folder.h"

struct store;

enum { STORE_VALUES_MAX = 20, STORE_ROW_MAX = 65536 };

// The file's tables: step i, one or more SQL statements, makes version i + 1 of version i. Append only. A store of an
// older version is brought up to date when it is opened.
struct store_schema {
	const char *const *steps;
	int version; // number of steps, at least 1
};

enum store_type { STORE_NULL, STORE_NUMBER, STORE_TEXT, STORE_OTHER /* of a type that no row of ours has */ };

struct store_value {
	enum store_type type;
	int64_t number;
	const char *text; // NUL-terminated, without a NUL inside; from a store valid during the callback only
};

static inline struct store_value store_number(int64_t number)
{
	return (struct store_value){STORE_NUMBER, number, NULL};
}

// NULL for NULL.
static inline struct store_value store_text(const char *text)
{
	return (struct store_value){text ? STORE_TEXT : STORE_NULL, 0, text};
}

// Reads the version from the file's first octets, without a change of any file. E_NOTFOUND: there is no file; E_INVAL:
// it is damaged or no store at all (*ret_why says what is wrong); E_IO (errno).
int store_version(const struct folder *folder, const char *name, int *ret_version, const char **ret_why) MUST_USE;

// Makes the store NAME.new, empty or with what `fill` puts into it, and syncs it. E_IO (folder->why); what `fill`
// returns.
int store_build(const struct folder *folder, const char *name, const struct store_schema *schema,
                int (*fill)(void *ctx, struct store *store), void *ctx) MUST_USE;
// Puts NAME.new in the place of NAME; nothing of an earlier NAME may be there. Durable when it returns 0. E_IO (folder->why).
int store_install(const struct folder *folder, const char *name) MUST_USE;

// Opens the file, which store_version() has called a store of this version or an older one, and checks its structure.
// `synced`: a commit is on disk when it returns; else it is once a checkpoint has been made, and the file is sound in
// any case. Not *ret_is_sound: what can be read may be, nothing is to be written. E_INVAL: nothing can be read.
// E_STATE: it is of a newer version after all, and no file has changed. Damage and E_STATE are logged; of E_IO
// folder->why has the words.
int store_open(const struct folder *folder, const char *name, const struct store_schema *schema, bool synced,
               struct store **ret_store, bool *ret_is_sound) MUST_USE;
// False: it can be read at most, see store_open_to_read().
bool store_can_be_written(const struct folder *folder, const char *name);
// Reads the file into a store in memory; no file is written or made, as on a file system that is read-only or full.
// Else as store_open().
int store_open_to_read(const struct folder *folder, const char *name, const struct store_schema *schema,
                       struct store **ret_store, bool *ret_is_sound) MUST_USE;
// An empty one, in memory, in the place of the file; nothing of it is kept.
int store_new_in_memory(const struct folder *folder, const char *name, const struct store_schema *schema,
                        struct store **ret_store) MUST_USE;
// False: the file or its log of writes was removed or replaced since it was opened; what is written is lost when it is
// closed.
bool store_is_in_place(const struct folder *folder, const char *name, const struct store *store);
// Leaves the files as they are. Takes NULL; returns NULL.
struct store *store_close(struct store *store);

int store_begin(struct store *store) MUST_USE;
int store_commit(struct store *store) MUST_USE;
void store_rollback(struct store *store);

// After a commit that failed and has been rolled back: takes what it has written out of the log of writes, so that the
// next start does not find it. Needs no room on the disk. E_IO: it may be found.
int store_undo_log(struct store *store) MUST_USE;

// Runs one statement; `sql` is a constant string, which is compiled once. *ret_changed (may be NULL): rows changed.
int store_run(struct store *store, const char *sql, const struct store_value *values, size_t count,
              size_t *ret_changed) MUST_USE;
// Calls `row` with each row of the result until it returns something other than 0, which is then returned.
int store_each(struct store *store, const char *sql, const struct store_value *values, size_t count,
               int (*row)(void *ctx, const struct store_value *columns, size_t count), void *ctx) MUST_USE;

// Octets of the log of writes (NAME-wal) that a checkpoint has still to carry into the file.
size_t store_pending(const struct store *store);
// Carries it there and waits for the disk. `empty`: the store is about to be closed, and its log becomes empty; it is
// not removed, so that a start needs no new file.
int store_checkpoint(struct store *store, bool empty) MUST_USE;
// What went wrong last, for the log. Valid until the store's next call.
const char *store_error(const struct store *store);
// With the folder.
const char *store_name(const struct store *store);
