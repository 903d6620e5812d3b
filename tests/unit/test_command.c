// What orders tell whoever gives them: whom they leave with nothing, what they replace, what they change. The played
// daemon is fake_daemon.h's.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "asking.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/publish.h"
#include "state/state.h"

static struct fake_daemon fake;

static int set_up(void **unused)
{
	(void)unused;
	fake_daemon_open(&fake, 0, true);
	return 0;
}

static int set_up_starting(void **unused)
{
	(void)unused;
	fake_daemon_open(&fake, 0, false);
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	fake_daemon_close(&fake);
	return 0;
}

// Who is left without -------------------------------------------------------------------------------------------------

// Walks impact.h's table: what is drained already, then the drain that warns.
static void test_warnings(void **unused)
{
	static const struct {
		const char *before[3];
		const char *site, *app;
		const char *warnings[3];
	} rows[] = {
		{{NULL}, "bos", NULL, {"carrier.example.com: no target is left for clients of verizon"}},
		{{NULL}, "nyc", NULL, {NULL}},
		{{NULL}, "use1", "app.example.com",
		 {"app.example.com: no target is left for clients other than those of verizon"}},
		{{NULL}, "use1", NULL,
		 {"app.example.com: no target is left for clients other than those of verizon",
		  "video.example.com: no target is left for clients other than those of verizon, vodafone-de",
		  "web.example.com: no target is left; its clients get the last resort"}},
		{{"bos"}, "nyc", NULL, {NULL}},
		{{"bos"}, "ber", NULL, {"carrier.example.com: no target is left; its clients get the last resort"}},
		{{NULL}, "ber", "carrier.example.com", {"carrier.example.com: no target is left for clients of vodafone-de"}},
		{{NULL}, "bos", "carrier.example.com", {"carrier.example.com: no target is left for clients of verizon"}},
		{{"use1"}, "bos", "app.example.com",
		 {"app.example.com: no target is left for clients other than those of verizon"}},
		{{"use1", "nyc"}, "bos", "app.example.com",
		 {"app.example.com: no target is left; its clients get the last resort"}},
		{{"use1"}, "bos", "video.example.com",
		 {"video.example.com: no target is left for clients other than those of vodafone-de"}},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char line[256];

		for (size_t j = 0; rows[i].before[j]; j++) {
			snprintf(line, sizeof(line), "{\"verb\": \"drain\", \"site\": \"%s\"}", rows[i].before[j]);
			asking_done(&fake, line);
		}
		snprintf(line, sizeof(line), "{\"verb\": \"drain\", \"site\": \"%s\"%s%s%s}", rows[i].site,
		         rows[i].app ? ", \"app\": \"" : "", rows[i].app ? rows[i].app : "", rows[i].app ? "\"" : "");

		json_t *reply = asking_ok(&fake, line);
		const json_t *warnings = json_object_get(reply, "warnings");
		size_t count = 0;

		while (count < 3 && rows[i].warnings[count])
			count++;
		assert_int_equal(json_array_size(warnings), count);
		for (size_t j = 0; j < count; j++)
			assert_string_equal(json_string_value(json_array_get(warnings, j)), rows[i].warnings[j]);
		json_decref(reply);
		while (state_drain_count(fake.ops.state))
			assert_int_equal(state_undrain(fake.ops.state, state_drain_at(fake.ops.state, 0)->site, NULL), E_OK);
	}
}

