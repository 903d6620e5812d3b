// Orders that hold nothing after a reload: what the reload warns of, and how they are shown. The played daemon is
// fake_daemon.h's.
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

static struct fake_daemon fake;

static int set_up(void **unused)
{
	(void)unused;
	fake_daemon_open(&fake, 0, true);
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	fake_daemon_close(&fake);
	return 0;
}

static const struct {
	const char *app, *site; // app NULL: a drain of the whole site
	const char *why;        // NULL: it holds something
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
};

static void give_orders(void)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct drain drain = {.site = (char *)rows[i].site, .app = (char *)rows[i].app, .who = (char *)"uid 7", .since_s = 1,
		                      .reason = (char *)(i % 2 ? "disk" : NULL)};
		struct force force = {.site = drain.site, .app = drain.app, .who = drain.who, .since_s = 1,
		                      .to = i % 2 ? FORCE_UP : FORCE_DOWN};

		assert_int_equal(state_drain(fake.ops.state, &drain), E_OK);
		if (rows[i].app)
			assert_int_equal(state_force(fake.ops.state, &force), E_OK);
	}
}

static void test_warnings(void **unused)
{
	struct report *report = report_new();
	char *told;

	(void)unused;
	assert_non_null(report);
	dangling_warn(fake.ops.state, fake.view, report); // there are none
	assert_int_equal(report_count(report, REPORT_WARNING), 0);
	give_orders();
	dangling_warn(fake.ops.state, fake.view, report);
	told = report_text(report);
	assert_string_equal(
		told,
		"warning: the drain of app.example.com at ber holds nothing: the app has no target there; given by uid 7, reason: disk\n"
		"warning: the drain of old.example.com at bos holds nothing: no such app; given by uid 7, reason: none given\n"
		"warning: the drain of app.example.com at gone holds nothing: no such site; given by uid 7, reason: disk\n"
		"warning: the drain of old.example.com at gone holds nothing: no such app; given by uid 7, reason: none given\n"
		"warning: the drain of bos at app.example.com holds nothing: no such app; given by uid 7, reason: disk\n"
		"warning: the drain of gone holds nothing: no such site; given by uid 7, reason: none given\n"
		"warning: the drain of app.example.com holds nothing: no such site; given by uid 7, reason: disk\n"
		"warning: the force of app.example.com at ber to up holds nothing: the app has no target there; given by uid 7\n"
		"warning: the force of old.example.com at bos to down holds nothing: no such app; given by uid 7\n"
		"warning: the force of app.example.com at gone to up holds nothing: no such site; given by uid 7\n"
		"warning: the force of old.example.com at gone to down holds nothing: no such app; given by uid 7\n"
		"warning: the force of bos at app.example.com to up holds nothing: no such app; given by uid 7\n");
	free(told);
	report_free(report);
}

static void test_status(void **unused)
{
	(void)unused;
	give_orders();

	json_t *reply = asking_ok(&fake, "{\"verb\": \"status\"}");
	const json_t *drains = json_object_get(reply, "drains"), *forces = json_object_get(reply, "forces");
	size_t force = 0;

	assert_int_equal(json_array_size(drains), ARRAY_LEN(rows));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *why = rows[i].why ? rows[i].why : "(none)";

		assert_string_equal(asking_text(json_array_get(drains, i), "holds_nothing"), why);
		if (rows[i].app)
			assert_string_equal(asking_text(json_array_get(forces, force++), "holds_nothing"), why);
	}
	assert_int_equal(json_array_size(forces), force);
	json_decref(reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_warnings, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_status, set_up, tear_down),
	};

	publish_register_reader();
	log_set_level((enum log_level)0);

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	publish_unregister_reader();
	return failed;
}
