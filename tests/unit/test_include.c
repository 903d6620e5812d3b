// Configs of several files: how they join, which positions errors have, what is refused.
#include "config/include.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/report.h"
#include "config/config.h"
#include "config/load.h"
#include "report_text.h"
#include "tempdir.h"

#define BASE "domains: {e.x: {ns: n.x}}\nsites: {us-east-1: }\n"
#define APP(name) name ": {targets: {us-east-1: {addresses: 1.1.1.1}}}\n"

enum { FILES_MAX = 4 };

struct file {
	const char *name, *text;
};

static char folder[TEMPDIR_LEN];

static const char *path_of(const char *name, char *buf)
{
	snprintf(buf, 2 * TEMPDIR_LEN, "%s/%s", folder, name);
	return buf;
}

static void write_file(const char *name, const char *text)
{
	char path[2 * TEMPDIR_LEN];
	FILE *out = fopen(path_of(name, path), "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

// Loads main.yaml in the temporary folder, which is its working folder too. The caller frees config and report.
static struct config *load(const struct file *files, char **ret_reported)
{
	struct report *report = report_new();
	struct config *config = NULL;
	char path[2 * TEMPDIR_LEN];

	for (size_t i = 0; i < FILES_MAX && files[i].name; i++)
		write_file(files[i].name, files[i].text);
	(void)!config_load_partly("main.yaml", report, &config);
	*ret_reported = report_text(report);
	report_free(report);
	for (size_t i = 0; i < FILES_MAX && files[i].name; i++)
		unlink(path_of(files[i].name, path));
	return config;
}

static void joins(void **state)
{
	static const struct file files[FILES_MAX] = {
		{"main.yaml", "include: [conf.d/*.yaml]\n" BASE "locate: [{plugin: ranges, file: a.csv}]\napps:\n  " APP("a.e.x")},
		{"conf.d/2.yaml", "apps:\n  " APP("c.e.x") "locate: [{plugin: ranges, file: b.csv}]\n"},
		{"conf.d/1.yaml", "apps:\n  " APP("b.e.x") "checks: {c: {type: tcp, port: 1}}\n"
		                  "domains: {f.x: {file: f.zone}}\ninclude: more.yml\n"},
		{"conf.d/more.yml", "apps:\n  d.e.x: {check: c, targets: {us-east-1: {addresses: 1.1.1.1}}}\nsites:\n"},
	};
	static const char *const apps[] = {"a.e.x", "b.e.x", "d.e.x", "c.e.x"};
	char *reported, path[2 * TEMPDIR_LEN];
	struct config *config = load(files, &reported);

	(void)state;
	assert_string_equal(reported, "");
	assert_non_null(config);
	assert_int_equal(config->app_count, ARRAY_LEN(apps));
	for (size_t i = 0; i < ARRAY_LEN(apps); i++)
		assert_string_equal(config->apps[i].name, apps[i]);
	assert_string_equal(config->apps[0].mark.file, "main.yaml");
	assert_string_equal(config->apps[1].mark.file, "conf.d/1.yaml");
	assert_string_equal(config->apps[2].mark.file, "conf.d/more.yml");
	assert_int_equal(config->apps[2].check, 0);
	assert_int_equal(config->site_count, 1);
	assert_int_equal(config->locate_count, 2);
	// Relative paths start in the folder of their own file.
	assert_string_equal(config->domains[1].file, path_of("conf.d/f.zone", path));
	assert_string_equal(config_path(config, config->locates[1].options, "b.csv"), path_of("conf.d/b.csv", path));
	assert_string_equal(config->file, path_of("main.yaml", path));
	config_free(config);
	free(reported);
}

static void refusals(void **state)
{
	static const struct {
		struct file files[FILES_MAX];
		const char *reported;
	} rows[] = {
		// The same name in two files, in mappings and as a plain value.
		{{{"main.yaml", "include: conf.d/1.yaml\n" BASE "apps:\n  " APP("a.e.x")},
		  {"conf.d/1.yaml", "apps:\n  " APP("b.e.x") "  " APP("a.e.x")}},
		 "conf.d/1.yaml:3:3: apps.a.e.x: is given at main.yaml:5:3 too, expected once\n"},
		{{{"main.yaml", "include: conf.d/*.yaml\n" BASE "apps:\n  " APP("a.e.x")},
		  {"conf.d/1.yaml", "catalogue: x\n"},
		  {"conf.d/2.yaml", "\ncatalogue: y\n"}},
		 "conf.d/2.yaml:2:1: catalogue: is given at conf.d/1.yaml:1:1 too, expected in one file\n"
		 "DIR/conf.d/x: cannot be read: No such file or directory\n"},
		{{{"main.yaml", "include: conf.d/1.yaml\n" BASE "apps:\n  " APP("a.e.x")}, {"conf.d/1.yaml", "sites: [x]\n"}},
		 "conf.d/1.yaml:1:1: sites: is given at main.yaml:3:1 too, expected in one file\n"},
		// Errors inside a file have its name, line and column.
		{{{"main.yaml", "include: conf.d/1.yaml\n" BASE},
		  {"conf.d/1.yaml", "apps:\n  a.e.x:\n    tll: 1\n    targets: {us-east-1: {addresses: 1.1.1.x}}\n"}},
		 "conf.d/1.yaml:3:5: apps.a.e.x.tll: unknown key, did you mean `ttl`?\n"
		 "conf.d/1.yaml:4:38: apps.a.e.x.targets.us-east-1.addresses: cannot be `1.1.1.x`, expected the IPv4 or IPv6 address of a host\n"},
		{{{"main.yaml", "include: conf.d/1.yaml\n" BASE "apps:\n  " APP("a.e.x")}, {"conf.d/1.yaml", "{"}},
		 "conf.d/1.yaml:2:1: not YAML: did not find expected node content (while parsing a flow node on line 2)\n"},
		{{{"main.yaml", "include: conf.d/1.yaml\n" BASE "apps:\n  " APP("a.e.x")}, {"conf.d/1.yaml", "- x\n"}},
		 "conf.d/1.yaml:1:1: expected a mapping\n"},
		// Cycles, at the `include` that closes them.
		{{{"main.yaml", "include: [main.yaml]\n" BASE "apps:\n  " APP("a.e.x")}},
		 "main.yaml:1:11: include: main.yaml includes itself this way, expected another file\n"},
		{{{"main.yaml", "include: [conf.d/1.yaml]\n" BASE "apps:\n  " APP("a.e.x")},
		  {"conf.d/1.yaml", "include:\n - ../conf.d/2.yaml\n"},
		  {"conf.d/2.yaml", "include: 1.yaml\n"}},
		 "conf.d/../conf.d/2.yaml:1:10: include: conf.d/1.yaml includes itself this way, expected another file\n"},
		// Files that are not there: an error for a name, none for a pattern.
		{{{"main.yaml", "include: [none.yaml, none-*.yaml]\n" BASE "apps:\n  " APP("a.e.x")}},
		 "none.yaml: cannot be read: No such file or directory\n"},
		// Of what refers to a file that cannot be read, nothing; but all such files, and what is wrong in how they join.
		{{{"main.yaml", "include: [none.yaml, conf.d/1.yaml, conf.d/2.yaml]\napps:\n  " APP("a.e.x") "domains: {e.x: {ns: n.x}}\n"},
		  {"conf.d/1.yaml", "{"},
		  {"conf.d/2.yaml", "apps:\n  " APP("a.e.x")}},
		 "none.yaml: cannot be read: No such file or directory\n"
		 "conf.d/1.yaml:2:1: not YAML: did not find expected node content (while parsing a flow node on line 2)\n"
		 "conf.d/2.yaml:2:3: apps.a.e.x: is given at main.yaml:3:3 too, expected once\n"},
		// A folder stands for no files.
		{{{"main.yaml", "include: [conf.d]\napps:\n  " APP("a.e.x")}},
		 "main.yaml:1:11: include: conf.d is a folder, expected its files, as in `conf.d/*.yaml`\n"},
		{{{"main.yaml", "include: [conf.d/, 'conf.*']\n" BASE "apps:\n  " APP("a.e.x")}},
		 "main.yaml:1:11: include: conf.d/ is a folder, expected its files, as in `conf.d/*.yaml`\n"
		 "main.yaml:1:20: include: conf.d is a folder, expected its files, as in `conf.d/*.yaml`\n"},
		{{{"main.yaml", "include: ['*/x.yaml', '']\n" BASE "apps:\n  " APP("a.e.x")}},
		 "main.yaml:1:11: include: cannot be `*/x.yaml`, expected a path with `*`, `?` and `[...]` in its last part only\n"
		 "main.yaml:1:23: include: cannot be ``, expected a path with `*`, `?` and `[...]` in its last part only\n"},
		{{{"main.yaml", "include: {a: b}\n" BASE "apps:\n  " APP("a.e.x")}},
		 "main.yaml:1:1: include: cannot be a mapping, expected a list of texts, 0 to 1000 entries\n"},
		{{{"main.yaml", "include: conf.d/1.yaml\n" BASE "apps:\n  " APP("a.e.x")},
		  {"conf.d/1.yaml", "include: [[x]]\n"},
		  {"conf.d/2.yaml", ""}},
		 "conf.d/1.yaml:1:11: include: expected a path\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *reported, *dir;
		struct config *config = load(rows[i].files, &reported);

		if ((dir = strstr(reported, folder))) {
			memmove(dir + 3, dir + strlen(folder), strlen(dir + strlen(folder)) + 1);
			memcpy(dir, "DIR", 3);
		}
		if (strcmp(reported, rows[i].reported) != 0)
			fail_msg("row %zu:\n%swanted:\n%s", i, reported, rows[i].reported);
		config_free(config);
		free(reported);
	}
}

// What means something in a pattern is literal elsewhere: in the folder of the file, and in the name of one.
static void odd_names(void **state)
{
	char path[2 * TEMPDIR_LEN], *reported;
	struct report *report = report_new();
	struct config *config = NULL;

	(void)state;
	assert_int_equal(mkdir(path_of("o[d]d\\", path), 0700), 0);
	write_file("o[d]d\\/main.yaml", "include: [none.yaml, 'back\\slash.yaml', '*.yml']\n" BASE);
	write_file("o[d]d\\/back\\slash.yaml", "x: 1\n");
	write_file("o[d]d\\/1.yml", "y: 1\nx: 1\n");
	assert_int_equal(config_load(path_of("o[d]d\\/main.yaml", path), report, &config), E_INVAL);
	reported = report_text(report);
	for (char *at; (at = strstr(reported, folder));)
		memmove(at, at + strlen(folder) + 1, strlen(at + strlen(folder)));
	assert_string_equal(reported, "o[d]d\\/none.yaml: cannot be read: No such file or directory\n"
	                              "o[d]d\\/1.yml:2:1: x: is given at o[d]d\\/back\\slash.yaml:1:1 too, expected in one file\n");
	free(reported);
	report_free(report);
	unlink(path_of("o[d]d\\/main.yaml", path));
	unlink(path_of("o[d]d\\/back\\slash.yaml", path));
	unlink(path_of("o[d]d\\/1.yml", path));
	assert_int_equal(rmdir(path_of("o[d]d\\", path)), 0);
}

// A chain of files as long as allowed is read, a longer one is refused; a FIFO is not waited for.
static void bounds(void **state)
{
	char name[40], text[80], *reported, path[2 * TEMPDIR_LEN];
	const struct file files[FILES_MAX] = {{"main.yaml", BASE "include: c1.yaml\napps:\n  " APP("a.e.x")}};

	(void)state;
	for (int i = 1; i <= INCLUDE_DEPTH_MAX + 1; i++) {
		snprintf(name, sizeof(name), "c%d.yaml", i);
		snprintf(text, sizeof(text), i < INCLUDE_DEPTH_MAX + 1 ? "include: c%d.yaml\n" : "{}", i + 1);
		write_file(name, text);
	}

	struct config *config = load(files, &reported);

	assert_string_equal(reported, "c8.yaml:1:10: include: c9.yaml would be 9 files deep, expected at most 8\n");
	config_free(config);
	free(reported);
	assert_int_equal(unlink(path_of("c8.yaml", path)), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	config = load(files, &reported);
	assert_string_equal(reported, "c8.yaml: cannot be read: not a regular file\n");
	config_free(config);
	free(reported);
	for (int i = 1; i <= INCLUDE_DEPTH_MAX + 1; i++) {
		snprintf(name, sizeof(name), "c%d.yaml", i);
		unlink(path_of(name, path));
	}
}

static int set_up(void **state)
{
	char path[2 * TEMPDIR_LEN];

	(void)state;
	return tempdir_make(folder) < 0 || chdir(folder) < 0 || mkdir(path_of("conf.d", path), 0700) < 0;
}

static int tear_down(void **state)
{
	char path[2 * TEMPDIR_LEN];

	(void)state;
	return rmdir(path_of("conf.d", path)) < 0 || rmdir(folder) < 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(joins), cmocka_unit_test(refusals), cmocka_unit_test(odd_names),
	                                   cmocka_unit_test(bounds)};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
