// Any octets as a database of the mmdb plugin, for both of its options. It must terminate, keep to the plugin interface
// in what it hands over, and fail exactly when it has reported an error.
#include "edgesteer-plugin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

extern const struct edgesteer_plugin edgesteer_plugin_mmdb;

static char path[64];
static size_t errors;

static void check(int good)
{
	if (!good)
		abort();
}

static const char *option(const struct edgesteer_host *host, const char *name)
{
	(void)host;
	return strcmp(name, "city") == 0 || strcmp(name, "isp") == 0 ? path : NULL;
}

static int option_map(const struct edgesteer_host *host, const char *name,
                      int (*each)(void *ctx, const char *key, const char *value), void *ctx)
{
	int stop = each(ctx, "AS1", "one");

	(void)host, (void)name;
	return stop ? stop : each(ctx, "x", "two");
}

static void report(const struct edgesteer_host *host, enum edgesteer_level level, const char *file, size_t line,
                   const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void report(const struct edgesteer_host *host, enum edgesteer_level level, const char *file, size_t line,
                   const char *fmt, ...)
{
	char text[512];
	va_list ap;

	(void)host, (void)file, (void)line;
	errors += level == EDGESTEER_ERROR;
	va_start(ap, fmt);
	check(vsnprintf(text, sizeof(text), fmt, ap) > 0);
	va_end(ap);
}

static void reads(const struct edgesteer_host *host, const char *file)
{
	(void)host;
	(void)file;
}

static int add(const struct edgesteer_host *host, const struct edgesteer_prefix *prefix,
               const struct edgesteer_place *place)
{
	(void)host;
	check(prefix->family == 4 || prefix->family == 6);
	check(prefix->length <= (prefix->family == 4 ? 32 : 128));
	for (unsigned bit = prefix->length; bit < 128; bit++)
		check(!(prefix->address[bit / 8] & 0x80 >> bit % 8));
	check(isnan(place->latitude) == isnan(place->longitude));
	check(isnan(place->latitude) || (fabs(place->latitude) <= 90 && fabs(place->longitude) <= 180));
	check(!place->country || strlen(place->country) == 2);
	check(place->carrier || place->country || !isnan(place->latitude));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct edgesteer_host host = {.size = sizeof(host), .option = option, .option_map = option_map,
	                                    .report = report, .add = add, .reads = reads};
	int fd = memfd_create("mmdb", 0);
	void *self;

	check(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	errors = 0;

	int err = edgesteer_plugin_mmdb.open(&host, &self);

	if (err == 0) {
		err = edgesteer_plugin_mmdb.enumerate(self);
		edgesteer_plugin_mmdb.close(self);
	}
	check((err < 0) == (errors > 0));
	close(fd);
	return 0;
}
