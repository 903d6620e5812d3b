// Which settings a reload says need a restart: each by its own, against those the daemon was started with.
#include "daemon/restart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/report.h"
#include "config/config.h"
#include "config/options.h"
#include "report_text.h"

#define DOMAIN "domains: {e.x: {ns: n.x}}\n"
#define STAYS ": takes effect when the daemon is restarted; until then it is "

static struct config *parse(const char *text)
{
	char *reported;
	struct config *config = report_text_config(text, strlen(text), &reported);

	assert_string_equal(reported, "");
	free(reported);
	return config;
}

static void expect(const struct restart *restart, const char *text, const char *expected)
{
	struct config *config = parse(text);
	struct report *report = report_new();

	restart_warn(restart, config, report);

	char *reported = report_text(report);

	assert_string_equal(reported, expected);
	free(reported);
	report_free(report);
	config_free(config);
}

static const struct {
	const char *yaml, *reported;
} rows[] = {
	{DOMAIN, ""},
	{DOMAIN "server: {listen: ['0.0.0.0@53', '::']}\n", ""}, // the same, written in another way
	{DOMAIN "server: {listen: 127.0.0.1}\n", "warning: /d/f: server.listen" STAYS "[\"0.0.0.0@53\", \"::@53\"]\n"},
	{DOMAIN "server: {workers: 3}\n", "warning: /d/f: server.workers" STAYS "0\n"},
	{DOMAIN "server: {control: x.sock}\n",
	 "warning: /d/f: server.control" STAYS "/run/edgesteer/control.sock\n"},
	{DOMAIN "server: {state-dir: /x}\n", "warning: /d/f: server.state-dir" STAYS "/var/lib/edgesteer\n"},
	{DOMAIN "server: {user: x}\n", "warning: /d/f: server.user" STAYS "not given\n"},
	{DOMAIN "server: {tcp-clients: 3}\n", "warning: /d/f: server.tcp-clients" STAYS "256\n"},
	{DOMAIN "server: {tcp-idle: 3s}\n", "warning: /d/f: server.tcp-idle" STAYS "10s\n"},
	{DOMAIN "server: {tcp-idle: 3s, workers: 1}\n",
	 "warning: /d/f: server.workers" STAYS "0\nwarning: /d/f: server.tcp-idle" STAYS "10s\n"},
	{DOMAIN "server: {http: [{listen: '127.0.0.1@1'}, {listen: '::1@2'}]}\n", "warning: /d/f: server.http" STAYS "not given\n"},
	// What a reload does change.
	{DOMAIN "server: {nsid: x, udp-size: 512, probes: 1, log-level: debug, plugin-dir: /x, ecs-ignore: 10.0.0.0/8}\n",
	 ""},
};

static void test_each(void **state)
{
	struct config *config = parse(DOMAIN);
	struct restart *restart = restart_new(config);

	(void)state;
	assert_non_null(restart);
	config_free(config); // as the first reload does
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect(restart, rows[i].yaml, rows[i].reported);
	restart_free(restart);
}

static void look_for_row(void *ctx, const struct schema *schema, const struct option *option, const void *field)
{
	size_t *found = ctx;
	char reported[128];

	(void)field;
	snprintf(reported, sizeof(reported), "warning: /d/f: %s.%s" STAYS, schema->path, option->key);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strncmp(rows[i].reported, reported, strlen(reported)) == 0) {
			assert_true(schema_restarts(option));
			++*found;
			return;
		}
	if (schema_restarts(option))
		fail_msg("%s.%s has no test", schema->path, option->key);
}

// An option that takes a restart and has no row above fails here, as does a row for one that takes none.
static void test_every_option(void **state)
{
	struct config *config = parse(DOMAIN);
	size_t found = 0;

	(void)state;
	schema_each(&options_root, config, look_for_row, &found);
	assert_int_equal(found, 8);
	config_free(config);
}

static void test_values(void **state)
{
	struct config *config = parse(DOMAIN "server: {listen: [192.0.2.1, '::1@5300'], user: x, tcp-idle: 90s}\n");
	struct restart *restart = restart_new(config);

	(void)state;
	assert_non_null(restart);
	config_free(config);
	expect(restart, DOMAIN,
	       "warning: /d/f: server.listen" STAYS "[\"192.0.2.1@53\", \"::1@5300\"]\n"
	       "warning: /d/f: server.user" STAYS "x\nwarning: /d/f: server.tcp-idle" STAYS "1m30s\n");
	restart_free(restart);
	restart_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_every_option),
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
