// The verbs that change something, and every way to ask wrongly, without a socket. The daemon is that of
// fake_daemon.h.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "asking.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/publish.h"
#include "full_disk.h"
#include "state/state.h"
#include "view/live.h"
#include "view/view.h"

// Asking wrongly ------------------------------------------------------------------------------------------------------

static void test_refusals(void **unused)
{
	static const struct {
		const char *line;
		int code;
		const char *text;
	} rows[] = {
		{"", 2, "not JSON"},
		{"drain bos", 2, "not JSON"},
		{"{\"verb\": \"status\"", 2, "not JSON"},
		{"{\"verb\": \"status\"} {}", 2, "not JSON"},
		{"{\"verb\": \"status\", \"verb\": \"stats\"}", 2, "not JSON"},
		{"{\"verb\": \"sta\xfftus\"}", 2, "not JSON"},
		{"{\"verb\": \"sta\\u0000tus\"}", 2, "not JSON"},
		{"[\"status\"]", 2, "one JSON object"},
		{"\"status\"", 2, "not JSON"},
		{"{}", 2, "no \"verb\""},
		{"{\"verb\": 7}", 2, "no \"verb\""},
		{"{\"verb\": \"drian\"}", 2, "did you mean 'drain'?"},
		{"{\"verb\": \"zzzzzzzzzz\"}", 2, "no verb 'zzzzzzzzzz'"},
		{"{\"verb\": \"status\", \"site\": \"bos\"}", 2, "status has no field 'site'"},
		{"{\"verb\": \"drain\", \"force\": true, \"siet\": \"bos\"}", 2, "did you mean 'site'?"},
		{"{\"verb\": \"drain\"}", 2, "a site, a pattern of sites ('us-east-1-wl1-*'), a region or a carrier is needed"},
		{"{\"verb\": \"drain\", \"force\": true, \"site\": 7}", 2, "'site' must be a text"},
		{"{\"verb\": \"drain\", \"force\": true, \"site\": \"\"}", 2, "'site' must be a text"},
		{"{\"verb\": \"drain\", \"force\": true, \"site\": null}", 2, "'site' must be a text"},
		{"{\"verb\": \"drain\", \"force\": true, \"site\": \"bso\"}", 1, "no site 'bso', did you mean 'bos'?"},
		{"{\"verb\": \"drain\", \"force\": true, \"site\": \"elsewhere\"}", 1, "no site 'elsewhere'"},
		{"{\"verb\": \"drain\", \"force\": true, \"site\": \"App.example.com.\"}", 1, "no site 'App.example.com.': that is an app"},
		{"{\"verb\": \"apps\", \"app\": \"bos\"}", 1, "no app 'bos': that is a site"},
		{"{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\", \"app\": \"ap.example.com\"}", 1, "did you mean 'app.example.com'?"},
		{"{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\", \"app\": \"web.example.com\"}", 1, "web.example.com has no target at bos"},
		{"{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\", \"for\": \"soon\"}", 2, "for: 'soon' is not a time"},
		{"{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\", \"for\": \"0s\"}", 2, "for: '0s' is not a time"},
		{"{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\", \"for\": \"-1h\"}", 2, "for: '-1h' is not a time"},
		{"{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\", \"for\": \"3651d\"}", 2, "is longer than 3650d; leave it out to drain until undrain"},
		{"{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\", \"for\": \"99999999999999999999d\"}", 2, "is not a time"},
		{"{\"verb\": \"undrain\", \"site\": \"bos\"}", 3, "bos is not drained"},
		{"{\"verb\": \"undrain\", \"site\": \"bso\"}", 1, "did you mean 'bos'?"},
		{"{\"verb\": \"undrain\", \"site\": \"bos\", \"app\": \"app.example.com\"}", 3, "is not drained at bos"},
		{"{\"verb\": \"undrain\", \"site\": \"bos\", \"app\": \"no.example.com\"}", 1, "no app"},
		{"{\"verb\": \"force\", \"app\": \"app.example.com\", \"site\": \"bos\"}", 2, "force needs 'to'"},
		{"{\"verb\": \"force\", \"app\": \"app.example.com\", \"site\": \"bos\", \"to\": \"sideways\"}", 2,
		 "'sideways' is not up, down or auto"},
		{"{\"verb\": \"force\", \"app\": \"apb.example.com\", \"site\": \"bos\", \"to\": \"up\"}", 1, "did you mean"},
		{"{\"verb\": \"force\", \"app\": \"app.example.com\", \"site\": \"bsos\", \"to\": \"up\"}", 1, "did you mean"},
		{"{\"verb\": \"force\", \"app\": \"web.example.com\", \"site\": \"bos\", \"to\": \"up\"}", 1, "has no target at bos"},
		{"{\"verb\": \"force\", \"app\": \"app.example.com\", \"site\": \"bos\", \"to\": \"auto\"}", 3, "is not forced"},
		{"{\"verb\": \"force\", \"app\": \"gone.example.com\", \"site\": \"bos\", \"to\": \"auto\"}", 1, "no app"},
		{"{\"verb\": \"explain\", \"name\": \"app.example.com\"}", 2, "explain needs 'client'"},
		{"{\"verb\": \"explain\", \"name\": \"app.example.com\", \"client\": \"nobody\"}", 2, "'nobody' is not an address"},
		{"{\"verb\": \"explain\", \"name\": \"app.example.com\", \"client\": \"10.0.0.0/33\"}", 2, "is not an address"},
		{"{\"verb\": \"explain\", \"name\": \"unknown.example.com\", \"client\": \"10.0.0.1\"}", 1, "NXDOMAIN"},
		{"{\"verb\": \"sites\", \"site\": \"bso\"}", 1, "did you mean 'bos'?"},
		{"{\"verb\": \"apps\", \"app\": \"apb.example.com\"}", 1, "no app"},
		{"{\"verb\": \"apps\", \"site\": \"bso\"}", 1, "no site"},
		{"{\"verb\": \"apps\", \"from\": -1}", 2, "'from' must be a whole number"},
		{"{\"verb\": \"apps\", \"from\": \"0\"}", 2, "'from' must be a whole number"},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		asking_refused(&fake_daemon, rows[i].line, rows[i].code, rows[i].text);
	assert_int_equal(fake_daemon.changes, 0);
	assert_int_equal(fake_daemon_count(&fake_daemon, OVERRIDE_DRAIN), 0);
	assert_int_equal(fake_daemon_count(&fake_daemon, OVERRIDE_FORCE), 0);
}

static void test_odd_bytes(void **unused)
{
	enum { DEPTH = 60000 };
	static char nested[DEPTH + 1], name[DEPTH + 64];
	json_t *reply;

	(void)unused;
	memset(nested, '[', DEPTH);
	asking_refused(&fake_daemon, nested, 2, "not JSON");
	reply = fake_daemon_ask(&fake_daemon, "{\"verb\": \"status\"}\0x", 20);
	assert_true(json_is_false(json_object_get(reply, "ok")));
	json_decref(reply);
	memset(nested, 'n', DEPTH);
	snprintf(name, sizeof(name), "{\"verb\": \"%s\"}", nested);
	asking_refused(&fake_daemon, name, 2, "no verb 'nnnn");
	snprintf(name, sizeof(name), "{\"verb\": \"drain\", \"force\": true, \"site\": \"%s\"}", nested);
	asking_refused(&fake_daemon, name, 1, "no site 'nnnn");
	snprintf(name, sizeof(name), "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\", \"%s\": 1}", nested);
	asking_refused(&fake_daemon, name, 2, "no field 'nnnn");
	snprintf(name, sizeof(name), "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\", \"reason\": \"%s\"}", nested);
	asking_refused(&fake_daemon, name, 2, "longer than 255 bytes");
	snprintf(name, sizeof(name), "{\"verb\": \"undrain\", \"site\": \"bos\", \"app\": \"%s\"}", nested);
	asking_refused(&fake_daemon, name, 1, "no app 'nnnn");
	snprintf(name, sizeof(name), "{\"verb\": \"explain\", \"name\": \"x\", \"client\": \"%s\"}", nested);
	asking_refused(&fake_daemon, name, 2, "is not an address");
}

// Before the first view is served.
static void test_starting(void **unused)
{
	(void)unused;
	asking_refused(&fake_daemon, "{\"verb\": \"undrain\", \"site\": \"bos\"}", 3, "bos is not drained");
	asking_refused(&fake_daemon, "{\"verb\": \"sites\"}", 1, "starting");
	asking_refused(&fake_daemon, "{\"verb\": \"apps\"}", 1, "starting");
	asking_refused(&fake_daemon, "{\"verb\": \"explain\", \"name\": \"x\", \"client\": \"10.0.0.1\"}", 1, "starting");
	asking_done(&fake_daemon, "{\"verb\": \"stats\"}");
	asking_done(&fake_daemon, "{\"verb\": \"version\"}");

	json_t *reply = asking_ok(&fake_daemon, "{\"verb\": \"status\"}");

	assert_true(json_is_false(json_object_get(reply, "serving")));
	assert_null(json_object_get(reply, "states"));
	json_decref(reply);
}

// Overrides need only the view: the daemon may have been restarted because of a bad site. They hold from the first
// answer.
static void test_overrides_while_starting(void **unused)
{
	json_t *reply = asking_ok(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\"}");

	(void)unused;
	assert_int_equal(asking_number(reply, "targets"), 3);
	assert_int_equal(json_array_size(json_object_get(reply, "warnings")), 2); // one is of what force has done
	assert_in_range(asking_number(reply, "safe_after") - asking_number(reply, "since"), 63, 65);
	json_decref(reply);
	asking_done(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"nyc\"}");
	asking_refused(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bso\"}", 1, "did you mean 'bos'?");
	asking_refused(&fake_daemon, "{\"verb\": \"undrain\", \"site\": \"ber\"}", 3, "ber is not drained");
	reply = asking_ok(&fake_daemon, "{\"verb\": \"undrain\", \"site\": \"nyc\"}");
	assert_int_equal(asking_number(reply, "targets"), 1);
	json_decref(reply);
	reply = asking_ok(&fake_daemon, "{\"verb\": \"force\", \"app\": \"app.example.com\", \"site\": \"nyc\", \"to\": \"down\"}");
	assert_true(json_is_null(json_object_get(reply, "state")));
	json_decref(reply);
	reply = asking_ok(&fake_daemon, "{\"verb\": \"reload\"}");
	assert_int_equal(asking_number(reply, "generation"), 3);
	assert_true(json_is_false(json_object_get(reply, "serving")));
	json_decref(reply);

	fake_daemon_serve(&fake_daemon);
	asking_state(&fake_daemon, "app.example.com", "bos", "drained");
	asking_state(&fake_daemon, "app.example.com", "nyc", "down");
	asking_state(&fake_daemon, "video.example.com", "ber", "up");
	reply = asking_ok(&fake_daemon, "{\"verb\": \"reload\"}");
	assert_true(json_is_true(json_object_get(reply, "serving")));
	json_decref(reply);
}

// Drains --------------------------------------------------------------------------------------------------------------

static void test_drain(void **unused)
{
	int64_t now_s = clock_wall_s();
	json_t *reply = asking_ok(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\", \"reason\": \"disk \\u001b[31mfull\"}");
	const struct override *drain;

	(void)unused;
	assert_string_equal(asking_text(reply, "site"), "bos");
	assert_true(json_is_null(json_object_get(reply, "app")));
	assert_true(json_is_null(json_object_get(reply, "until")));
	assert_string_equal(asking_text(reply, "who"), "uid 1000 (alice), pid 4711");
	assert_int_equal(asking_number(reply, "targets"), 3);
	assert_int_equal(json_array_size(json_object_get(reply, "apps")), 3);
	assert_in_range(asking_number(reply, "since"), now_s, now_s + 2);
	assert_in_range(asking_number(reply, "safe_after") - asking_number(reply, "since"), 63, 65); // video's TTL
	json_decref(reply);

	assert_int_equal(fake_daemon.changes, 1);
	assert_int_equal(fake_daemon.changes_replied, 1); // published before it was acknowledged
	assert_int_equal(fake_daemon_count(&fake_daemon, OVERRIDE_DRAIN), 1);
	drain = state_override_at(fake_daemon.ops.state, 0);
	assert_string_equal(drain->site, "bos");
	assert_string_equal(drain->reason, "disk \x1b[31mfull");
	assert_string_equal(drain->who, "uid 1000 (alice), pid 4711");
	asking_state(&fake_daemon, "app.example.com", "bos", "drained");
	asking_state(&fake_daemon, "app.example.com", "nyc", "up");
	asking_state(&fake_daemon, "carrier.example.com", "bos", "drained");

	reply = asking_ok(&fake_daemon, "{\"verb\": \"undrain\", \"site\": \"bos\"}");
	assert_int_equal(asking_number(reply, "targets"), 3);
	assert_int_equal(asking_number(reply, "still_drained"), 0);
	json_decref(reply);
	assert_int_equal(fake_daemon.changes, 2);
	assert_int_equal(fake_daemon.changes_replied, 2);
	asking_state(&fake_daemon, "app.example.com", "bos", "up");
}

static void test_drain_one_app_for_a_while(void **unused)
{
	json_t *reply = asking_ok(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\", \"app\": \"APP.example.com.\", \"for\": \"1h30m\"}");

	(void)unused;
	assert_string_equal(asking_text(reply, "app"), "app.example.com");
	assert_int_equal(asking_number(reply, "until"), asking_number(reply, "since") + 5400);
	assert_in_range(asking_number(reply, "safe_after") - asking_number(reply, "since"), 33, 35);
	assert_int_equal(asking_number(reply, "targets"), 1);
	json_decref(reply);
	asking_state(&fake_daemon, "app.example.com", "bos", "drained");
	asking_state(&fake_daemon, "video.example.com", "bos", "up");

	asking_done(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\"}");
	reply = asking_ok(&fake_daemon, "{\"verb\": \"undrain\", \"site\": \"bos\", \"app\": \"app.example.com\"}");
	assert_int_equal(asking_number(reply, "targets"), 0);
	assert_int_equal(asking_number(reply, "still_drained"), 1);
	json_decref(reply);
	asking_refused(&fake_daemon, "{\"verb\": \"undrain\", \"site\": \"bos\", \"app\": \"app.example.com\"}", 1, "the whole site is");
	asking_done(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\", \"app\": \"video.example.com\", \"for\": \"1ms\"}"); // at least a second
	assert_int_equal(state_override_at(fake_daemon.ops.state, 1)->until_s, state_override_at(fake_daemon.ops.state, 1)->since_s + 1);
	asking_done(&fake_daemon, "{\"verb\": \"undrain\", \"site\": \"bos\"}"); // both
	assert_int_equal(fake_daemon_count(&fake_daemon, OVERRIDE_DRAIN), 0);
}

// Answers cached before a reload count: video had a TTL of an hour, and gone had a target at bos.
static void test_drain_after_a_reload(void **unused)
{
	static const struct {
		const char *app, *site;
		int64_t until_s;
	} before[] = {
		{"video.example.com", "bos", 3600}, {"gone.example.com", "bos", 7200}, {"app.example.com", "bos", 7},
		{"video.example.com", "ber", 3600},
	};
	static const struct {
		const char *line;
		int64_t least_s;
	} rows[] = {
		{"{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\", \"app\": \"video.example.com\"}", 3600},
		{"{\"verb\": \"drain\", \"force\": true, \"site\": \"ber\"}", 3600},
		{"{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\"}", 7200},
		{"{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\", \"app\": \"app.example.com\"}", 30}, // its TTL is longer now
		{"{\"verb\": \"drain\", \"force\": true, \"site\": \"use1\"}", 60},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(before); i++)
		assert_int_equal(ledger_add(&fake_daemon.ledger, before[i].app, before[i].site, before[i].until_s, 0), E_OK);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *reply = asking_ok(&fake_daemon, rows[i].line);

		assert_in_range(asking_number(reply, "safe_after") - asking_number(reply, "since"), rows[i].least_s,
		                rows[i].least_s + 5);
		json_decref(reply);
	}
}

