// From a file into what is learned; see importer.h. Every member has a thread; what it is sent is read anew from the text, which
// all share. The file is checked as a whole before the first row of it is taken.
#include "client/importer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/must.h"
#include "base/parallel.h"
#include "client/exchange.h"
#include "client/fault.h"
#include "client/feed.h"
#include "client/json.h"
#include "client/learned_rows.h"
#include "client/member.h"
#include "client/outcome.h"
#include "client/print.h"

enum {
	FILE_MAX = 256 << 20,
	BATCH_OCTETS = 60000, // of rows in a request, which a daemon takes up to 65536 of
	BATCH_ROWS = 1000,
	ERRORS_MAX = 100,     // shown; more are counted
	WRITTEN_MS = 20000,   // without anything being written: then it is not waited for
	WRITTEN_POLL_MS = 50,
	UNWRITTEN_MAX = 100000, // rows that may wait in a daemon to be written, a fraction of those that it has room for
};

static const char *const count_keys[] = {"imported", "same", "newer", "expired", "no_room", "ignored", "out_of_reach"};

enum { IMPORTED, SAME, NEWER, EXPIRED, NO_ROOM, IGNORED, OUT_OF_REACH, COUNTS };

_Static_assert(ARRAY_LEN(count_keys) == COUNTS, "each has a name");

struct error {
	size_t line, column;
	char *text; // owned
};

// The first ones by line, of `count`.
struct errors {
	struct error list[ERRORS_MAX];
	size_t kept, count;
};

struct file {
	const char *name;
	char *text;
	size_t len, rows; // rows: right ones
	struct errors errors;
	bool is_dry;
	unsigned timeout_s;
};

// Where a row of a batch is in the file.
struct origin {
	size_t line, starts[ROWS_COLUMNS];
};

// What is done with one member.
struct importer {
	const struct client_member *to;
	const struct file *file;
	bool is_dry;            // this pass
	json_t *batch;          // rows that are to be sent
	struct origin *origins; // of them
	size_t octets;
	struct errors errors;
	json_int_t counts[COUNTS], queued, written, lost, lost_first;
	json_t *refusal;        // that ends it; NULL: none
	struct client_fault fault;
	bool has_failed;        // with a refusal or a fault
	bool is_unwritten;
};

// ---- errors ---------------------------------------------------------------------------------------------------------

static bool is_before(const struct error *a, size_t line, size_t column)
{
	return a->line < line || (a->line == line && a->column <= column);
}

static void add_error(struct errors *errors, size_t line, size_t column, const char *text)
{
	size_t at = errors->kept;

	errors->count++;
	if (at == ERRORS_MAX) {
		if (is_before(&errors->list[at - 1], line, column))
			return;
		free(errors->list[--at].text);
	}
	for (; at > 0 && !is_before(&errors->list[at - 1], line, column); at--)
		errors->list[at] = errors->list[at - 1];
	errors->list[at] = (struct error){line, column, client_clean(text)};
	errors->kept += errors->kept < ERRORS_MAX;
}

static void wipe_errors(struct errors *errors)
{
	for (size_t i = 0; i < errors->kept; i++)
		free(errors->list[i].text);
}

// As texts with the place in the file, and behind the last one how many more there are.
static json_t *errors_json(const struct file *file, const struct errors *errors)
{
	json_t *list = json_array();
	char *text;

	for (size_t i = 0; i <= errors->kept; i++) {
		const struct error *error = &errors->list[i];
		int len = 0;

		if (i == errors->kept && errors->count == errors->kept)
			break;
		if (i == errors->kept)
			len = asprintf(&text, "%s: %zu more errors", file->name, errors->count - errors->kept);
		else if (error->line == 0)
			len = asprintf(&text, "%s: %s", file->name, error->text);
		else if (error->column == 0)
			len = asprintf(&text, "%s:%zu: %s", file->name, error->line, error->text);
		else
			len = asprintf(&text, "%s:%zu:%zu: %s", file->name, error->line, error->column, error->text);
		must(len > 0);

		char *clean = client_clean(text);

		must(json_array_append_new(list, json_string(clean)) == 0);
		free(clean);
		free(text);
	}
	return list;
}

// ---- the file -------------------------------------------------------------------------------------------------------

// A pipe too, so not by infile.h. NULL, or why it cannot be read.
static const char *read_all(struct file *file, int fd)
{
	size_t cap = 1 << 16;
	ssize_t got;

	file->text = malloc(cap);
	must(file->text);
	for (;;) {
		got = read(fd, file->text + file->len, cap - file->len);
		if (got == 0)
			return NULL;
		if (got < 0 && errno != EINTR)
			return strerror(errno);
		file->len += got > 0 ? (size_t)got : 0;
		if (file->len > FILE_MAX)
			return "it is larger than 256 MiB";
		if (file->len == cap) {
			cap *= 2;
			file->text = realloc(file->text, cap);
			must(file->text);
		}
	}
}

