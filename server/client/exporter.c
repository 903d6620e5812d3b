// Learned prefixes into a file; see exporter.h.
#include "client/exporter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/must.h"
#include "client/exchange.h"
#include "client/fault.h"
#include "client/feed.h"
#include "client/json.h"
#include "client/learned_rows.h"
#include "client/member.h"
#include "client/outcome.h"
#include "client/print.h"

// The file, and what it is written as until it is complete.
struct target {
	const char *name; // "-": standard output
	char *temp;       // NULL: there is none
	FILE *out;
};

// ---- the file -------------------------------------------------------------------------------------------------------

// What is there is not replaced unless it is a file: it may be a device. NULL, or the refusal.
static json_t *open_target(struct target *target)
{
	struct stat status;
	int fd;

	target->out = stdout;
	if (strcmp(target->name, "-") == 0)
		return NULL;
	if (stat(target->name, &status) == 0 && !S_ISREG(status.st_mode))
		return client_refusal(CLIENT_REFUSED, "%s: is not a regular file; \"-\" is standard output", target->name);
	must(asprintf(&target->temp, "%s.XXXXXX", target->name) > 0);
	fd = mkostemp(target->temp, O_CLOEXEC);
	target->out = fd < 0 ? NULL : fdopen(fd, "w");
	if (target->out)
		return NULL;
	free(target->temp);
	target->temp = NULL;
	return client_refusal(CLIENT_REFUSED, "%s: cannot be written: %s", target->name, strerror(errno));
}

// As if it had been made by open(): by the umask, or as the file that it replaces.
static int set_mode(const struct target *target)
{
	struct stat status;
	mode_t mask = umask(0);

	umask(mask);
	return fchmod(fileno(target->out), stat(target->name, &status) == 0 ? status.st_mode & 07777 : 0666 & ~mask);
}

// Puts a complete file in its place; one that is not goes. NULL, or the refusal.
static json_t *close_target(struct target *target, bool is_complete)
{
	bool is_written = is_complete && fflush(target->out) == 0 && !ferror(target->out);

	if (!target->temp)
		return is_complete && !is_written ? client_refusal(CLIENT_REFUSED, "standard output: cannot be written: %s", strerror(errno)) : NULL;
	is_written = is_written && set_mode(target) == 0 && fsync(fileno(target->out)) == 0;
	is_written = fclose(target->out) == 0 && is_written && rename(target->temp, target->name) == 0;

	json_t *reply = is_complete && !is_written
	                    ? client_refusal(CLIENT_REFUSED, "%s: cannot be written: %s", target->name, strerror(errno)) : NULL;

	if (!is_written)
		unlink(target->temp);
	free(target->temp);
	return reply;
}

// ---- the parts ------------------------------------------------------------------------------------------------------

// How many rows are there, and how many of them as comments.
struct written {
	json_int_t rows, comments;
};

static void write_rows(FILE *out, const json_t *rows, struct written *written)
{
	for (size_t i = 0; i < json_array_size(rows); i++) {
		written->rows++;
		written->comments += !client_rows_write(out, json_array_get(rows, i));
	}
}

// The parts after the first one, of which it takes ownership. The last reply, or what says why there is none: NULL, *fault.
static json_t *write_parts(const struct client_member *to, json_t *request, const struct client_exchange *how, json_t *reply,
                           struct target *target, struct written *written, struct client_fault *fault)
{
	client_rows_header(target->out);
	for (;;) {
		json_t *next = json_object_get(reply, "next");

		write_rows(target->out, json_object_get(reply, "rows"), written);
		if (!next || ferror(target->out))
			return reply;
		must(json_object_set(request, "after", next) == 0);
		json_decref(reply);
		reply = client_exchange(to, request, how, fault);
		if (!reply || !json_is_true(json_object_get(reply, "ok")))
			return reply;
	}
}

// NULL: *fault says why.
static json_t *export_from(const struct client_member *to, json_t *request, unsigned timeout_s, const char *name,
                           struct client_fault *fault)
{
	const struct client_exchange how = {.timeout_s = timeout_s};
	struct target target = {.name = name};
	json_t *reply = client_exchange(to, request, &how, fault), *failure;
	struct written written = {0};
	bool is_complete;

	if (!reply || !json_is_true(json_object_get(reply, "ok")))
		return reply;
	if (json_array_size(json_object_get(reply, "rows")) == 0) {
		json_decref(reply);
		return client_refusal(CLIENT_NOTHING, "nothing is learned of that: nothing is written");
	}
	failure = open_target(&target);
	if (failure) {
		json_decref(reply);
		return failure;
	}
	reply = write_parts(to, request, &how, reply, &target, &written, fault);
	is_complete = reply && json_is_true(json_object_get(reply, "ok"));
	failure = close_target(&target, is_complete);
	if (!is_complete)
		return reply;
	json_decref(reply);
	if (failure)
		return failure;
	reply = json_pack("{s:b, s:I, s:s%}", "ok", 1, "exported", written.rows - written.comments, "file", name, strlen(name));
	if (written.comments > 0)
		json_object_set_new(reply, "warnings", json_pack("[s]", "some prefixes are comments in it, as the name of their carrier, "
		                                                        "class or site could not be read back"));
	return reply;
}

void client_export(const struct client_feeding *feeding, struct client_outcome *outcomes)
{
	const char *file = client_text(feeding->request, "file"), *name = *file ? file : "-";
	bool is_stdout = strcmp(name, "-") == 0;
	json_t *request = json_deep_copy(feeding->request), *reply = NULL;
	struct client_fault fault = {.is_unreached = false};

	must(request);
	json_object_del(request, "file");
	if (feeding->members->count > 1)
		reply = client_refusal(CLIENT_USAGE, "learned export is of one daemon: name it with -s");
	else if (is_stdout && feeding->json)
		reply = client_refusal(CLIENT_USAGE, "learned export writes a CSV to standard output: with --json it needs a FILE");
	else
		reply = export_from(&feeding->members->at[0], request, feeding->timeout_s, name, &fault);
	for (size_t i = 0; i < feeding->members->count; i++)
		client_outcome_set(&outcomes[i], json_incref(reply), &fault);
	json_decref(reply);
	json_decref(request);
}

void client_show_exported(const json_t *reply)
{
	json_int_t count = client_int(reply, "exported");
	const char *file = client_text(reply, "file");
	bool is_stdout = strcmp(file, "-") == 0;

	client_print(is_stdout ? stderr : stdout, "exported: %lld %s%s%s\n", count, count == 1 ? "prefix" : "prefixes",
	             is_stdout ? "" : " to ", is_stdout ? "" : file);
}