// The loop has turned when it is refused: nothing has been published then, and nothing is afterwards.
static void test_not_saved(void **unused)
{
	static const char *const lines[] = {
		"{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\"}",
		"{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\", \"app\": \"app.example.com\", \"for\": \"1h\"}",
		"{\"verb\": \"force\", \"app\": \"app.example.com\", \"site\": \"bos\", \"to\": \"down\"}",
	};
	static const struct override gone = {.kind = OVERRIDE_FORCE, .app = (char *)"gone.example.com", .to = FORCE_UP,
	                                     .site = (char *)"bos", .who = (char *)"w"};
	const struct live *served = live_current();

	(void)unused;
	assert_int_equal(full_disk(true), 0);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		asking_refused(&fake_daemon, lines[i], 1, "/state.db cannot be written: File too large");
	assert_int_equal(full_disk(false), 0);
	assert_int_equal(fake_daemon.changes, 0);
	assert_ptr_equal(live_current(), served);
	assert_int_equal(state_override_count(fake_daemon.ops.state), 0);
	asking_state(&fake_daemon, "app.example.com", "bos", "up");

	asking_done(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\"}");
	assert_int_equal(full_disk(true), 0);
	asking_refused(&fake_daemon, "{\"verb\": \"undrain\", \"site\": \"bos\"}", 1,
	               "/state.db cannot be written: File too large");
	assert_int_equal(full_disk(false), 0);
	assert_int_equal(fake_daemon.changes, 1);
	asking_state(&fake_daemon, "app.example.com", "bos", "drained");

	// Also for an app that a reload removed: "no such app" would read as if the force had gone with it.
	assert_int_equal(fake_daemon_put(&fake_daemon, &gone), E_OK);
	assert_int_equal(full_disk(true), 0);
	asking_refused(&fake_daemon, "{\"verb\": \"force\", \"app\": \"gone.example.com\", \"site\": \"bos\", \"to\": \"auto\"}", 1,
	               "/state.db cannot be written: File too large");
	assert_int_equal(full_disk(false), 0);
	assert_int_equal(fake_daemon_count(&fake_daemon, OVERRIDE_FORCE), 1);

	// What was refused is not there after a restart either, and what was acknowledged is.
	fake_daemon.ops.state = state_close(fake_daemon.ops.state);
	fake_daemon_open_state(&fake_daemon);
	assert_int_equal(fake_daemon_count(&fake_daemon, OVERRIDE_DRAIN), 1);
	assert_int_equal(fake_daemon_count(&fake_daemon, OVERRIDE_FORCE), 1);
}

