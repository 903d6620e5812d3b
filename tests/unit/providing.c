// Running providers in tests; see providing.h.
#include "providing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/report.h"
#include "config/config.h"
#include "config/load.h"
#include "provide/snapshot.h"
#include "report_text.h"
#include "state/state.h"
#include "tempdir.h"

enum { PATIENCE_MS = 60000, TEXT_LEN = 1 << 16 };

char providing_folder[256], providing_ready[4096];
struct provide *providing;
struct config *providing_config;
unsigned providing_changes, providing_stop_ms;

static struct event_base *base;
static struct state *state;
static int saved_stderr = -1;

static const char *path_of(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", providing_folder, name);
	return path;
}

int providing_setup(void **unused)
{
	int fd;

	(void)unused;
	assert_int_equal(tempdir_make(providing_folder), 0);
	base = event_base_new();
	assert_non_null(base);
	providing_changes = 0;
	providing_ready[0] = '\0';
	providing_stop_ms = 5000;
	fflush(stderr);
	saved_stderr = dup(STDERR_FILENO);
	fd = open(path_of("log"), O_WRONLY | O_CREAT | O_APPEND, 0600);
	assert_true(saved_stderr >= 0 && fd >= 0);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	close(fd);
	return 0;
}

static char *read_log(void)
{
	static char text[1 << 20];
	FILE *file = fopen(path_of("log"), "r");
	size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

	text[len] = '\0';
	if (file)
		fclose(file);
	return text;
}

static void remove_below(const char *folder)
{
	DIR *dir = opendir(folder);
	char path[1024];

	for (const struct dirent *entry; dir && (entry = readdir(dir));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (unlink(path) < 0)
			remove_below(path);
	}
	if (dir)
		closedir(dir);
	rmdir(folder);
}

int providing_teardown(void **unused)
{
	bool has_ended = providing_close();

	(void)unused;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	if (getenv("PROVIDING_LOG"))
		fputs(read_log(), stderr);
	remove_below(providing_folder);
	event_base_free(base);
	return has_ended ? 0 : -1;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	char path[520];
	FILE *file;

	snprintf(path, sizeof(path), "%s.new", path_of(name));
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
	assert_int_equal(rename(path, path_of(name)), 0);
}

void providing_write(const char *name, const char *text)
{
	write_file(name, text, 0600);
}

void providing_write_script(const char *name, const char *text)
{
	write_file(name, text, 0700);
}

static void on_changed(void *ctx)
{
	(void)ctx;
	providing_changes++;
}

static void on_ready(void *ctx, const char *app, const char *site, enum edgesteer_health ready)
{
	static const char *const words[] = {"unknown", "ready", "unready"};
	size_t len = strlen(providing_ready);

	(void)ctx;
	snprintf(providing_ready + len, sizeof(providing_ready) - len, "%s %s %s;", app, site, words[ready]);
}

static void start(void)
{
	const struct state_ops state_ops = {0};
	const struct provide_ops ops = {NULL, on_changed, on_ready, providing_stop_ms};
	char folder[512];

	snprintf(folder, sizeof(folder), "%s", path_of("state"));
	assert_int_equal(state_open(base, folder, &state_ops, &state), E_OK);
	assert_int_equal(provide_new(base, state, &ops, &providing), E_OK);
}

static void shorten(char *text)
{
	size_t len = strlen(providing_folder);

	for (char *at = text; (at = strstr(at, providing_folder)); at += 3) {
		memcpy(at, "DIR", 3);
		memmove(at + 3, at + len, strlen(at + len) + 1);
	}
}

int providing_load(const char *providers, char **ret_reported)
{
	struct report *report = report_new();
	struct provide_plan *plan = NULL;
	struct config *config = NULL;
	char yaml[8192];
	int err;

	if (!providing)
		start();
	snprintf(yaml, sizeof(yaml), "domains: {e.x: {ns: n.x}}\nserver: {plugin-dir: %s}\nproviders:\n%s", providing_folder,
	         providers);
	providing_write("c.yaml", yaml);
	err = config_load(path_of("c.yaml"), report, &config);
	if (err == E_OK)
		err = provide_prepare(providing, config, report, &plan);
	if (err == E_OK)
		provide_take(providing, plan);
	config_free(err == E_OK ? providing_config : config);
	if (err == E_OK)
		providing_config = config;
	if (ret_reported) {
		*ret_reported = report_text(report);
		shorten(*ret_reported);
	} else if (err < 0) {
		fail_msg("%s", report_text(report));
	}
	report_free(report);
	return err;
}

bool providing_close(void)
{
	bool has_ended = !provide_free(providing);

	providing = NULL;
	state = state_close(state);
	providing_config = config_free(providing_config);
	return has_ended;
}

void providing_turn(int ms)
{
	for (int64_t end_ms = clock_mono_ms() + ms; clock_mono_ms() < end_ms;) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		usleep(1000);
	}
}

static const char *snapshot_text(void)
{
	static const char *const words[] = {"", " ready", " unready"};
	static char text[TEXT_LEN];
	struct snapshot *snapshot = provide_snapshot(providing);
	size_t len = 0;

	assert_non_null(snapshot);
	text[0] = '\0';
	for (size_t i = 0; i < snapshot->count && len < sizeof(text) - 1024; i++) {
		const struct provided *target = &snapshot->targets[i];
		char address[ADDR_TEXT_LEN];

		len += (size_t)snprintf(text + len, 600, "%s %s %s", target->app, target->site, target->alias ? target->alias : "");
		for (size_t j = 0; j < target->address_count; j++)
			len += (size_t)snprintf(text + len, 100, "%s%s", j ? "," : "", addr_format(&target->addresses[j], address));
		len += (size_t)snprintf(text + len, 100, "%s%s;", words[target->ready], target->is_stale ? " stale" : "");
	}
	snapshot_release(snapshot);
	return text;
}

void providing_expect(const char *expected)
{
	for (int64_t end_ms = clock_mono_ms() + PATIENCE_MS; strcmp(snapshot_text(), expected) != 0;) {
		if (clock_mono_ms() > end_ms && dup2(saved_stderr, STDERR_FILENO) >= 0)
			fail_msg("%s\nwanted: %s\nlog: %s", snapshot_text(), expected, read_log());
		providing_turn(5);
	}
}

unsigned providing_logged(const char *text)
{
	unsigned count = 0;

	for (const char *at = read_log(); (at = strstr(at, text)); at += strlen(text))
		count++;
	return count;
}

void providing_expect_log(const char *text)
{
	for (int64_t end_ms = clock_mono_ms() + PATIENCE_MS; providing_logged(text) == 0;) {
		if (clock_mono_ms() > end_ms && dup2(saved_stderr, STDERR_FILENO) >= 0)
			fail_msg("not in the log: %s\n%s", text, read_log());
		providing_turn(5);
	}
}
