// See fakehost.h.
#include "fakehost.h"

#include <arpa/inet.h>
#include <math.h>
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
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

static void trace(struct fakehost *host, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void trace(struct fakehost *host, const char *fmt, ...)
{
	va_list ap;

	if (!host->trace)
		return;
	va_start(ap, fmt);
	vfprintf(host->trace, fmt, ap);
	va_end(ap);
	fputc('\n', host->trace);
}

static const char *option(const struct edgesteer_host *lent, const char *name)
{
	const struct fakehost *host = (const struct fakehost *)lent;

	for (const struct fakehost_pair *pair = host->options; pair->key; pair++)
		if (strcmp(pair->key, name) == 0)
			return host->is_fuzzing && strcmp(pair->value, FAKEHOST_FILE) == 0 ? file_path : pair->value;
	for (const struct edgesteer_option *row = host->plugin ? host->plugin->options : NULL; row && row->name; row++)
		if (strcmp(row->name, name) == 0)
			return row->fallback;
	return NULL;
}

static int option_map(const struct edgesteer_host *lent, const char *name,
                      int (*each)(void *ctx, const char *key, const char *value), void *ctx)
{
	const struct fakehost *host = (const struct fakehost *)lent;
	const struct fakehost_pair *pairs = host->maps ? NULL : host->map;
	int stop = 0;

	for (const struct fakehost_map *map = host->maps; map && map->name; map++)
		if (strcmp(map->name, name) == 0)
			pairs = map->pairs;
	for (const struct fakehost_pair *pair = pairs; pair && pair->key && stop == 0; pair++)
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

	pthread_mutex_lock(&host->lock);
	host->reports = check(realloc(host->reports, host->reports_len + room));
	host->reports_len +=
		(size_t)snprintf(host->reports + host->reports_len, room, "%s%s: %s\n", levels[level], at, text);
	trace(host, "report\t%s: %s", levels[level], text);
	if (host->trace)
		fflush(host->trace);
	pthread_mutex_unlock(&host->lock);
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
	expect(place->site_count <= 4);
	for (size_t i = 0; i < place->site_count; i++)
		expect(place->sites[i][0] && strlen(place->sites[i]) <= 63);
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
	copy(added->site, place->site_count ? NULL : place->site);
	for (size_t i = 0, at = 0; i < place->site_count; i++)
		at += (size_t)snprintf(added->site + at, sizeof(added->site) - at, "%s%s", i ? ";" : "", place->sites[i]);
	copy(added->country, place->country);
	return 0;
}

// ---- provide() ------------------------------------------------------------------------------------------------------

struct fakehost_op {
	char *key, *text; // text NULL: dropped
};

static int compare_ops(const void *a, const void *b)
{
	return strcmp(((const struct fakehost_op *)a)->key, ((const struct fakehost_op *)b)->key);
}

static void free_op(void *op)
{
	free(((struct fakehost_op *)op)->key);
	free(((struct fakehost_op *)op)->text);
	free(op);
}

static const char *path(const struct edgesteer_host *lent, const char *written)
{
	(void)lent;
	return written; // tests write whole ones
}

static int begin(const struct edgesteer_host *lent)
{
	struct fakehost *host = (struct fakehost *)lent;

	pthread_mutex_lock(&host->lock);
	host->whole = true;
	host->wholes++;
	trace(host, "begin");
	pthread_mutex_unlock(&host->lock);
	return 0;
}

static void add_op(struct fakehost *host, const char *key, char *text)
{
	if ((host->op_count & (host->op_count - 1)) == 0) {
		size_t cap = host->op_count ? host->op_count * 2 : 1;

		host->ops = check(realloc(host->ops, cap * sizeof(*host->ops)));
	}
	host->ops[host->op_count++] = (struct fakehost_op){check(strdup(key)), text};
	if (text)
		trace(host, "put\t%s\t%s", key, text);
	else
		trace(host, "drop\t%s", key);
}

static char *describe(const struct edgesteer_target *target)
{
	static const char *const words[] = {"unknown", "ready", "unready"};
	char *text = NULL;
	size_t len;
	FILE *file = check(open_memstream(&text, &len));

	fprintf(file, "%s %s %s", target->app, target->site, target->alias ? target->alias : "");
	for (size_t i = 0; i < target->address_count; i++)
		fprintf(file, "%s%s", i ? "," : "", target->addresses[i]);
	fprintf(file, " %lld %s", (long long)target->created_s, words[target->health]);
	fclose(file);
	return text;
}

static int put(const struct edgesteer_host *lent, const struct edgesteer_target *target)
{
	struct fakehost *host = (struct fakehost *)lent;
	bool refused = host->refuses && host->refuses(target);

	pthread_mutex_lock(&host->lock);
	add_op(host, target->key, refused ? NULL : describe(target));
	pthread_mutex_unlock(&host->lock);
	return refused ? EDGESTEER_REFUSED : 0;
}

static int drop(const struct edgesteer_host *lent, const char *key)
{
	struct fakehost *host = (struct fakehost *)lent;

	pthread_mutex_lock(&host->lock);
	add_op(host, key, NULL);
	pthread_mutex_unlock(&host->lock);
	return 0;
}

static void apply(struct fakehost *host, struct fakehost_op *op)
{
	struct fakehost_op **found = tfind(op, &host->targets, compare_ops);

	if (found) {
		struct fakehost_op *old = *found;

		tdelete(old, &host->targets, compare_ops);
		free_op(old);
	}
	if (!op->text) {
		free(op->key);
		return;
	}

	struct fakehost_op *kept = check(malloc(sizeof(*kept)));

	*kept = *op;
	check(tsearch(kept, &host->targets, compare_ops));
}

static int commit(const struct edgesteer_host *lent)
{
	struct fakehost *host = (struct fakehost *)lent;

	pthread_mutex_lock(&host->lock);
	if (host->whole) {
		tdestroy(host->targets, free_op);
		host->targets = NULL;
	}
	for (size_t i = 0; i < host->op_count; i++)
		apply(host, &host->ops[i]);
	host->op_count = 0;
	host->whole = false;
	host->commits++;
	trace(host, "commit");
	if (host->trace)
		fflush(host->trace);
	pthread_mutex_unlock(&host->lock);
	return 0;
}

static void source(const struct edgesteer_host *lent, const char *part, enum edgesteer_source state, const char *text)
{
	static const char *const words[] = {"connecting", "current", "away"};
	struct fakehost *host = (struct fakehost *)lent;
	char line[1024];
	int len = snprintf(line, sizeof(line), "%s: %s%s%s\n", part ? part : "all", words[state], text ? " " : "",
	                   text ? text : "");

	pthread_mutex_lock(&host->lock);
	host->sources = check(realloc(host->sources, host->sources_len + (size_t)len + 1));
	memcpy(host->sources + host->sources_len, line, (size_t)len + 1);
	host->sources_len += (size_t)len;
	trace(host, "source\t%.*s", len - 1, line);
	if (host->trace)
		fflush(host->trace);
	pthread_mutex_unlock(&host->lock);
}

static int stop_fd(const struct edgesteer_host *lent)
{
	return ((const struct fakehost *)lent)->stop_fd;
}

static void *provide(void *ctx)
{
	struct fakehost *host = ctx;

	host->result = host->plugin->provide(host->instance);
	return NULL;
}

static void write_target(const void *node, VISIT which, void *file)
{
	const struct fakehost_op *op = *(struct fakehost_op *const *)node;

	if (which == postorder || which == leaf)
		fprintf(file, "%s: %s\n", op->key, op->text);
}

char *fakehost_targets(struct fakehost *host)
{
	char *text = NULL;
	size_t len;
	FILE *file = check(open_memstream(&text, &len));

	pthread_mutex_lock(&host->lock);
	twalk_r(host->targets, write_target, file);
	pthread_mutex_unlock(&host->lock);
	fclose(file);
	return text;
}

// ---- look_up() ------------------------------------------------------------------------------------------------------

struct fakehost_question {
	struct edgesteer_question question;
	char app[256];
	struct fakehost_question *next;
};

static void *look_up(void *ctx)
{
	struct fakehost *host = ctx;

	host->result = host->plugin->look_up(host->instance);
	return NULL;
}

void fakehost_ask(struct fakehost *host, const struct edgesteer_question *question)
{
	struct fakehost_question *asked = check(calloc(1, sizeof(*asked))), **end = &host->questions;

	asked->question = *question;
	if (question->app) {
		snprintf(asked->app, sizeof(asked->app), "%s", question->app);
		asked->question.app = asked->app;
	}
	pthread_mutex_lock(&host->lock);
	while (*end)
		end = &(*end)->next;
	*end = asked;
	eventfd_write(host->question_fd, 1);
	pthread_mutex_unlock(&host->lock);
}

static int question_fd(const struct edgesteer_host *lent)
{
	return ((const struct fakehost *)lent)->question_fd;
}

static int take(const struct edgesteer_host *lent, struct edgesteer_question *ret_question)
{
	struct fakehost *host = (struct fakehost *)lent;
	eventfd_t count; // lint-ok: the system's name

	pthread_mutex_lock(&host->lock);
	free(host->taken); // its app is not used any more, or AddressSanitizer says so
	host->taken = host->questions;
	if (host->taken) {
		host->questions = host->taken->next;
		*ret_question = host->taken->question;
	}
	if (!host->questions)
		(void)eventfd_read(host->question_fd, &count);
	pthread_mutex_unlock(&host->lock);
	return host->taken != NULL;
}

static void describe_finding(FILE *file, uint64_t id, const struct edgesteer_finding *finding)
{
	static const char *const words[] = {"found", "not-found", "busy", "denied", "timeout", "broken", "unasked"};

	fprintf(file, "%llu %s", (unsigned long long)id, words[finding->outcome]);
	for (size_t i = 0; i < finding->site_count; i++)
		fprintf(file, "%s%s", i ? "," : " ", finding->sites[i]);
	if (finding->carrier)
		fprintf(file, " carrier=%s", finding->carrier);
	if (finding->class_)
		fprintf(file, " class=%s", finding->class_);
	if (finding->lifetime_s)
		fprintf(file, " lifetime=%u", finding->lifetime_s);
	if (finding->retry_s)
		fprintf(file, " retry=%u", finding->retry_s);
	if (finding->text)
		fprintf(file, ": %s", finding->text);
}

static int pace(const struct edgesteer_host *lent)
{
	(void)lent;
	return 0;
}

static void answer(const struct edgesteer_host *lent, uint64_t id, const struct edgesteer_finding *finding)
{
	struct fakehost *host = (struct fakehost *)lent;
	char line[2048];
	FILE *file = check(fmemopen(line, sizeof(line), "w"));

	describe_finding(file, id, finding);
	fputc('\n', file);
	fclose(file);
	size_t len = strlen(line);

	pthread_mutex_lock(&host->lock);
	host->answers = check(realloc(host->answers, host->answers_len + len + 1));
	memcpy(host->answers + host->answers_len, line, len + 1);
	host->answers_len += len;
	host->answer_count++;
	trace(host, "answer\t%.*s", (int)len - 1, line);
	if (host->trace)
		fflush(host->trace);
	pthread_mutex_unlock(&host->lock);
}

size_t fakehost_answer_count(struct fakehost *host)
{
	pthread_mutex_lock(&host->lock);
	size_t count = host->answer_count;

	pthread_mutex_unlock(&host->lock);
	return count;
}

char *fakehost_answers(struct fakehost *host)
{
	pthread_mutex_lock(&host->lock);
	char *text = check(strdup(host->answers ? host->answers : ""));

	pthread_mutex_unlock(&host->lock);
	return text;
}

// ---- running both ---------------------------------------------------------------------------------------------------

static int start(struct fakehost *host, const struct edgesteer_plugin *plugin, void *(*job)(void *ctx))
{
	host->plugin = plugin;

	int err = plugin->open(&host->lent, &host->instance);

	if (err < 0)
		return err;
	host->stop_fd = eventfd(0, EFD_CLOEXEC);
	host->question_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	expect(host->stop_fd >= 0 && host->question_fd >= 0 && pthread_create(&host->thread, NULL, job, host) == 0);
	return 0;
}

int fakehost_provide(struct fakehost *host, const struct edgesteer_plugin *plugin)
{
	return start(host, plugin, provide);
}

int fakehost_look_up(struct fakehost *host, const struct edgesteer_plugin *plugin)
{
	return start(host, plugin, look_up);
}

int fakehost_stop(struct fakehost *host)
{
	eventfd_write(host->stop_fd, 1);
	pthread_join(host->thread, NULL);
	host->plugin->close(host->instance);
	close(host->stop_fd);
	close(host->question_fd);
	return host->result;
}

// ---- life -----------------------------------------------------------------------------------------------------------

static void reads(const struct edgesteer_host *lent, const char *path)
{
	struct fakehost *host = (struct fakehost *)lent;

	copy(host->read, path);
}

void fakehost_begin(struct fakehost *host, const struct fakehost_pair *options, const struct fakehost_pair *map)
{
	*host = (struct fakehost){
		.lent = {.size = sizeof(host->lent), .option = option, .option_map = option_map, .report = report, .add = add,
		         .reads = reads, .path = path, .begin = begin, .put = put, .drop = drop, .commit = commit,
		         .source = source, .stop_fd = stop_fd, .question_fd = question_fd, .take = take, .answer = answer, .pace = pace},
		.options = options,
		.map = map,
		.reports = check(strdup("")),
		.sources = check(strdup("")),
		.lock = PTHREAD_MUTEX_INITIALIZER,
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
	for (size_t i = 0; i < host->op_count; i++) {
		free(host->ops[i].key);
		free(host->ops[i].text);
	}
	free(host->ops);
	tdestroy(host->targets, free_op);
	for (struct fakehost_question *next; host->questions; host->questions = next) {
		next = host->questions->next;
		free(host->questions);
	}
	free(host->taken);
	free(host->answers);
	free(host->sources);
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