_Static_assert(FILE_MAX == 256 << 20, "a message says so");

static const char *read_file(struct file *file, const char *path)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	const char *why = fd < 0 ? strerror(errno) : read_all(file, fd);

	if (fd >= 0 && !is_stdin)
		close(fd);
	return why;
}

struct seen {
	struct prefix prefix;
	size_t line, column;
};

static int compare(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	int order = memcmp(&x->prefix, &y->prefix, sizeof(x->prefix));

	return order ? order : x->line < y->line ? -1 : x->line > y->line;
}

_Static_assert(sizeof(struct prefix) == sizeof(struct addr) + 1 && sizeof(struct addr) == 17, "prefixes are compared as octets");

static void find_duplicates(struct file *file, struct seen *seen, size_t count)
{
	char text[ADDR_TEXT_LEN], why[ADDR_TEXT_LEN + 64];

	qsort(seen, count, sizeof(*seen), compare);
	for (size_t i = 1; i < count; i++) {
		if (memcmp(&seen[i - 1].prefix, &seen[i].prefix, sizeof(struct prefix)) != 0)
			continue;
		snprintf(why, sizeof(why), "prefix: %s is on line %zu already", prefix_format(&seen[i].prefix, text), seen[i - 1].line);
		add_error(&file->errors, seen[i].line, seen[i].column, why);
	}
}

static void note_wrong(void *ctx, size_t line, size_t column, const char *why)
{
	add_error(ctx, line, column, why);
}

// What can be seen without a daemon.
static void check_file(struct file *file)
{
	struct client_rows rows;
	struct seen *seen = NULL;
	size_t cap = 0;

	client_rows_begin(&rows, file->text, file->len, note_wrong, &file->errors);
	for (json_t *row; (row = client_rows_next(&rows)); json_decref(row)) {
		if (file->rows == cap) {
			cap = cap ? cap * 2 : 1024;
			seen = reallocarray(seen, cap, sizeof(*seen));
			must(seen);
		}
		seen[file->rows++] = (struct seen){rows.prefix, rows.line, rows.starts[ROWS_PREFIX]};
	}
	if (file->rows > 0)
		find_duplicates(file, seen, file->rows);
	free(seen);
}

// ---- batches --------------------------------------------------------------------------------------------------------

static size_t start_of(const struct origin *origin, const char *name)
{
	struct client_rows rows = {.text = NULL};

	memcpy(rows.starts, origin->starts, sizeof(rows.starts));
	return client_rows_start(&rows, name);
}

static void add_refused(struct importer *importer, const json_t *refused, json_int_t wrong)
{
	size_t count = json_array_size(importer->batch);

	for (size_t i = 0; i < json_array_size(refused); i++) {
		const json_t *one = json_array_get(refused, i);
		json_int_t row = client_int(one, "row");
		const char *field = client_text(one, "field");
		char why[512];

		if (row < 0 || (size_t)row >= count)
			continue;
		snprintf(why, sizeof(why), "%s%s%s", field, *field ? ": " : "", client_text(one, "why"));
		add_error(&importer->errors, importer->origins[row].line, start_of(&importer->origins[row], field), why);
	}
	if (wrong > (json_int_t)json_array_size(refused))
		importer->errors.count += (size_t)wrong - json_array_size(refused);
}

// A daemon's reply, of which it takes ownership. False: it ends the import.
static bool take_reply(struct importer *importer, json_t *reply)
{
	const json_t *refused = json_object_get(reply, "refused");
	bool goes_on = true;

	if (refused) {
		add_refused(importer, refused, client_int(reply, "wrong"));
		goes_on = importer->is_dry; // all that is wrong is looked for
	} else if (reply && json_is_true(json_object_get(reply, "ok"))) {
		for (size_t i = 0; i < COUNTS; i++)
			importer->counts[i] += client_int(reply, count_keys[i]);
		importer->queued = client_int(reply, "queued");
		importer->written = client_int(reply, "written");
		importer->lost = client_int(reply, "lost");
	} else {
		importer->refusal = json_incref(reply);
		goes_on = false;
	}
	json_decref(reply);
	importer->has_failed = !goes_on;
	return goes_on;
}

static bool send_batch(struct importer *importer)
{
	const struct client_exchange how = {.changes = true, .timeout_s = importer->file->timeout_s};
	json_t *request = json_pack("{s:s, s:O, s:I, s:b}", "verb", "learned import", "rows", importer->batch, "total",
	                            (json_int_t)importer->file->rows, "dry_run", importer->is_dry);
	bool goes_on;

	must(request);
	goes_on = take_reply(importer, client_exchange(importer->to, request, &how, &importer->fault));
	json_decref(request);
	json_array_clear(importer->batch);
	importer->octets = 0;
	return goes_on;
}

