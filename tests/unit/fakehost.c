// See fakehost.h.
#include "fakehost.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char file_path[64]; // of the file being fuzzed

static void expect(bool good)
{
	if (!good)
		abort();
}

static void *check(void *pointer)
{
	if (!pointer)
		abort();
	return pointer;
}

static const char *option(const struct edgesteer_host *lent, const char *name)
{
	const struct fakehost *host = (const struct fakehost *)lent;

	for (const struct fakehost_pair *pair = host->options; pair->key; pair++)
		if (strcmp(pair->key, name) == 0)
			return host->is_fuzzing && strcmp(pair->value, FAKEHOST_FILE) == 0 ? file_path : pair->value;
	return NULL;
}

static int option_map(const struct edgesteer_host *lent, const char *name,
                      int (*each)(void *ctx, const char *key, const char *value), void *ctx)
{
	const struct fakehost *host = (const struct fakehost *)lent;
	int stop = 0;

	(void)name;
	for (const struct fakehost_pair *pair = host->map; pair && pair->key && stop == 0; pair++)
		stop = each(ctx, pair->key, pair->value);
	return stop;
}

static void report(const struct edgesteer_host *lent, enum edgesteer_level level, const char *file, size_t line,
                   const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void report(const struct edgesteer_host *lent, enum edgesteer_level level, const char *file, size_t line,
                   const char *fmt, ...)
{
	static const char *const levels[] = {"error", "warning", "note"};
	struct fakehost *host = (struct fakehost *)lent;
	char text[1024], at[32] = "";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	host->errors += level == EDGESTEER_ERROR;
	if (host->is_fuzzing) {
		expect(*text && (!file || strcmp(file, file_path) == 0));
		return;
	}
	if (line)
		snprintf(at, sizeof(at), " %zu", line);

	size_t room = strlen(levels[level]) + strlen(at) + strlen(text) + 4;

	host->reports = check(realloc(host->reports, host->reports_len + room));
	host->reports_len +=
		(size_t)snprintf(host->reports + host->reports_len, room, "%s%s: %s\n", levels[level], at, text);
}

static void copy(char *to, const char *from)
{
	snprintf(to, 128, "%s", from ? from : "");
}

static void expect_good(const struct edgesteer_prefix *prefix, const struct edgesteer_place *place)
{
	const char *const names[] = {place->carrier, place->class_, place->site};

	expect(prefix->family == 4 || prefix->family == 6);
	expect(prefix->length <= (prefix->family == 4 ? 32 : 128));
	for (unsigned bit = prefix->length; bit < 128; bit++)
		expect(!(prefix->address[bit / 8] & 0x80 >> bit % 8));
	expect(isnan(place->latitude) == isnan(place->longitude));
	expect(isnan(place->latitude) || (fabs(place->latitude) <= 90 && fabs(place->longitude) <= 180));
	expect(!(place->accuracy_km < 0)); // NaN: not stated
	expect(!place->country || strlen(place->country) == 2);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		expect(!names[i] || (names[i][0] && strlen(names[i]) <= 63));
}

static int add(const struct edgesteer_host *lent, const struct edgesteer_prefix *prefix,
               const struct edgesteer_place *place)
{
	struct fakehost *host = (struct fakehost *)lent;

	if (host->on_add)
		host->on_add(prefix, place);
	if (host->is_fuzzing) {
		expect_good(prefix, place);
		return 0;
	}
	if (host->adds++ >= host->refuse_after && host->refuse_after)
		return -7;
	if ((host->added_count & (host->added_count - 1)) == 0) {
		size_t cap = host->added_count ? host->added_count * 2 : 1;

		host->added = check(realloc(host->added, cap * sizeof(*host->added)));
	}

	struct fakehost_added *added = &host->added[host->added_count++];

	*added = (struct fakehost_added){*prefix, place->latitude, place->longitude, place->accuracy_km, "", "", "", ""};
	copy(added->carrier, place->carrier);
	copy(added->class_, place->class_);
	copy(added->site, place->site);
	copy(added->country, place->country);
	return 0;
}

static void reads(const struct edgesteer_host *lent, const char *path)
{
	struct fakehost *host = (struct fakehost *)lent;

	copy(host->read, path);
}

void fakehost_begin(struct fakehost *host, const struct fakehost_pair *options, const struct fakehost_pair *map)
{
	*host = (struct fakehost){
		.lent = {.size = sizeof(host->lent), .option = option, .option_map = option_map, .report = report, .add = add, .reads = reads},
		.options = options,
		.map = map,
		.reports = check(strdup("")),
	};
}

int fakehost_run(struct fakehost *host, const struct edgesteer_plugin *plugin)
{
	void *instance;
	int err = plugin->open(&host->lent, &instance);

	if (err < 0)
		return err;
	err = plugin->enumerate(instance);
	plugin->close(instance);
	return err;
}

void fakehost_fuzz(const struct edgesteer_plugin *plugin, const struct fakehost_pair *options,
                   const struct fakehost_pair *map,
                   void (*on_add)(const struct edgesteer_prefix *prefix, const struct edgesteer_place *place),
                   const void *data, size_t len)
{
	int fd = memfd_create("fuzz", 0);
	struct fakehost host;

	expect(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	snprintf(file_path, sizeof(file_path), "/proc/self/fd/%d", fd);
	fakehost_begin(&host, options, map);
	host.is_fuzzing = true;
	host.on_add = on_add;
	expect((fakehost_run(&host, plugin) < 0) == (host.errors > 0));
	fakehost_end(&host);
	close(fd);
}

void fakehost_end(struct fakehost *host)
{
	free(host->reports);
	free(host->added);
}

const char *fakehost_format(const struct fakehost_added *added, char buf[static 512])
{
	char address[INET6_ADDRSTRLEN];
	size_t at;

	inet_ntop(added->prefix.family == 4 ? AF_INET : AF_INET6, added->prefix.address, address, sizeof(address));
	at = (size_t)snprintf(buf, 512, "%s/%u", address, added->prefix.length);
	if (*added->carrier)
		at += (size_t)snprintf(buf + at, 512 - at, " %s", added->carrier);
	if (!isnan(added->latitude))
		at += (size_t)snprintf(buf + at, 512 - at, " %g,%g", added->latitude, added->longitude);
	if (added->accuracy_km > 0)
		at += (size_t)snprintf(buf + at, 512 - at, " ~%g km", added->accuracy_km);
	if (*added->class_)
		at += (size_t)snprintf(buf + at, 512 - at, " %s", added->class_);
	if (*added->site)
		at += (size_t)snprintf(buf + at, 512 - at, " @%s", added->site);
	if (*added->country)
		snprintf(buf + at, 512 - at, " in %s", added->country);
	return buf;
}
