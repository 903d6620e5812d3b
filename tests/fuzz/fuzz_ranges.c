// Any octets as a CSV file and as a geofeed of the ranges plugin. It must terminate, keep to the plugin interface in what it adds, and
// fail exactly when it has reported an error.
#include "edgesteer-plugin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

extern const struct edgesteer_plugin edgesteer_plugin_ranges;

static char path[64];
static const char *format;
static size_t errors;

static void check(int good)
{
	if (!good)
		abort();
}

static const char *option(const struct edgesteer_host *host, const char *name)
{
	(void)host;
	return strcmp(name, "file") == 0 ? path : strcmp(name, "format") == 0 ? format : NULL;
}

static int option_map(const struct edgesteer_host *host, const char *name,
                      int (*each)(void *ctx, const char *key, const char *value), void *ctx)
{
	(void)host, (void)name, (void)each, (void)ctx;
	return 0;
}

static void report(const struct edgesteer_host *host, enum edgesteer_level level, const char *file, size_t line,
                   const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void report(const struct edgesteer_host *host, enum edgesteer_level level, const char *file, size_t line,
                   const char *fmt, ...)
{
	char text[512];
	va_list ap;

	(void)host, (void)line;
	check(file == path);
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
	const char *const texts[] = {place->carrier, place->class_, place->site};

	(void)host;
	check(prefix->family == 4 || prefix->family == 6);
	check(prefix->length <= (prefix->family == 4 ? 32 : 128));
	for (unsigned bit = prefix->length; bit < 128; bit++)
		check(!(prefix->address[bit / 8] & 0x80 >> bit % 8));
	check(isnan(place->latitude) == isnan(place->longitude));
	check(isnan(place->latitude) || (fabs(place->latitude) <= 90 && fabs(place->longitude) <= 180));
	check(place->accuracy_km >= 0);
	check(!place->country || strlen(place->country) == 2);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		check(!texts[i] || (texts[i][0] && strlen(texts[i]) <= 63));
	return 0;
}

static void run(void)
{
	const struct edgesteer_host host = {.size = sizeof(host), .option = option, .option_map = option_map,
	                                    .report = report, .add = add, .reads = reads};
	void *self;

	errors = 0;
	check(edgesteer_plugin_ranges.open(&host, &self) == 0);

	int err = edgesteer_plugin_ranges.enumerate(self);

	check((err < 0) == (errors > 0));
	edgesteer_plugin_ranges.close(self);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int fd = memfd_create("ranges", 0);

	check(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	format = "csv";
	run();
	format = "geofeed";
	run();
	close(fd);
	return 0;
}