// The daemon writes behind: waits until all but `left` of the rows that wait now are on disk. False: nothing more is written.
static bool await_written(struct importer *importer, json_int_t left)
{
	json_int_t wanted = importer->queued - left, before = importer->written;
	int64_t end_ms = clock_mono_ms() + WRITTEN_MS;

	while (!importer->has_failed && importer->written < wanted && clock_mono_ms() < end_ms) {
		(void)poll(NULL, 0, WRITTEN_POLL_MS);
		send_batch(importer); // empty: it only asks
		if (importer->written > before)
			end_ms = clock_mono_ms() + WRITTEN_MS;
		before = importer->written;
	}
	return importer->written >= wanted;
}

// Without outrunning the daemon's disk: it has room for so many changes that wait, and for no more.
static bool send_full(struct importer *importer)
{
	bool goes_on = send_batch(importer);

	if (goes_on && !importer->is_dry && !importer->is_unwritten && importer->queued - importer->written > UNWRITTEN_MAX)
		importer->is_unwritten = !await_written(importer, UNWRITTEN_MAX / 2);
	return goes_on && !importer->has_failed;
}

static bool add_row(struct importer *importer, const struct client_rows *rows, json_t *row)
{
	size_t octets = json_dumpb(row, NULL, 0, JSON_COMPACT) + 1, count = json_array_size(importer->batch);
	bool goes_on = count < BATCH_ROWS && importer->octets + octets <= BATCH_OCTETS ? true : send_full(importer);
	struct origin *origin = &importer->origins[json_array_size(importer->batch)];

	origin->line = rows->line;
	memcpy(origin->starts, rows->starts, sizeof(origin->starts));
	importer->octets += octets;
	must(json_array_append_new(importer->batch, row) == 0);
	return goes_on;
}

// Sends all, to be checked or to be taken.
static void send_all(struct importer *importer, bool is_dry)
{
	struct client_rows rows;
	bool goes_on = true;

	importer->is_dry = is_dry;
	memset(importer->counts, 0, sizeof(importer->counts));
	client_rows_begin(&rows, importer->file->text, importer->file->len, NULL, NULL);
	for (json_t *row; goes_on && (row = client_rows_next(&rows));)
		goes_on = add_row(importer, &rows, row);
	if (goes_on && json_array_size(importer->batch) > 0)
		send_batch(importer);
	json_array_clear(importer->batch);
}

static int import_into(void *ctx, size_t number)
{
	struct importer *importer = (struct importer *)ctx + number;
	const struct file *file = importer->file;

	send_all(importer, true);
	importer->lost_first = importer->lost;
	if (importer->has_failed || importer->errors.count > 0 || file->errors.count > 0 || file->is_dry)
		return 0;
	send_all(importer, false);
	if (importer->counts[IMPORTED] > 0) // a crash of the daemon now would lose what is not on disk
		importer->is_unwritten = !await_written(importer, 0) || importer->lost > importer->lost_first;
	return 0;
}

// ---- outcomes -------------------------------------------------------------------------------------------------------

static json_t *set_counts(json_t *reply, const struct importer *importer)
{
	for (size_t i = 0; i < COUNTS; i++)
		json_object_set_new(reply, count_keys[i], json_integer(importer->counts[i]));
	json_object_set_new(reply, "dry_run", json_boolean(importer->file->is_dry));
	if (importer->is_unwritten)
		json_object_set_new(reply, "warnings", json_pack("[s]", "it is answered from, but not on disk yet: the daemon would lose it "
		                                                        "by a crash; its log may say why"));
	return reply;
}

// What was found to be wrong, by us or by the daemon; the first ones of both by their lines. NULL: nothing.
static json_t *reply_of_errors(struct importer *importer)
{
	const struct file *file = importer->file;
	json_int_t imported = importer->is_dry ? 0 : importer->counts[IMPORTED];
	size_t own = importer->errors.count;
	json_t *reply;

	for (size_t i = 0; i < file->errors.kept; i++)
		add_error(&importer->errors, file->errors.list[i].line, file->errors.list[i].column, file->errors.list[i].text);
	importer->errors.count = own + file->errors.count;
	if (importer->errors.count == 0)
		return NULL;
	if (imported > 0) // the config has changed between the check and the import
		reply = client_refusal(CLIENT_PARTLY, "%.300s: %lld prefixes were imported, until an error that was none before", file->name,
		                (long long)imported);
	else
		reply = client_refusal(CLIENT_USAGE, "%.300s: %zu %s; nothing was imported", file->name, importer->errors.count,
		                importer->errors.count == 1 ? "error" : "errors");
	json_object_set_new(reply, "errors", errors_json(file, &importer->errors));
	return reply;
}

