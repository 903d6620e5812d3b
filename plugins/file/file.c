// The `file` plugin: targets from a file that another program writes, as CSV with a header row or as JSON. Read again
// when it has changed and then been left alone for a second, as its writer may not be done. A file that cannot be used
// changes nothing. Where that is not for what stands in it, as without memory, it is tried again as it is.
#include "edgesteer-plugin.h"

#include <ctype.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/given.h"
#include "lib/regular.h"
#include "lib/table.h"

enum {
	LOOK_MS = 100,
	QUIET_LOOKS = 10,                   // a file counts once it was left alone for so many
	AGAIN_FIRST = 40, AGAIN_MAX = 6000, // looks between attempts to read the same file, doubled each time
};

enum { JSON_BYTES_MAX = 64 << 20, ADDRESSES_MAX = 32, KEY_LEN = 512 };

// What tells one version of a file from another. All zero: it is not there.
struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct file {
	struct table table; // first, so that a pointer to it is one to this
	const struct edgesteer_host *host;
	const char *path;
	bool may_pass; // the failure to take it: that is not for what stands in it
};

// Takes what the host or the system says while the file is read.
static int note(struct file *file, int err)
{
	if (err < 0)
		file->may_pass = true;
	return err;
}

// ---- CSV ------------------------------------------------------------------------------------------------------------

enum column { APP, SITE, ADDRESS, ALIAS, CHECK, KEY, COLUMNS };

static const char *const column_names[COLUMNS] = {[APP] = "app",     [SITE] = "site",           [ADDRESS] = "address",
                                                  [ALIAS] = "alias", [CHECK] = "check-address", [KEY] = "key"};

// Addresses with blanks between them. Returns how many, cut at ADDRESSES_MAX + 1.
static size_t split_addresses(char *text, const char **addresses)
{
	size_t count = 0;
	char *rest;

	for (char *at = strtok_r(text, " ", &rest); at && count <= ADDRESSES_MAX; at = strtok_r(NULL, " ", &rest))
		addresses[count++] = at;
	return count;
}

static int put_row(struct table *table, const struct csv_text *fields)
{
	struct file *file = (struct file *)table;
	struct edgesteer_target target = {.size = sizeof(target)};
	const char *texts[COLUMNS] = {0}, *addresses[ADDRESSES_MAX + 1];
	char *address = NULL, key[KEY_LEN];
	int err;

	for (size_t i = 0; i < table->fields; i++) {
		if (fields[i].len > 0)
			texts[table->order[i]] = fields[i].start;
		if (fields[i].len > 0 && table->order[i] == ADDRESS)
			address = fields[i].start;
	}
	if (!texts[APP] || !texts[SITE]) {
		table_error(table, "%s is empty", texts[APP] ? "site" : "app");
		return 0;
	}
	snprintf(key, sizeof(key), "%s %s", texts[APP], texts[SITE]);
	target.key = texts[KEY] ? texts[KEY] : key;
	target.app = texts[APP];
	target.site = texts[SITE];
	target.alias = texts[ALIAS];
	target.check_address = texts[CHECK];
	target.addresses = addresses;
	target.address_count = address ? split_addresses(address, addresses) : 0;
	err = file->host->put(file->host, &target);
	return err == EDGESTEER_REFUSED ? 0 : note(file, err);
}

static void check_header(struct table *table, const bool *have)
{
	if (!have[ADDRESS] && !have[ALIAS])
		table_error(table, "neither address nor alias is among the columns");
}

static const struct table_kind csv_kind = {
	.names = column_names,
	.count = COLUMNS,
	.required = SITE + 1,
	.example = "a header row that names the columns, such as app,site,address,alias,check-address",
	.check_header = check_header,
	.row = put_row,
};

static int read_csv(struct file *file)
{
	int err = table_open(&file->table, &csv_kind, file->host, file->path);

	if (err == 0)
		err = note(file, file->host->begin(file->host));
	if (err == 0)
		err = table_read(&file->table);
	table_close(&file->table);
	return err;
}

// ---- JSON -----------------------------------------------------------------------------------------------------------

static int fail(const struct file *file, size_t line, const char *why)
{
	file->host->report(file->host, EDGESTEER_ERROR, file->path, line, "%s", why);
	return -1;
}

// The text of a file, for free(), with a final zero. NULL: it cannot be read (reported).
static char *read_text(struct file *file, size_t *ret_len)
{
	char *text = NULL;
	size_t len = 0;
	off_t size;
	ssize_t got = 1;
	int fd;
	const char *why = regular_open(file->path, &fd, &size);

	if (why) {
		note(file, fail(file, 0, why));
		return NULL;
	}
	if (size <= JSON_BYTES_MAX)
		text = malloc((size_t)size + 1);
	while (text && len < (size_t)size && (got = read(fd, text + len, (size_t)size - len)) > 0)
		len += (size_t)got;
	close(fd);
	if (!text || got < 0) {
		note(file, fail(file, 0, size > JSON_BYTES_MAX ? "is larger than 64 MiB" : text ? "cannot be read" : "out of memory"));
		free(text);
		return NULL;
	}
	text[len] = '\0';
	*ret_len = len;
	return text;
}

