// SQLite, held to what we need of it; see store.h. Write-ahead log, one connection, locked for as long as it is open,
// so that there is no file of shared memory beside it.
#include "state/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "state/store_inner.h"
#include "state/sum.h"
#include "state/wal.h"

enum {
	HEADER_LEN = 100, AT_VERSION = 60, AT_APPLICATION = 68, // https://www.sqlite.org/fileformat2.html section 1.3
	APPLICATION = 0x4553 << 16,                            // "ES"; the version once more in the lower half
};

// Versions ------------------------------------------------------------------------------------------------------------

int store_version(const struct folder *folder, const char *name, int *ret_version, const char **ret_why)
{
	unsigned char header[HEADER_LEN];
	int fd, err = folder_open_file(folder, name, &fd);

	*ret_why = "it is not a regular file, or larger than 1 GiB";
	if (err < 0)
		return err;

	ssize_t len = pread(fd, header, sizeof(header), 0);

	close(fd);
	if (len < 0 && errno != EIO)
		return E_IO;
	*ret_why = len == 0 ? "it is empty" : "it does not begin with the header of an SQLite database";
	if (len != (ssize_t)sizeof(header) || memcmp(header, "SQLite format 3", 16) != 0)
		return E_INVAL;

	uint32_t version = wal_be32(header + AT_VERSION);

	// Two fields that agree: a damaged octet does not look like a store of a later version.
	if (version == 0 || version > UINT16_MAX || wal_be32(header + AT_APPLICATION) != (APPLICATION | version))
		return E_INVAL;
	*ret_version = (int)version;
	return E_OK;
}

// The one value of a result's first row, where it is a number.
static int take_number(void *ctx, const struct store_value *columns, size_t count)
{
	if (count != 1 || columns[0].type != STORE_NUMBER)
		return E_INVAL;
	*(int64_t *)ctx = columns[0].number;
	return E_OK;
}

// Opening -------------------------------------------------------------------------------------------------------------

// A hash of what the file says its tables are.
static int add_to_sum(void *ctx, const struct store_value *columns, size_t count)
{
	uint64_t *sum = ctx;

	for (size_t i = 0; i < count; i++) {
		if (columns[i].type == STORE_OTHER || columns[i].type == STORE_NUMBER)
			return E_INVAL;
		*sum = sum_text(*sum, columns[i].text);
	}
	return E_OK;
}

static int sum_schema(struct store *store, uint64_t *ret_sum)
{
	uint64_t sum = sum_begin("schema");
	int err = store_each(store, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name", NULL, 0,
	                     add_to_sum, &sum);

	if (err == E_OK)
		*ret_sum = sum;
	return err;
}

// From the version the file has to that of the schema, in the transaction that is open.
static int run_steps(struct store *store, const struct store_schema *schema, int from)
{
	char sql[96];
	int err = E_OK;

	for (int i = from; i < schema->version && err == E_OK; i++)
		err = store_exec(store, schema->steps[i]);
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d; PRAGMA application_id = %d", schema->version,
	         APPLICATION | schema->version);
	return err == E_OK ? store_exec(store, sql) : err;
}

// NULL: out of memory. The caller's.
static char *path_of(const struct folder *folder, const char *name, const char *suffix)
{
	char *path;

	return asprintf(&path, "%s/%s%s", folder->real_path, name, suffix) < 0 ? NULL : path;
}

// That the tables are the schema's, to the letter: a damaged declaration would change what is written from now on.
static int check_schema(struct store *store, const struct store_schema *schema)
{
	struct store *model = NULL;
	uint64_t expected = 0, found = 0;
	int err = store_connect(store->name, ":memory:", false, &model);

	if (err == E_OK)
		err = run_steps(model, schema, 0);
	if (err == E_OK)
		err = sum_schema(model, &expected);
	store_close(model);
	if (err == E_OK)
		err = sum_schema(store, &found);
	if (err == E_OK && found != expected) {
		snprintf(store->error, sizeof(store->error), "its tables are not as they should be");
		err = E_INVAL;
	}
	return err;
}

static int expect_text(void *ctx, const struct store_value *columns, size_t count)
{
	return count == 1 && columns[0].type == STORE_TEXT && strcmp(columns[0].text, ctx) == 0 ? E_OK : E_INVAL;
}

static int migrate(struct store *store, const struct store_schema *schema, int from)
{
	int err = store_begin(store);

	if (err == E_OK)
		err = run_steps(store, schema, from);
	if (err == E_OK)
		err = store_commit(store);
	else
		store_rollback(store);
	// store_version() looks at the file, not at the log of writes.
	return err == E_OK ? store_checkpoint(store, false) : err;
}