// Which of them is set tells why:
//
//   what came of it                                      exit code
//   errors                                               2; 5 where some were imported
//   the daemon refuses, or cannot be reached             its own; 5 where some were imported
//   no room for some                                     5, for all 1
//   none is imported, as nothing is new, or in the file  3
//   else                                                 0
static json_t *reply_of(struct importer *importer)
{
	const struct file *file = importer->file;
	const json_int_t *counts = importer->counts;
	json_t *reply = reply_of_errors(importer);

	if (reply)
		return reply;
	if (importer->has_failed && !importer->is_dry && counts[IMPORTED] > 0) {
		const char *why = importer->refusal ? client_text(importer->refusal, "error") : importer->fault.text;

		return client_refusal(CLIENT_PARTLY, "%lld of %zu prefixes were imported, then: %.300s", (long long)counts[IMPORTED], file->rows, why);
	}
	if (importer->has_failed)
		return json_incref(importer->refusal);
	if (counts[NO_ROOM] > 0)
		return set_counts(client_refusal(counts[IMPORTED] > 0 ? CLIENT_PARTLY : CLIENT_REFUSED,
		                          "there is no room for %lld of %zu prefixes beside busier ones, see `learned: max`, or for the names of their classes",
		                          (long long)counts[NO_ROOM], file->rows), importer);
	if (counts[IMPORTED] == 0)
		return set_counts(client_refusal(CLIENT_NOTHING, "%.300s: nothing to import%s", file->name, file->rows ? "" : ": there are no prefixes"),
		                  importer);
	return set_counts(json_pack("{s:b}", "ok", 1), importer);
}

static void run(const struct client_feeding *feeding, struct file *file, struct client_outcome *outcomes)
{
	size_t count = feeding->members->count;
	struct importer *importers = calloc(count, sizeof(*importers));

	must(importers);
	for (size_t i = 0; i < count; i++) {
		importers[i] = (struct importer){.to = &feeding->members->at[i], .file = file, .batch = json_array(),
		                                 .origins = calloc(BATCH_ROWS, sizeof(struct origin))};
		must(importers[i].batch && importers[i].origins);
	}
	must(parallel_run_on((unsigned)count, count, import_into, importers) == 0);
	for (size_t i = 0; i < count; i++) {
		client_outcome_set(&outcomes[i], reply_of(&importers[i]), &importers[i].fault);
		json_decref(importers[i].refusal);
		json_decref(importers[i].batch);
		free(importers[i].origins);
		wipe_errors(&importers[i].errors);
	}
	free(importers);
}

void client_import(const struct client_feeding *feeding, struct client_outcome *outcomes)
{
	const char *path = client_text(feeding->request, "file");
	struct file file = {.name = strcmp(path, "-") == 0 ? "standard input" : path, .timeout_s = feeding->timeout_s,
	                    .is_dry = json_is_true(json_object_get(feeding->request, "dry-run"))};
	const char *why = read_file(&file, path);
	const struct client_fault fault = {.is_unreached = false};

	if (!why)
		check_file(&file);
	if (!why)
		run(feeding, &file, outcomes);
	for (size_t i = 0; why && i < feeding->members->count; i++)
		client_outcome_set(&outcomes[i], client_refusal(CLIENT_USAGE, "%.300s: cannot be read: %s", file.name, why), &fault);
	wipe_errors(&file.errors);
	free(file.text);
}

void client_show_imported(const json_t *reply)
{
	static const char *const texts[COUNTS] = {
		[SAME] = "known like that already", [NEWER] = "heard of since", [EXPIRED] = "too old",
		[NO_ROOM] = "without room", [IGNORED] = "with nothing in reach",
	};
	json_int_t imported = client_int(reply, "imported"), out_of_reach = client_int(reply, "out_of_reach");
	const char *between = "";

	client_print(stdout, json_is_true(json_object_get(reply, "dry_run")) ? "would be imported: %lld %s\n" : "imported: %lld %s\n",
	             imported, imported == 1 ? "prefix" : "prefixes");
	for (size_t i = 0; i < COUNTS; i++) {
		json_int_t count = client_int(reply, count_keys[i]);

		if (!texts[i] || count == 0)
			continue;
		client_print(stdout, "%s%lld %s", *between ? between : "not: ", count, texts[i]);
		between = ", ";
	}
	if (*between)
		client_print(stdout, "\n");
	if (out_of_reach > 0)
		client_print(stdout, "ignored: %lld %s that no client of the prefix can reach\n", out_of_reach,
		             out_of_reach == 1 ? "site" : "sites");
}
