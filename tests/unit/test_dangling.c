// Overrides that have no effect after a reload: what the reload warns of, and how they are shown. The daemon is that of
// fake_daemon.h.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "asking.h"
#include "base/err.h"
#include "base/log.h"
#include "base/publish.h"
#include "base/report.h"
#include "control/dangling.h"
#include "report_text.h"
#include "state/state.h"

static const struct {
	const char *app, *site; // app NULL: a drain of the site
	const char *why;        // NULL: it concerns something
} rows[] = {
	{NULL, "bos", NULL},
	{"app.example.com", "bos", NULL},
	{"app.example.com", "use1", NULL},
	{"app.example.com", "ber", "the app has no target there"},
	{"old.example.com", "bos", "no such app"},
	{"app.example.com", "gone", "no such site"},
	{"old.example.com", "gone", "no such app"},
	{"bos", "app.example.com", "no such app"}, // names of one kind are not taken for the other's
	{NULL, "gone", "no such site"},
	{NULL, "app.example.com", "no such site"},
	{"APP.example.com", "bos", "no such app"}, // a reload has written it otherwise: the state knows both
};

static void give_overrides(void)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct override drain = {.kind = OVERRIDE_DRAIN, .site = (char *)rows[i].site, .app = (char *)rows[i].app,
		                         .who = (char *)"uid 7", .since_s = 1, .reason = (char *)(i % 2 ? "disk" : NULL)};
		struct override force = {.kind = OVERRIDE_FORCE, .site = drain.site, .app = drain.app, .who = drain.who,
		                         .since_s = 1, .to = i % 2 ? FORCE_UP : FORCE_DOWN};

		assert_int_equal(fake_daemon_put(&fake_daemon, &drain), E_OK);
		if (rows[i].app)
			assert_int_equal(fake_daemon_put(&fake_daemon, &force), E_OK);
	}
}

static void test_warnings(void **unused)
{
	struct report *report = report_new();
	char *reported;

	(void)unused;
	assert_non_null(report);
	dangling_warn(fake_daemon.ops.state, fake_daemon.view, report); // there are none
	assert_int_equal(report_count(report, REPORT_WARNING), 0);
	give_overrides();
	dangling_warn(fake_daemon.ops.state, fake_daemon.view, report);
	reported = report_text(report);
	assert_string_equal(
		reported,
		"warning: the drain of app.example.com at ber has no effect: the app has no target there; given by uid 7, reason: disk\n"
		"warning: the force of app.example.com at ber to up has no effect: the app has no target there; given by uid 7\n"
		"warning: the drain of old.example.com at bos has no effect: no such app; given by uid 7, reason: none given\n"
		"warning: the force of old.example.com at bos to down has no effect: no such app; given by uid 7\n"
		"warning: the drain of app.example.com at gone has no effect: no such site; given by uid 7, reason: disk\n"
		"warning: the force of app.example.com at gone to up has no effect: no such site; given by uid 7\n"
		"warning: the drain of old.example.com at gone has no effect: no such app; given by uid 7, reason: none given\n"
		"warning: the force of old.example.com at gone to down has no effect: no such app; given by uid 7\n"
		"warning: the drain of bos at app.example.com has no effect: no such app; given by uid 7, reason: disk\n"
		"warning: the force of bos at app.example.com to up has no effect: no such app; given by uid 7\n"
		"warning: the drain of gone has no effect: no such site; given by uid 7, reason: none given\n"
		"warning: the drain of app.example.com has no effect: no such site; given by uid 7, reason: disk\n"
		"warning: the drain of APP.example.com at bos has no effect: no such app; given by uid 7, reason: none given\n"
		"warning: the force of APP.example.com at bos to down has no effect: no such app; given by uid 7\n");
	free(reported);
	report_free(report);
}

static void test_status(void **unused)
{
	(void)unused;
	give_overrides();

	json_t *reply = asking_ok(&fake_daemon, "{\"verb\": \"status\"}");
	const json_t *drains = json_object_get(reply, "drains"), *forces = json_object_get(reply, "forces");
	size_t force = 0;

	assert_int_equal(json_array_size(drains), ARRAY_LEN(rows));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *why = rows[i].why ? rows[i].why : "(none)";

		assert_string_equal(asking_text(json_array_get(drains, i), "no_effect"), why);
		if (rows[i].app)
			assert_string_equal(asking_text(json_array_get(forces, force++), "no_effect"), why);
	}
	assert_int_equal(json_array_size(forces), force);
	json_decref(reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_warnings, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_status, fake_daemon_set_up, fake_daemon_tear_down),
	};

	publish_register_reader();
	log_set_level((enum log_level)0);

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	publish_unregister_reader();
	return failed;
}