// Overrides whose site or app a reload took out of the config can still be taken back.
static void test_overrides_left_over(void **unused)
{
	static const struct override gone[] = {
		{.kind = OVERRIDE_DRAIN, .site = (char *)"gone", .who = (char *)"w"},
		{.kind = OVERRIDE_FORCE, .app = (char *)"gone.example.com", .site = (char *)"gone", .to = FORCE_UP,
		 .who = (char *)"w"},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(gone); i++)
		assert_int_equal(fake_daemon_put(&fake_daemon, &gone[i]), E_OK);
	asking_refused(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"gone\"}", 1, "no site 'gone'");
	asking_done(&fake_daemon, "{\"verb\": \"undrain\", \"site\": \"gone\"}");
	asking_done(&fake_daemon, "{\"verb\": \"force\", \"app\": \"gone.example.com\", \"site\": \"gone\", \"to\": \"auto\"}");
	assert_int_equal(fake_daemon_count(&fake_daemon, OVERRIDE_DRAIN), 0);
	assert_int_equal(fake_daemon_count(&fake_daemon, OVERRIDE_FORCE), 0);
}

// Reload --------------------------------------------------------------------------------------------------------------

static void test_reload(void **unused)
{
	json_t *reply = asking_ok(&fake_daemon, "{\"verb\": \"reload\"}");
	const json_t *errors;

	(void)unused;
	assert_int_equal(asking_number(reply, "generation"), 3);
	assert_int_equal(json_array_size(json_object_get(reply, "warnings")), 1);
	assert_null(json_object_get(reply, "errors"));
	json_decref(reply);

	fake_daemon.reload_err = E_INVAL;
	reply = asking_reply(&fake_daemon, "{\"verb\": \"reload\"}");
	assert_true(json_is_false(json_object_get(reply, "ok")));
	assert_int_equal(asking_number(reply, "code"), 2);
	errors = json_object_get(reply, "errors");
	assert_int_equal(json_array_size(errors), 2);
	assert_string_equal(json_string_value(json_array_get(errors, 0)), "edgesteer.yaml:3:5: apps: unknown key 'tll'?");
	assert_int_equal(json_array_size(json_object_get(reply, "warnings")), 1);
	json_decref(reply);

	fake_daemon.reload_err = E_NOMEM;
	asking_refused(&fake_daemon, "{\"verb\": \"reload\"}", 1, "out of memory");

	fake_daemon.reload_err = E_OK;
	fake_daemon.keep_reload = true;
	assert_null(fake_daemon_ask(&fake_daemon, "{\"verb\": \"reload\"}", 18));
	asking_refused(&fake_daemon, "{\"verb\": \"reload\"}", 1, "under way");
	fake_daemon_end_reload(&fake_daemon, E_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refusals, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_odd_bytes, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_starting, fake_daemon_set_up_starting, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_overrides_while_starting, fake_daemon_set_up_starting, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_drain, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_drain_one_app_for_a_while, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_drain_after_a_reload, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_not_saved, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_overrides_left_over, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_reload, fake_daemon_set_up, fake_daemon_tear_down),
	};

	publish_register_reader();
	log_set_level((enum log_level)0);

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	publish_unregister_reader();
	return failed;
}
