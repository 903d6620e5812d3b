// force: its replies, and that it is acknowledged once durable and published. The daemon is that of fake_daemon.h.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "asking.h"
#include "base/err.h"
#include "base/log.h"
#include "base/publish.h"
#include "full_disk.h"
#include "state/state.h"
#include "view/live.h"

// What is down, then the force and its warnings; impact.h's table.
static void test_warnings(void **unused)
{
	enum { APP_BOS, APP_NYC, APP_USE1, VIDEO_BOS, VIDEO_BER, VIDEO_USE1, CARRIER_BOS, CARRIER_BER, WEB_USE1 };
	static const struct {
		const char *line;
		int down[5]; // -1 at the end
		const char *warnings[3];
	} rows[] = {
#define FORCE(site, app, to) \
	"{\"verb\": \"force\", \"site\": \"" site "\", \"app\": \"" app ".example.com\", \"to\": \"" to "\"}"
		{FORCE("use1", "web", "down"), {-1},
		 {"web.example.com: every target left for its clients is down (1 left of 1): they are answered all the same"}},
		{FORCE("use1", "app", "down"), {APP_NYC, -1},
		 {"app.example.com: every target left for clients other than those of verizon is down (1 left of 1): they are "
		  "answered all the same"}},
		{FORCE("bos", "carrier", "down"), {-1},
		 {"carrier.example.com: every target left for clients of verizon is down (1 left of 1): they are answered all the "
		  "same"}},
		{FORCE("bos", "app", "down"), {APP_NYC, -1}, {NULL}},
		{FORCE("use1", "web", "up"), {WEB_USE1, -1}, {NULL}},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t j = 0; rows[i].down[j] >= 0; j++)
			fake_daemon.health[rows[i].down[j]].up = false;
		fake_daemon_publish(&fake_daemon);

		json_t *reply = asking_ok(&fake_daemon, rows[i].line);
		const json_t *warnings = json_object_get(reply, "warnings");
		size_t count = 0;

		for (; rows[i].warnings[count]; count++)
			assert_string_equal(json_string_value(json_array_get(warnings, count)), rows[i].warnings[count]);
		assert_int_equal(json_array_size(warnings), count);
		json_decref(reply);
		for (size_t j = 0; rows[i].down[j] >= 0; j++)
			fake_daemon.health[rows[i].down[j]].up = true;
		fake_daemon_remove_all(&fake_daemon);
	}

	// Lifting a force is what brings a target down here.
	fake_daemon.health[WEB_USE1].up = false;
	asking_done(&fake_daemon, FORCE("use1", "web", "up"));

	json_t *reply = asking_ok(&fake_daemon, FORCE("use1", "web", "auto"));

	assert_int_equal(json_array_size(json_object_get(reply, "warnings")), 1);
	json_decref(reply);
}

static void test_force(void **unused)
{
	json_t *reply = asking_ok(&fake_daemon, FORCE("bos", "App", "down"));
	json_t *apps;

	(void)unused;
	assert_string_equal(asking_text(reply, "app"), "app.example.com");
	assert_string_equal(asking_text(reply, "to"), "down");
	assert_string_equal(asking_text(reply, "state"), "down");
	json_decref(reply);
	assert_int_equal(fake_daemon.changes, 1);
	assert_int_equal(fake_daemon.changes_replied, 1);
	assert_string_equal(asking_text(asking_target(&fake_daemon, "app.example.com", "bos", &apps), "forced"), "down");
	json_decref(apps);

	fake_daemon.health[1].up = false; // app.example.com at nyc
	fake_daemon_publish(&fake_daemon);
	asking_state(&fake_daemon, "app.example.com", "nyc", "down");
	asking_done(&fake_daemon, "{\"verb\": \"force\", \"app\": \"app.example.com\", \"site\": \"nyc\", \"to\": \"up\"}");
	asking_state(&fake_daemon, "app.example.com", "nyc", "up");
	asking_done(&fake_daemon, "{\"verb\": \"force\", \"app\": \"app.example.com\", \"site\": \"nyc\", \"to\": \"auto\"}");
	asking_state(&fake_daemon, "app.example.com", "nyc", "down");
	asking_done(&fake_daemon, "{\"verb\": \"force\", \"app\": \"app.example.com\", \"site\": \"bos\", \"to\": \"auto\"}");
	asking_state(&fake_daemon, "app.example.com", "bos", "up");
	assert_int_equal(fake_daemon_count(&fake_daemon, OVERRIDE_FORCE), 0);
}