static int begin_to_use(struct store *store, const struct store_schema *schema, bool synced, int64_t *ret_version)
{
	store_keep_log(store);

	int err = store_each(store, "PRAGMA user_version", NULL, 0, take_number, ret_version);

	if (err == E_OK && *ret_version > schema->version)
		return E_STATE;
	if (err == E_OK)
		err = store_each(store, "PRAGMA page_size", NULL, 0, take_number, &store->page_len);
	if (err == E_OK)
		err = store_each(store, "PRAGMA journal_mode = WAL", NULL, 0, expect_text, (void *)"wal");
	if (err == E_OK)
		err = store_exec(store, synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
	return err;
}

static int check_structure(struct store *store, const struct store_schema *schema, int64_t version)
{
	int err = store_each(store, "PRAGMA quick_check(1)", NULL, 0, expect_text, (void *)"ok");

	if (err == E_OK && sqlite3_db_readonly(store->db, "main")) // its header says so: no right of ours is missing
		err = E_INVAL;
	if (err == E_OK && version < schema->version)
		err = migrate(store, schema, (int)version);
	return err == E_OK ? check_schema(store, schema) : err;
}

// Only what SQLite may take for its own files.
static bool beside_is_sound(const struct folder *folder, const char *name)
{
	char log[FOLDER_LOG_LEN], journal[NAME_MAX + 16];

	snprintf(journal, sizeof(journal), "%s-journal", name);
	return folder_look(folder, folder_log(name, log)) != FOLDER_OTHER && folder_look(folder, journal) == FOLDER_NOTHING;
}

static void log_open_error(const struct folder *folder, const char *name, const struct store *store, int err)
{
	const char *why = store && store->error[0] ? store->error : NULL;

	if (err == E_INVAL)
		log_error("state file %s/%s is damaged: %s", folder->path, name, why ? why : "its structure is broken");
	else if (err == E_STATE)
		log_error("state file %s/%s was written by a newer edgesteerd: nothing has been changed", folder->path, name);
	else if (err < 0)
		folder_fail(folder, name, "cannot be opened", why ? why : err_text(err));
}

static struct store_file file_at(const struct folder *folder, const char *name)
{
	struct stat st;

	return fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? (struct store_file){0} :
	                                                                (struct store_file){st.st_dev, st.st_ino};
}

static bool is_same_file(struct store_file a, struct store_file b)
{
	return a.device == b.device && a.inode == b.inode;
}

// What store_undo_log() and store_is_in_place() need.
static int note_files(const struct folder *folder, const char *name, struct store *store)
{
	struct wal_found log = {0};
	char log_name[FOLDER_LOG_LEN];
	int err = wal_look(folder, name, &log);

	if (err < 0)
		return err;
	store->log_pages = log.pages;
	store->log_is_carried = log.pages == 0;
	store->log_is_known = store->page_len == STORE_PAGE_LEN;
	store->file = file_at(folder, name);
	store->log = file_at(folder, folder_log(name, log_name));
	return E_OK;
}

static int connect_at(const struct folder *folder, const char *name, struct store **ret_store)
{
	char *path = path_of(folder, name, "");
	char shown[PATH_MAX];
	int err;

	snprintf(shown, sizeof(shown), "%s/%s", folder->path, name);
	err = path ? store_connect(shown, path, false, ret_store) : E_NOMEM;
	free(path);
	return err;
}

int store_open(const struct folder *folder, const char *name, const struct store_schema *schema, bool synced,
               struct store **ret_store, bool *ret_is_sound)
{
	struct store *store = NULL;
	int64_t version = 0;
	int err;

	if (!beside_is_sound(folder, name)) {
		log_error("state file %s/%s is damaged: its -wal is not a regular file, or there is a -journal beside it",
		          folder->path, name);
		return E_INVAL;
	}
	if ((err = connect_at(folder, name, &store)) == E_OK)
		err = begin_to_use(store, schema, synced, &version);
	if (err == E_OK)
		err = note_files(folder, name, store);

	bool can_be_read = err == E_OK;

	if (err == E_OK)
		err = check_structure(store, schema, version);
	log_open_error(folder, name, store, err);
	if (err == E_OK || (err == E_INVAL && can_be_read)) {
		*ret_is_sound = err == E_OK;
		*ret_store = store;
		return E_OK;
	}
	store_close(store);
	return err;
}

bool store_can_be_written(const struct folder *folder, const char *name)
{
	char log[FOLDER_LOG_LEN];

	return faccessat(folder->fd, name, R_OK | W_OK, AT_EACCESS) == 0 &&
	       (faccessat(folder->fd, folder_log(name, log), R_OK | W_OK, AT_EACCESS) == 0 || errno == ENOENT);
}

// In memory -----------------------------------------------------------------------------------------------------------

// As SQLite's URI: without a log of writes the file does not change, and with one that is all it needs.
static char *uri_of(const struct folder *folder, const char *name)
{
	static const char hex[] = "0123456789ABCDEF";
	char log[FOLDER_LOG_LEN], path[PATH_MAX * 3], *uri;
	size_t len = 0;

	for (const char *from = folder->real_path; *from && len + 4 < sizeof(path); from++) {
		bool is_special = *from == '%' || *from == '?' || *from == '#';

		path[len++] = is_special ? '%' : *from;
		if (is_special) {
			path[len++] = hex[(unsigned char)*from >> 4];
			path[len++] = hex[(unsigned char)*from & 15];
		}
	}
	path[len] = '\0';
	return asprintf(&uri, "file:%s/%s%s", path, name,
	                folder_look(folder, folder_log(name, log)) == FOLDER_NOTHING ? "?immutable=1" : "") < 0 ? NULL : uri;
}

int store_new_in_memory(const struct folder *folder, const char *name, const struct store_schema *schema,
                        struct store **ret_store)
{
	char shown[PATH_MAX];
	struct store *store = NULL;
	int err;

	snprintf(shown, sizeof(shown), "%s/%s", folder->path, name);
	err = store_connect(shown, ":memory:", false, &store);
	if (err == E_OK)
		err = run_steps(store, schema, 0);
	if (err == E_OK)
		*ret_store = store;
	else
		store_close(store);
	return err;
}

int store_open_to_read(const struct folder *folder, const char *name, const struct store_schema *schema,
                       struct store **ret_store, bool *ret_is_sound)
{
	struct store *file = NULL, *store = NULL;
	int64_t version = 0;
	char shown[PATH_MAX], *uri;
	int err;

	if (!beside_is_sound(folder, name))
		return E_INVAL;
	snprintf(shown, sizeof(shown), "%s/%s", folder->path, name);
	uri = uri_of(folder, name);
	err = uri ? store_connect(shown, uri, true, &file) : E_NOMEM;
	free(uri);
	if (err == E_OK)
		err = store_each(file, "PRAGMA user_version", NULL, 0, take_number, &version);
	if (err == E_OK && version > schema->version)
		err = E_STATE;
	if (err == E_OK)
		err = store_connect(shown, ":memory:", false, &store);
	if (err == E_OK)
		err = store_copy(file, store);

	bool can_be_read = err == E_OK;

	if (err == E_OK)
		err = check_structure(store, schema, version);
	log_open_error(folder, name, can_be_read ? store : file, err);
	store_close(file);
	if (err == E_OK || (err == E_INVAL && can_be_read)) {
		*ret_is_sound = err == E_OK;
		*ret_store = store;
		return E_OK;
	}
	store_close(store);
	return err;
}

bool store_is_in_place(const struct folder *folder, const char *name, const struct store *store)
{
	char log[FOLDER_LOG_LEN];

	return !store->file.inode || (is_same_file(file_at(folder, name), store->file) &&
	                              is_same_file(file_at(folder, folder_log(name, log)), store->log));
}

// Building ------------------------------------------------------------------------------------------------------------

static int fill_new(struct store *store, const struct store_schema *schema,
                    int (*fill)(void *ctx, struct store *store), void *ctx)
{
	int err = store_exec(store, "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF");

	if (err == E_OK)
		err = store_begin(store);
	if (err == E_OK)
		err = run_steps(store, schema, 0);
	if (err == E_OK && fill)
		err = fill(ctx, store);
	if (err == E_OK)
		err = store_commit(store);
	return err == E_OK ? store_exec(store, "PRAGMA journal_mode = WAL") : err;
}

static int sync_file(const struct folder *folder, const char *name)
{
	int fd, err = folder_open_file(folder, name, &fd);

	if (err < 0)
		return E_IO;
	err = fsync(fd) < 0 ? E_IO : E_OK;
	close(fd);
	return err;
}

int store_build(const struct folder *folder, const char *name, const struct store_schema *schema,
                int (*fill)(void *ctx, struct store *store), void *ctx)
{
	char temp[NAME_MAX + 1];
	struct store *store = NULL;
	int fd, err;

	snprintf(temp, sizeof(temp), "%s.new", name);
	if (folder_new_file(folder, temp, &fd) < 0) {
		folder_fail(folder, name, "cannot be made", strerror(errno));
		return E_IO;
	}
	close(fd);
	err = connect_at(folder, temp, &store);
	if (err == E_OK)
		err = fill_new(store, schema, fill, ctx);
	if (err < 0)
		folder_fail(folder, name, "cannot be made", store && store->error[0] ? store->error : err_text(err));
	store_close(store);
	if (err == E_OK && (err = sync_file(folder, temp)) < 0)
		folder_fail(folder, name, "cannot be made", strerror(errno));
	if (err < 0)
		unlinkat(folder->fd, temp, 0);
	return err;
}

int store_install(const struct folder *folder, const char *name)
{
	char temp[NAME_MAX + 1];

	snprintf(temp, sizeof(temp), "%s.new", name);

	int err = folder_rename(folder, temp, name);

	if (err < 0)
		folder_fail(folder, name, "cannot be put into its place", strerror(errno));
	return err;
}
