// What is said of `discovery` and `observe` when a config is prepared, without anything being started.
#include "learn/learner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/report.h"
#include "config/config.h"
#include "report_text.h"

static void prepare(const char *more, const char *expected)
{
	char yaml[1024], *reported;
	struct config *config;
	struct learner_plan *plan = NULL;
	struct report *report = report_new();

	snprintf(yaml, sizeof(yaml), "domains: {e.x: {ns: [n.x]}}\n%s", more);
	config = report_text_config(yaml, strlen(yaml), &reported);
	assert_string_equal(reported, "");
	free(reported);
	assert_int_equal(learner_prepare(NULL, config, report, &plan), strstr(expected, "twice") ? E_INVAL : E_OK);
	learner_discard(plan);
	reported = report_text(report);
	assert_string_equal(reported, expected);
	free(reported);
	report_free(report);
	config_free(config);
}

static void test_prepared(void **state)
{
	(void)state;
	prepare("observe: {file: /usr}\n", "warning: /d/f: observe.file: /usr cannot be read: not a regular file\n");
	prepare("observe: {file: /nowhere/x}\n", "");
	prepare("discovery:\n- {plugin: exec, carriers: [a], command: [/bin/true]}\n- {plugin: exec, carriers: [A], command: "
	        "[/bin/true]}\n- {plugin: exec, carriers: [b], command: [/bin/true]}\n",
	        "/d/f:4:3: discovery: exec: is given twice with the same options, expected once\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_prepared)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
