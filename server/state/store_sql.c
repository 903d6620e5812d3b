// The connection to SQLite: statements, transactions, errors, checkpoints; see store.h.
#include "state/store.h"
#include "state/store_inner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"

// Octets of the log of writes: its header, and a frame (a page with its frame header).
enum { LOG_HEADER_LEN = 32, FRAME_LEN = STORE_PAGE_LEN + 24 };

const char *store_error(const struct store *store)
{
	return store->error;
}

const char *store_name(const struct store *store)
{
	return store->name;
}

// SQLite's result as one of ours. What cannot be blamed on disk or memory is blamed on the file: no statement of ours
// fails on a sound one.
static int err_of(int rc)
{
	if (rc == SQLITE_OK)
		return E_OK;
	if (rc == SQLITE_IOERR_READ || rc == SQLITE_IOERR_CORRUPTFS)
		return E_INVAL;
	if (rc == SQLITE_IOERR_NOMEM)
		return E_NOMEM;
	switch (rc & 0xff) {
	case SQLITE_NOMEM: return E_NOMEM;
	case SQLITE_BUSY:
	case SQLITE_CANTOPEN:
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_LOCKED:
	case SQLITE_PERM:
	case SQLITE_PROTOCOL:
	case SQLITE_READONLY: return E_IO;
	}
	return E_INVAL;
}

// NULL: none is open.
static sqlite3_file *log_file(sqlite3 *db)
{
	sqlite3_file *log = NULL;

	if (sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) != SQLITE_OK || !log || !log->pMethods)
		return NULL;
	return log;
}

// 0: it is not known. A commit's is with the file of the log only.
static int system_errno(sqlite3 *db)
{
	int number = sqlite3_system_errno(db);
	sqlite3_file *log = number ? NULL : log_file(db);

	if (log)
		(void)log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &number);
	return number;
}

// Keeps SQLite's words before another call replaces them.
static int fail(struct store *store, int rc)
{
	int err = err_of(rc), system = err == E_IO && store->db ? system_errno(store->db) : 0;

	if (err == E_OK)
		return err;
	// The system's reason, where it is known, says more than SQLite's.
	if ((rc & 0xff) == SQLITE_FULL)
		snprintf(store->error, sizeof(store->error), "%s", strerror(ENOSPC));
	else if (err == E_IO && system)
		snprintf(store->error, sizeof(store->error), "%s", strerror(system));
	else
		snprintf(store->error, sizeof(store->error), "%s", store->db ? sqlite3_errmsg(store->db) : sqlite3_errstr(rc));
	return err;
}

// Opening and closing -------------------------------------------------------------------------------------------------