// One that takes the place of another, and one that says what holds already, are done like any other.
static void test_replaced(void **unused)
{
	static const char *const to[] = {"down", "up", "up", "down"};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(to); i++) {
		char line[128];

		snprintf(line, sizeof(line), FORCE("bos", "app", "%s"), to[i]);
		asking_done(&fake_daemon, line);
		assert_int_equal(fake_daemon.changes, i + 1);
		assert_int_equal(fake_daemon.changes_replied, i + 1);
		assert_int_equal(fake_daemon_count(&fake_daemon, OVERRIDE_FORCE), 1);
		asking_state(&fake_daemon, "app.example.com", "bos", to[i]);
	}
}

// A force and a drain of the same target are independent, and each is lifted separately.
static void test_beside_a_drain(void **unused)
{
	(void)unused;
	asking_done(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\", \"app\": \"app.example.com\"}");
	asking_done(&fake_daemon, FORCE("bos", "app", "down"));
	asking_state(&fake_daemon, "app.example.com", "bos", "drained, down");
	asking_done(&fake_daemon, "{\"verb\": \"undrain\", \"site\": \"bos\"}");
	asking_state(&fake_daemon, "app.example.com", "bos", "down");
	asking_done(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\"}");
	asking_done(&fake_daemon, FORCE("bos", "app", "auto"));
	asking_state(&fake_daemon, "app.example.com", "bos", "drained");
	asking_refused(&fake_daemon, FORCE("bos", "app", "auto"), 3, "app.example.com at bos is not forced");
}

// A force of a name that a reload has spelled otherwise: it can be lifted, and the new name's force stays.
static void test_other_case(void **unused)
{
	static const struct override old = {.kind = OVERRIDE_FORCE, .site = (char *)"bos", .app = (char *)"App.example.com",
	                                    .to = FORCE_DOWN, .who = (char *)"w"};

	(void)unused;
	assert_int_equal(fake_daemon_put(&fake_daemon, &old), E_OK);
	asking_state(&fake_daemon, "app.example.com", "bos", "up");
	asking_done(&fake_daemon, FORCE("bos", "APP", "down"));
	assert_int_equal(fake_daemon_count(&fake_daemon, OVERRIDE_FORCE), 2);
	asking_done(&fake_daemon, FORCE("bos", "App", "auto"));
	asking_state(&fake_daemon, "app.example.com", "bos", "down");
	asking_done(&fake_daemon, FORCE("bos", "App", "auto"));
	asking_state(&fake_daemon, "app.example.com", "bos", "up");
	assert_int_equal(fake_daemon_count(&fake_daemon, OVERRIDE_FORCE), 0);
}

static void test_full_disk(void **unused)
{
	static const char not_saved[] = "/state.db cannot be written: File too large";
	const struct live *served;

	(void)unused;
	asking_done(&fake_daemon, FORCE("bos", "app", "down"));
	served = live_current();
	assert_int_equal(full_disk(true), 0);
	asking_refused(&fake_daemon, FORCE("bos", "app", "up"), 1, not_saved);
	asking_refused(&fake_daemon, FORCE("bos", "app", "auto"), 1, not_saved);
	asking_refused(&fake_daemon, FORCE("nyc", "app", "down"), 1, not_saved);
	assert_int_equal(full_disk(false), 0);
	assert_int_equal(fake_daemon.changes, 1);
	assert_ptr_equal(live_current(), served);
	asking_state(&fake_daemon, "app.example.com", "bos", "down");
	asking_state(&fake_daemon, "app.example.com", "nyc", "up");
	asking_done(&fake_daemon, FORCE("bos", "app", "auto"));
	asking_state(&fake_daemon, "app.example.com", "bos", "up");
}

// Health is not known yet: what a force comes to is not said, but it is in what is served first.
static void test_while_starting(void **unused)
{
	json_t *reply = asking_ok(&fake_daemon, FORCE("bos", "app", "down"));

	(void)unused;
	assert_true(json_is_null(json_object_get(reply, "state")));
	assert_int_equal(json_array_size(json_object_get(reply, "warnings")), 0);
	assert_int_equal(fake_daemon.changes_replied, 1);
	json_decref(reply);
	asking_refused(&fake_daemon, FORCE("nyc", "app", "auto"), 3, "is not forced");
	fake_daemon_serve(&fake_daemon);
	asking_state(&fake_daemon, "app.example.com", "bos", "down");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_warnings, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_force, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_replaced, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_beside_a_drain, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_other_case, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_full_disk, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_while_starting, fake_daemon_set_up_starting, fake_daemon_tear_down),
	};

	publish_register_reader();
	log_set_level((enum log_level)0);

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	publish_unregister_reader();
	return failed;
}