// The same table where health counts: what is down, what is drained, then the order that warns.
static void test_warnings_of_what_is_down(void **unused)
{
	enum { APP_BOS, APP_NYC, APP_USE1, VIDEO_BOS, VIDEO_BER, VIDEO_USE1, CARRIER_BOS, CARRIER_BER, WEB_USE1 };
	static const struct {
		const char *line;
		int down[5]; // -1 at the end
		const char *warnings[3];
	} rows[] = {
#define DRAIN(site, app) "{\"verb\": \"drain\", \"site\": \"" site "\", \"app\": \"" app ".example.com\"}"
#define FORCE(site, app, to) \
	"{\"verb\": \"force\", \"site\": \"" site "\", \"app\": \"" app ".example.com\", \"to\": \"" to "\"}"
		{DRAIN("bos", "app"), {APP_NYC, -1}, {NULL}}, // there is use1
		{DRAIN("bos", "app"), {APP_USE1, -1}, {NULL}}, // verizon has nyc; others get nothing less than before
		{DRAIN("bos", "app"), {APP_NYC, APP_USE1, -1},
		 {"app.example.com: every target left for its clients is down (2 left of 3): they are answered all the same"}},
		{DRAIN("bos", "video"), {VIDEO_USE1, -1},
		 {"video.example.com: every target left for clients other than those of vodafone-de is down (1 left of 2): they are "
		  "answered all the same"}},
		{DRAIN("use1", "video"), {VIDEO_BOS, -1},
		 {"video.example.com: no target is left for clients other than those of verizon, vodafone-de",
		  "video.example.com: every target left for clients of verizon is down (1 left of 2): they are answered all the same"}},
		{DRAIN("bos", "carrier"), {CARRIER_BER, -1}, {"carrier.example.com: no target is left for clients of verizon"}},
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
			fake.health[rows[i].down[j]].up = false;
		fake_daemon_publish(&fake);

		json_t *reply = asking_ok(&fake, rows[i].line);
		const json_t *warnings = json_object_get(reply, "warnings");
		size_t count = 0;

		for (; rows[i].warnings[count]; count++)
			assert_string_equal(json_string_value(json_array_get(warnings, count)), rows[i].warnings[count]);
		assert_int_equal(json_array_size(warnings), count);
		json_decref(reply);
		for (size_t j = 0; rows[i].down[j] >= 0; j++)
			fake.health[rows[i].down[j]].up = true;
		while (state_drain_count(fake.ops.state))
			assert_int_equal(state_undrain(fake.ops.state, state_drain_at(fake.ops.state, 0)->site, NULL), E_OK);
		while (state_force_count(fake.ops.state)) {
			struct force lift = *state_force_at(fake.ops.state, 0);

			lift.to = FORCE_AUTO;
			assert_int_equal(state_force(fake.ops.state, &lift), E_OK);
		}
	}

	// Lifting a force is what brings a target down here.
	fake.health[WEB_USE1].up = false;
	asking_done(&fake, FORCE("use1", "web", "up"));

	json_t *reply = asking_ok(&fake, FORCE("use1", "web", "auto"));

	assert_int_equal(json_array_size(json_object_get(reply, "warnings")), 1);
	json_decref(reply);
}

// Replacing -----------------------------------------------------------------------------------------------------------

static void test_replaced(void **unused)
{
	static const struct {
		const char *was_for, *is_for; // NULL: without end
		const char *warning;          // NULL: none
	} rows[] = {
		{NULL, "2s", "which was to hold until undrain; that was by uid 7 (carol), pid 9, reason: disk dying"},
		{"2h", "1h", "which was to hold 1h longer; that was by uid 7 (carol), pid 9, reason: disk dying"},
		{"1h", "2h", NULL},
		{"1h", NULL, NULL},
		{NULL, NULL, NULL},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t since_s = clock_wall_s();
		int64_t until_s = !rows[i].was_for ? 0 : since_s + (rows[i].was_for[0] - '0') * 3600;
		char line[128];

		assert_int_equal(state_drain(fake.ops.state,
		                             &(struct drain){.site = (char *)"nyc", .reason = (char *)"disk dying",
		                                             .who = (char *)"uid 7 (carol), pid 9", .since_s = since_s,
		                                             .until_s = until_s}), E_OK);
		snprintf(line, sizeof(line), "{\"verb\": \"drain\", \"site\": \"nyc\"%s%s%s}",
		         rows[i].is_for ? ", \"for\": \"" : "", rows[i].is_for ? rows[i].is_for : "", rows[i].is_for ? "\"" : "");

		json_t *reply = asking_ok(&fake, line);
		const json_t *replaced = json_object_get(reply, "replaced"), *warnings = json_object_get(reply, "warnings");

		assert_string_equal(asking_text(replaced, "who"), "uid 7 (carol), pid 9");
		assert_string_equal(asking_text(replaced, "reason"), "disk dying");
		assert_int_equal(asking_number(replaced, "since"), since_s);
		assert_int_equal(asking_number(replaced, "until"), until_s ? until_s : -1);
		assert_int_equal(json_array_size(warnings), rows[i].warning ? 1 : 0);
		if (rows[i].warning)
			assert_non_null(strstr(json_string_value(json_array_get(warnings, 0)), rows[i].warning));
		json_decref(reply);
	}

	// Another thing's drain is not replaced, nor is one that has run out.
	json_t *reply = asking_ok(&fake, "{\"verb\": \"drain\", \"site\": \"nyc\", \"app\": \"app.example.com\"}");

	assert_true(json_is_null(json_object_get(reply, "replaced")));
	json_decref(reply);
	assert_int_equal(state_drain(fake.ops.state, &(struct drain){.site = (char *)"bos", .who = (char *)"w", .since_s = 1,
	                                                              .until_s = 2}), E_OK);
	reply = asking_ok(&fake, "{\"verb\": \"drain\", \"site\": \"bos\"}");
	assert_true(json_is_null(json_object_get(reply, "replaced")));
	json_decref(reply);
}