static int read_json(struct file *file, const char *text, size_t len)
{
	char why[GIVEN_WHY_LEN] = "the daemon takes no more";
	json_error_t error;
	json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	int err;

	if (!json) {
		err = fail(file, error.line > 0 ? (size_t)error.line : 0, error.text);
		return json_error_code(&error) == json_error_out_of_memory ? note(file, err) : err;
	}
	err = given_put_list(file->host, json_is_object(json) ? json_object_get(json, "targets") : json, why);
	if (err < 0)
		fail(file, 0, why);
	if (err != -1) // that is what stands in it
		note(file, err);
	json_decref(json);
	return err;
}

// ---- reading it when it changes -------------------------------------------------------------------------------------

// JSON begins with a bracket, which no header row does.
static int read_file(struct file *file)
{
	size_t len, blanks = 0;
	char *text = read_text(file, &len);
	int err = -1;

	if (!text)
		return -1;
	while (blanks < len && isspace((unsigned char)text[blanks]))
		blanks++;
	err = text[blanks] == '[' || text[blanks] == '{' ? read_json(file, text, len) : read_csv(file);
	free(text);
	return err;
}

static bool get_stamp(const char *path, struct stamp *ret_stamp)
{
	struct stat status;

	memset(ret_stamp, 0, sizeof(*ret_stamp));
	if (stat(path, &status) < 0)
		return false;
	ret_stamp->device = status.st_dev;
	ret_stamp->inode = status.st_ino;
	ret_stamp->size = status.st_size;
	ret_stamp->changed = status.st_mtim;
	return true;
}

static bool is_same(const struct stamp *a, const struct stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

// Reads the file as it was seen. What is read from one that changes meanwhile is not committed: it will be seen again.
static void take_file(struct file *file, const struct stamp *seen, bool is_there)
{
	const struct edgesteer_host *host = file->host;
	struct stamp after;
	bool is_good;

	file->may_pass = false;
	is_good = is_there && read_file(file) == 0;
	if (is_there && get_stamp(file->path, &after) && !is_same(seen, &after))
		is_good = false;
	if (is_good)
		is_good = note(file, host->commit(host)) == 0;
	host->source(host, NULL, is_good ? EDGESTEER_SOURCE_CURRENT : EDGESTEER_SOURCE_AWAY,
	             is_good ? NULL : file->may_pass ? "it is tried again later" : is_there ? "it cannot be used as it is"
	                                                                     : "there is no such file");
}

// Whether the host wants it to stop within that time.
static bool stops_within(const struct file *file, int ms)
{
	struct pollfd wait = {.fd = file->host->stop_fd(file->host), .events = POLLIN};

	return poll(&wait, 1, ms) > 0;
}

static int file_provide(void *self)
{
	struct file *file = self;
	struct stamp seen, taken;
	bool is_there = get_stamp(file->path, &seen);
	unsigned quiet_looks = 0, looks = 0, again = AGAIN_FIRST;

	take_file(file, &seen, is_there);
	taken = seen;
	while (!stops_within(file, LOOK_MS)) {
		struct stamp now;
		bool is_new;

		is_there = get_stamp(file->path, &now);
		is_new = !is_same(&now, &taken);
		quiet_looks = is_same(&now, &seen) ? quiet_looks + 1 : 0;
		seen = now;
		if (quiet_looks < QUIET_LOOKS || !(is_new || (file->may_pass && ++looks >= again)))
			continue;
		again = is_new ? AGAIN_FIRST : again * 2 < AGAIN_MAX ? again * 2 : AGAIN_MAX;
		looks = 0;
		take_file(file, &now, is_there);
		taken = now;
	}
	return 0;
}

static int file_open(const struct edgesteer_host *host, void **ret_self)
{
	struct file *file = calloc(1, sizeof(*file));

	if (!file) {
		host->report(host, EDGESTEER_ERROR, NULL, 0, "out of memory");
		return -1;
	}
	file->host = host;
	file->path = host->option(host, "file");
	*ret_self = file;
	return 0;
}

static const struct edgesteer_option file_options[] = {
	{"file", EDGESTEER_FILE, 1, NULL, "A CSV file with a header row that names its columns: app, site, address (or several, "
	                                  "with blanks between) or alias, and check-address; or JSON likewise."},
	{NULL, EDGESTEER_TEXT, 0, NULL, NULL},
};

EDGESTEER_PLUGIN(file) = {
	.abi_major = EDGESTEER_PLUGIN_ABI_MAJOR,
	.abi_minor = EDGESTEER_PLUGIN_ABI_MINOR,
	.size = sizeof(struct edgesteer_plugin),
	.name = "file",
	.summary = "targets from a file that another program writes",
	.options = file_options,
	.open = file_open,
	.close = free,
	.provide = file_provide,
};
