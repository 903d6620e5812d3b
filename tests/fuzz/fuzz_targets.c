// Any octets as a file of the file plugin and as the output of a program of the exec plugin. They must terminate, put
// targets that the daemon's checks take or refuse without harm, and fail exactly when they have reported an error.
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exec/output.h"
#include "provide/batch.h"
#include "provide/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

extern const struct edgesteer_plugin edgesteer_plugin_file;

struct host {
	struct edgesteer_host lent; // first
	struct batch *batch;
	char path[64];
	int stop_fd;
	size_t errors, commits;
	enum edgesteer_source state;
};

static void check(bool is_so)
{
	if (!is_so)
		abort();
}

static const char *option(const struct edgesteer_host *lent, const char *name)
{
	return strcmp(name, "file") == 0 ? ((const struct host *)lent)->path : NULL;
}

static void report(const struct edgesteer_host *lent, enum edgesteer_level level, const char *file, size_t line,
                   const char *fmt, ...)
{
	(void)file, (void)line;
	check(fmt && *fmt);
	((struct host *)lent)->errors += level == EDGESTEER_ERROR;
}

static int begin(const struct edgesteer_host *lent)
{
	batch_begin(((struct host *)lent)->batch);
	return 0;
}

static int put(const struct edgesteer_host *lent, const struct edgesteer_target *target)
{
	struct host *host = (struct host *)lent;
	struct object *object;
	char why[OBJECT_WHY_LEN];

	check(target->size == sizeof(*target));
	if (object_make(target, &object, why) < 0)
		return EDGESTEER_REFUSED;
	check(object_same(object, object) && strlen(object->key) <= OBJECT_KEY_MAX_LEN);
	check(batch_add(host->batch, object) == 0);
	return 0;
}

static int drop(const struct edgesteer_host *lent, const char *key)
{
	struct object *object;
	char why[OBJECT_WHY_LEN];

	if (object_make_drop(key, &object, why) == 0)
		check(batch_add(((struct host *)lent)->batch, object) == 0);
	return 0;
}

static int commit(const struct edgesteer_host *lent)
{
	struct host *host = (struct host *)lent;

	(void)batch_seal(host->batch);
	for (size_t i = 1; i < host->batch->count; i++)
		check(strcmp(host->batch->objects[i - 1]->key, host->batch->objects[i]->key) < 0);
	batch_free(host->batch);
	host->batch = batch_new();
	check(host->batch != NULL);
	host->commits++;
	return 0;
}

static void source(const struct edgesteer_host *lent, const char *part, enum edgesteer_source state, const char *text)
{
	(void)part, (void)text;
	((struct host *)lent)->state = state;
}

static int stop_fd(const struct edgesteer_host *lent)
{
	return ((const struct host *)lent)->stop_fd;
}

// A file in memory with these octets, to be read from the start.
static int make_file(const uint8_t *data, size_t len)
{
	int fd = memfd_create("fuzz", 0);

	check(fd >= 0 && write(fd, data, len) == (ssize_t)len && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static struct host make_host(void)
{
	struct host host = {
		.lent = {.size = sizeof(host.lent), .option = option, .report = report, .begin = begin, .put = put, .drop = drop,
		         .commit = commit, .source = source, .stop_fd = stop_fd},
		.batch = batch_new(),
		.stop_fd = eventfd(1, 0), // readable: it reads the file once, and returns
	};

	check(host.batch && host.stop_fd >= 0);
	return host;
}

static void end_host(struct host *host)
{
	close(host->stop_fd);
	batch_free(host->batch);
}

static void as_file(const uint8_t *data, size_t len)
{
	struct host host = make_host();
	int fd = make_file(data, len);
	void *self;

	snprintf(host.path, sizeof(host.path), "/proc/self/fd/%d", fd);
	check(edgesteer_plugin_file.open(&host.lent, &self) == 0);
	check(edgesteer_plugin_file.provide(self) == 0);
	check((host.commits == 1) == (host.errors == 0));
	check((host.state == EDGESTEER_SOURCE_CURRENT) == (host.errors == 0));
	edgesteer_plugin_file.close(self);
	close(fd);
	end_host(&host);
}

static void as_output(const uint8_t *data, size_t len)
{
	struct host host = make_host();
	struct output output;
	int fd = make_file(data, len), outcome;

	check(output_begin(&output, &host.lent, fd) == 0);
	while ((outcome = output_take(&output)) == 0)
		;
	check((outcome < 0) == (host.errors == 1));
	check(output.has_committed == (host.commits > 0));
	output_done(&output);
	close(fd);
	end_host(&host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	as_file(data, len);
	as_output(data, len);
	return 0;
}