// Undrain -------------------------------------------------------------------------------------------------------------

static void check_undrain(const char *line, json_int_t targets, json_int_t up, json_int_t still)
{
	json_t *reply = asking_ok(&fake, line);

	assert_int_equal(asking_number(reply, "targets"), targets);
	assert_int_equal(asking_number(reply, "up"), up);
	assert_int_equal(asking_number(reply, "still_drained"), still);
	assert_int_equal(json_array_size(json_object_get(reply, "apps")), targets);
	json_decref(reply);
}

// What has changed is told, not what there is.
static void test_undrain_numbers(void **unused)
{
	(void)unused;
	// bos has three targets. One drain of one of them changes one.
	asking_done(&fake, "{\"verb\": \"drain\", \"site\": \"bos\", \"app\": \"app.example.com\"}");
	check_undrain("{\"verb\": \"undrain\", \"site\": \"bos\"}", 1, 1, 0);

	// One is down by its health, one is forced down: neither gets clients.
	asking_done(&fake, "{\"verb\": \"drain\", \"site\": \"bos\"}");
	asking_done(&fake, "{\"verb\": \"force\", \"app\": \"app.example.com\", \"site\": \"bos\", \"to\": \"down\"}");
	fake.health[3].up = false; // video at bos
	check_undrain("{\"verb\": \"undrain\", \"site\": \"bos\"}", 3, 1, 0);

	// The site's drain holds on.
	asking_done(&fake, "{\"verb\": \"drain\", \"site\": \"bos\"}");
	asking_done(&fake, "{\"verb\": \"drain\", \"site\": \"bos\", \"app\": \"carrier.example.com\"}");
	check_undrain("{\"verb\": \"undrain\", \"site\": \"bos\", \"app\": \"carrier.example.com\"}", 0, 0, 1);
	check_undrain("{\"verb\": \"undrain\", \"site\": \"bos\"}", 3, 1, 0);

	// Of what a reload took away.
	static const struct drain gone[] = {
		{.site = (char *)"bos", .app = (char *)"gone.example.com", .who = (char *)"w"},
		{.site = (char *)"gone", .who = (char *)"w"},
	};

	for (size_t i = 0; i < ARRAY_LEN(gone); i++)
		assert_int_equal(state_drain(fake.ops.state, &gone[i]), E_OK);
	check_undrain("{\"verb\": \"undrain\", \"site\": \"bos\", \"app\": \"gone.example.com\"}", 0, 0, 0);
	check_undrain("{\"verb\": \"undrain\", \"site\": \"gone\"}", 0, 0, 0);
}

static void test_undrain_while_starting(void **unused)
{
	(void)unused;
	asking_done(&fake, "{\"verb\": \"drain\", \"site\": \"bos\"}");

	json_t *reply = asking_ok(&fake, "{\"verb\": \"undrain\", \"site\": \"bos\"}");

	assert_int_equal(asking_number(reply, "targets"), 3);
	assert_true(json_is_null(json_object_get(reply, "up"))); // health is not known yet
	json_decref(reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_warnings, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_warnings_of_what_is_down, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_replaced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_undrain_numbers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_undrain_while_starting, set_up_starting, tear_down),
	};

	publish_register_reader();
	log_set_level((enum log_level)0);

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	publish_unregister_reader();
	return failed;
}
