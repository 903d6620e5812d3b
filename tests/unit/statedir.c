// A state folder of each test's own; see statedir.h.
#include "statedir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "disk.h"

char statedir_top[64], statedir[96], statedir_calls[4096], statedir_why[STATE_WHY_LEN];
struct event_base *statedir_base;

static void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void note(const char *fmt, ...)
{
	size_t len = strlen(statedir_calls);
	va_list args;

	va_start(args, fmt);
	vsnprintf(statedir_calls + len, sizeof(statedir_calls) - len, fmt, args);
	va_end(args);
}

static void on_changed(void *ctx, const struct override *old, const struct override *next)
{
	const struct override *which = next ? next : old;

	(void)ctx;
	note("%c%s:%s%s%s;", !next ? '-' : old ? '=' : '+', override_kind_text(which->kind), which->site,
	     which->app ? "/" : "", which->app ? which->app : "");
}

static void on_committed(void *ctx)
{
	(void)ctx;
	note("commit;");
}

struct state_ops statedir_ops;

int statedir_setup(void **unused)
{
	(void)unused;
	strcpy(statedir_top, "state-XXXXXX");
	assert_non_null(mkdtemp(statedir_top));
	snprintf(statedir, sizeof(statedir), "%s/d", statedir_top);
	statedir_base = event_base_new();
	assert_non_null(statedir_base);
	statedir_calls_clear();
	statedir_ops = (struct state_ops){.changed = on_changed, .committed = on_committed};
	return 0;
}

int statedir_teardown(void **unused)
{
	char command[128];

	(void)unused;
	disk_reset();
	event_base_free(statedir_base);
	snprintf(command, sizeof(command), "rm -rf %s", statedir_top);
	return system(command);
}

void statedir_calls_clear(void)
{
	statedir_calls[0] = '\0';
}

struct state *statedir_open(void)
{
	struct state *state = NULL;

	assert_int_equal(state_open(statedir_base, statedir, &statedir_ops, &state), E_OK);
	return state;
}

struct state *statedir_reopen(struct state *state)
{
	state_close(state);
	return statedir_open();
}

void statedir_write(const char *name, const char *text)
{
	char path[160];

	mkdir(statedir, 0750); // it may be there already
	snprintf(path, sizeof(path), "%s/%s", statedir, name);

	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

unsigned statedir_count(const char *beginning)
{
	DIR *folder = opendir(statedir);
	unsigned count = 0;

	assert_non_null(folder);
	for (struct dirent *entry; (entry = readdir(folder));)
		count += strncmp(entry->d_name, beginning, strlen(beginning)) == 0;
	closedir(folder);
	return count;
}

const char *statedir_copy(const char *name)
{
	static char path[160];
	char command[4 * sizeof(path)];

	// Not state.try, which comes and goes while the disk is tried.
	snprintf(path, sizeof(path), "%s/%s", statedir_top, name);
	snprintf(command, sizeof(command), "rm -rf %s && mkdir %s && cp -r %s/*.db* %s", path, path, statedir, path);
	assert_int_equal(system(command), 0);
	return path;
}

const struct override *statedir_drain(const char *site, const char *app, int64_t until_s)
{
	static struct override drain;

	drain = (struct override){.kind = OVERRIDE_DRAIN, .site = (char *)site, .app = (char *)app,
	                          .reason = (char *)"disk \"full\" ü\n", .who = (char *)"uid 0", .since_s = 1000,
	                          .until_s = until_s};
	return &drain;
}

const struct override *statedir_force(const char *app, const char *site, enum force_to to)
{
	static struct override force;

	force = (struct override){.kind = OVERRIDE_FORCE, .site = (char *)site, .app = (char *)app, .who = (char *)"uid 0",
	                          .since_s = 1000, .to = to};
	return &force;
}

void statedir_done(void *ctx, const struct state_result *result)
{
	snprintf(statedir_why, sizeof(statedir_why), "%s", result->why ? result->why : "");
	note("done:%d:%zu;", result->err, result->before_count);
	for (size_t i = 0; i < result->before_count; i++)
		assert_true(strlen(result->before[i]->site) > 0);
	if (ctx)
		*(int *)ctx = result->err;
}

void statedir_wait(const int *err)
{
	while (*err == STATEDIR_WAITING)
		assert_int_equal(event_base_loop(statedir_base, EVLOOP_ONCE), 0);
}

int statedir_put(struct state *state, const struct override *override)
{
	int err = STATEDIR_WAITING;

	state_put(state, override, statedir_done, &err);
	assert_int_equal(err, STATEDIR_WAITING); // never from inside the call
	statedir_wait(&err);
	return err;
}

int statedir_remove(struct state *state, enum override_kind kind, const char *site, const char *app, bool every_app)
{
	int err = STATEDIR_WAITING;
	const struct override_match match = {kind, site, app, every_app};

	state_remove(state, &match, statedir_done, &err);
	assert_int_equal(err, STATEDIR_WAITING);
	statedir_wait(&err);
	return err;
}

int statedir_put_drain(struct state *state, const char *site, const char *app, int64_t until_s)
{
	return statedir_put(state, statedir_drain(site, app, until_s));
}

int statedir_put_force(struct state *state, const char *app, const char *site, enum force_to to)
{
	return statedir_put(state, statedir_force(app, site, to));
}

int statedir_remove_drain(struct state *state, const char *site, const char *app, bool every_app)
{
	return statedir_remove(state, OVERRIDE_DRAIN, site, app, every_app);
}

// The writer looks at its queue again only after the copy has been written.
void statedir_settle(struct state *state)
{
	assert_int_equal(statedir_remove_drain(state, "no such site", NULL, false), E_NOTFOUND);
}

int statedir_health(const struct state *state, const char *app, const char *site, uint32_t probed)
{
	int64_t since_s;

	return state_health(state, app, site, probed, &since_s);
}