static void configure(sqlite3 *db)
{
	static const struct {
		int option, value;
	} rows[] = {
		{SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
		{SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
		{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0}, {SQLITE_DBCONFIG_DQS_DDL, 0},
		{SQLITE_DBCONFIG_DQS_DML, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		sqlite3_db_config(db, rows[i].option, rows[i].value, NULL);
	sqlite3_extended_result_codes(db, 1);
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, STORE_ROW_MAX);
	sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
}

int store_connect(const char *name, const char *path, bool to_read, struct store **ret_store)
{
	struct store *store = calloc(1, sizeof(*store));

	if (!store)
		return E_NOMEM;
	must(sqlite3_threadsafe());
	snprintf(store->name, sizeof(store->name), "%s", name);

	// A file that may only be read cannot be locked for writing. The folder's lock has to do.
	int flags = to_read ? SQLITE_OPEN_READONLY | SQLITE_OPEN_URI : SQLITE_OPEN_READWRITE;
	int rc = sqlite3_open_v2(path, &store->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
	                         to_read ? "unix-none" : NULL);

	*ret_store = store;
	if (rc != SQLITE_OK)
		return fail(store, rc);
	configure(store->db);
	return store_exec(store, "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;"
	                   "PRAGMA temp_store = MEMORY; PRAGMA locking_mode = EXCLUSIVE");
}

struct store *store_close(struct store *store)
{
	if (!store)
		return NULL;
	for (size_t i = 0; i < STORE_STATEMENTS_MAX; i++)
		sqlite3_finalize(store->statements[i].stmt);
	must(sqlite3_close(store->db) == SQLITE_OK);
	free(store);
	return NULL;
}

// Statements ----------------------------------------------------------------------------------------------------------

int store_exec(struct store *store, const char *sql)
{
	return fail(store, sqlite3_exec(store->db, sql, NULL, NULL, NULL));
}

static int prepare(struct store *store, const char *sql, sqlite3_stmt **ret_stmt)
{
	size_t at = 0;

	while (at < STORE_STATEMENTS_MAX && store->statements[at].sql && store->statements[at].sql != sql)
		at++;
	must(at < STORE_STATEMENTS_MAX);
	if (!store->statements[at].sql) {
		int err = fail(store, sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
		                                         &store->statements[at].stmt, NULL));

		if (err < 0)
			return err;
		store->statements[at].sql = sql;
	}
	*ret_stmt = store->statements[at].stmt;
	return E_OK;
}

static int bind(struct store *store, sqlite3_stmt *stmt, const struct store_value *values, size_t count)
{
	int rc = SQLITE_OK;

	for (size_t i = 0; i < count && rc == SQLITE_OK; i++) {
		if (values[i].type == STORE_NUMBER)
			rc = sqlite3_bind_int64(stmt, (int)i + 1, values[i].number);
		else if (values[i].type == STORE_TEXT)
			rc = sqlite3_bind_text(stmt, (int)i + 1, values[i].text, -1, SQLITE_STATIC);
		else
			rc = sqlite3_bind_null(stmt, (int)i + 1);
	}
	return fail(store, rc);
}

static struct store_value column(sqlite3_stmt *stmt, int i)
{
	const char *text;

	switch (sqlite3_column_type(stmt, i)) {
	case SQLITE_NULL: return (struct store_value){STORE_NULL, 0, NULL};
	case SQLITE_INTEGER: return store_number(sqlite3_column_int64(stmt, i));
	case SQLITE_TEXT:
		text = (const char *)sqlite3_column_text(stmt, i);
		if (text && strlen(text) == (size_t)sqlite3_column_bytes(stmt, i))
			return store_text(text);
	}
	return (struct store_value){STORE_OTHER, 0, NULL};
}

int store_each(struct store *store, const char *sql, const struct store_value *values, size_t count,
               int (*row)(void *ctx, const struct store_value *columns, size_t count), void *ctx)
{
	struct store_value columns[STORE_VALUES_MAX];
	sqlite3_stmt *stmt;
	int rc = SQLITE_DONE, result = prepare(store, sql, &stmt);

	if (result < 0)
		return result;
	result = bind(store, stmt, values, count);
	while (result == E_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		int width = sqlite3_column_count(stmt);

		must(width <= STORE_VALUES_MAX);
		for (int i = 0; i < width; i++)
			columns[i] = column(stmt, i);
		// A text that there was no memory for is not one that is damaged.
		result = sqlite3_errcode(store->db) == SQLITE_NOMEM ? fail(store, SQLITE_NOMEM) : row(ctx, columns, (size_t)width);
	}
	if (result == E_OK && rc != SQLITE_DONE)
		result = fail(store, rc);
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return result;
}

static int no_row(void *ctx, const struct store_value *columns, size_t count)
{
	(void)ctx;
	(void)columns;
	(void)count;
	return E_OK;
}

int store_run(struct store *store, const char *sql, const struct store_value *values, size_t count, size_t *ret_changed)
{
	int err = store_each(store, sql, values, count, no_row, NULL);

	if (err == E_OK && ret_changed)
		*ret_changed = (size_t)sqlite3_changes(store->db);
	return err;
}

static const char rollback_sql[] = "ROLLBACK";

int store_begin(struct store *store)
{
	sqlite3_stmt *rollback;
	int err = prepare(store, rollback_sql, &rollback); // now, as there may be no memory for it by then

	return err == E_OK ? store_run(store, "BEGIN IMMEDIATE", NULL, 0, NULL) : err;
}

int store_commit(struct store *store)
{
	return store_run(store, "COMMIT", NULL, 0, NULL);
}

void store_rollback(struct store *store)
{
	// Some errors have done it.
	bool is_over = sqlite3_get_autocommit(store->db) || store_run(store, rollback_sql, NULL, 0, NULL) == E_OK;

	must(is_over);
}

// Checkpoints ---------------------------------------------------------------------------------------------------------

static int on_wal(void *ctx, sqlite3 *db, const char *database, int pages)
{
	struct store *store = ctx;

	(void)db;
	(void)database;
	store->log_pages = (size_t)pages;
	store->log_is_carried = false;
	store->log_is_known = store->page_len == STORE_PAGE_LEN;
	return SQLITE_OK;
}

void store_keep_log(struct store *store)
{
	// A file that was found damaged is left as it is when it is closed.
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_wal_hook(store->db, on_wal, store); // instead of the one that makes checkpoints
}

size_t store_pending(const struct store *store)
{
	return store->log_is_carried ? 0 : store->log_pages * FRAME_LEN;
}

int store_checkpoint(struct store *store, bool empty)
{
	// A log that keeps its length costs less when it is written and synced again.
	int mode = empty ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
	int err = fail(store, sqlite3_wal_checkpoint_v2(store->db, NULL, mode, NULL, NULL));

	if (err == E_OK)
		store->log_is_carried = true;
	return err;
}

int store_undo_log(struct store *store)
{
	sqlite3_int64 len = 0, keep = LOG_HEADER_LEN + (sqlite3_int64)store->log_pages * FRAME_LEN;

	must(sqlite3_get_autocommit(store->db)); // rolled back
	if (store->log_is_carried)
		return store_checkpoint(store, true);
	if (!store->log_is_known)
		return E_IO;

	sqlite3_file *log = log_file(store->db);

	if (!log)
		return E_OK; // there is none, or it is in memory

	int rc = log->pMethods->xFileSize(log, &len);

	if (rc == SQLITE_OK && len > keep)
		rc = log->pMethods->xTruncate(log, keep);
	if (rc == SQLITE_OK && len > keep)
		rc = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
	return fail(store, rc);
}

int store_copy(struct store *from, struct store *to)
{
	sqlite3_backup *backup = sqlite3_backup_init(to->db, "main", from->db, "main");
	int rc = backup ? sqlite3_backup_step(backup, -1) : sqlite3_errcode(to->db);

	if (backup)
		sqlite3_backup_finish(backup);
	return rc == SQLITE_DONE ? E_OK : fail(from, rc == SQLITE_OK ? SQLITE_ERROR : rc);
}
