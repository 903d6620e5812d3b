// drain and undrain: their replies (which clients are left without a target, what is replaced, what has changed), and
// that they are acknowledged once durable and published, not before. The daemon is that of fake_daemon.h.
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "asking.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/publish.h"
#include "control/call.h"
#include "control/gate.h"
#include "control/impact.h"
#include "control/verbs.h"
#include "full_disk.h"
#include "state/state.h"
#include "view/live.h"

// Who is left without -------------------------------------------------------------------------------------------------

// The warnings but for what was done by force, of the reply.
static const json_t *warnings_of(json_t *reply)
{
	json_t *warnings = json_object_get(reply, "warnings");

	for (size_t i = json_array_size(warnings); i-- > 0;)
		if (strncmp(json_string_value(json_array_get(warnings, i)), "by force: ", 10) == 0)
			json_array_remove(warnings, i);
	return warnings;
}

// Walks impact.h's table: what is drained already, then the drain that warns.
static void test_warnings(void **unused)
{
	static const struct {
		const char *before[3];
		const char *site, *app;
		const char *warnings[3];
	} rows[] = {
		{{NULL}, "bos", NULL, {"carrier.example.com: no target is left for clients of verizon; they get SERVFAIL"}},
		{{NULL}, "nyc", NULL, {NULL}},
		{{NULL}, "use1", "app.example.com",
		 {"app.example.com: no target is left for clients other than those of verizon; they get SERVFAIL"}},
		{{NULL}, "use1", NULL,
		 {"app.example.com: no target is left for clients other than those of verizon; they get SERVFAIL",
		  "video.example.com: no target is left for clients other than those of verizon, vodafone-de; they get SERVFAIL",
		  "web.example.com: no target is left; its clients get the last resort"}},
		{{"bos"}, "nyc", NULL, {NULL}},
		{{"bos"}, "ber", NULL, {"carrier.example.com: no target is left; its clients get SERVFAIL"}},
		{{NULL}, "ber", "carrier.example.com", {"carrier.example.com: no target is left for clients of vodafone-de; they get SERVFAIL"}},
		{{NULL}, "bos", "carrier.example.com", {"carrier.example.com: no target is left for clients of verizon; they get SERVFAIL"}},
		{{"use1"}, "ber", "video.example.com",
		 {"video.example.com: no target is left for clients other than those of verizon; they get SERVFAIL"}},
		{{"use1"}, "bos", "app.example.com",
		 {"app.example.com: no target is left for clients other than those of verizon; they get SERVFAIL"}},
		{{"use1", "nyc"}, "bos", "app.example.com",
		 {"app.example.com: no target is left; its clients get SERVFAIL"}},
		{{"use1"}, "bos", "video.example.com",
		 {"video.example.com: no target is left for clients other than those of vodafone-de; they get SERVFAIL"}},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char line[256];

		for (size_t j = 0; rows[i].before[j]; j++) {
			snprintf(line, sizeof(line), "{\"verb\": \"drain\", \"force\": true, \"site\": \"%s\"}", rows[i].before[j]);
			asking_done(&fake_daemon, line);
		}
		snprintf(line, sizeof(line), "{\"verb\": \"drain\", \"force\": true, \"site\": \"%s\"%s%s%s}", rows[i].site,
		         rows[i].app ? ", \"app\": \"" : "", rows[i].app ? rows[i].app : "", rows[i].app ? "\"" : "");

		json_t *reply = asking_ok(&fake_daemon, line);
		const json_t *warnings = warnings_of(reply);
		size_t count = 0;

		while (count < 3 && rows[i].warnings[count])
			count++;
		assert_int_equal(json_array_size(warnings), count);
		for (size_t j = 0; j < count; j++)
			assert_string_equal(json_string_value(json_array_get(warnings, j)), rows[i].warnings[j]);
		json_decref(reply);
		fake_daemon_remove_all(&fake_daemon);
	}
}

// Of very many apps only the first are listed, and the others counted: those of them that are left with something are no
// part of it.
static void test_very_many_warnings(void **unused)
{
	char text[32];
	json_t *reply = asking_ok(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"use1\"}");
	const json_t *warnings = warnings_of(reply);

	(void)unused;
	assert_int_equal(json_array_size(warnings), IMPACT_MAX + 1);
	assert_string_equal(json_string_value(json_array_get(warnings, IMPACT_MAX - 1)),
	                    "many96.example.com: no target is left; its clients get SERVFAIL");
	snprintf(text, sizeof(text), "and %d more apps", FAKE_MANY + 3 - IMPACT_MAX); // app, video and web come first
	assert_string_equal(json_string_value(json_array_get(warnings, IMPACT_MAX)), text);
	json_decref(reply);
}

// The same table where health counts: what is down, what is drained, then the drain that warns.
static void test_warnings_of_what_is_down(void **unused)
{
	enum { APP_BOS, APP_NYC, APP_USE1, VIDEO_BOS, VIDEO_BER, VIDEO_USE1, CARRIER_BOS, CARRIER_BER, WEB_USE1 };
	static const struct {
		const char *line;
		int down[5]; // -1 at the end
		const char *warnings[3];
	} rows[] = {
#define DRAIN(site, app) "{\"verb\": \"drain\", \"force\": true, \"site\": \"" site "\", \"app\": \"" app ".example.com\"}"
		{DRAIN("bos", "app"), {APP_NYC, -1}, {NULL}}, // there is use1
		{DRAIN("bos", "app"), {APP_USE1, -1}, {NULL}}, // verizon has nyc; others get nothing less than before
		{DRAIN("bos", "app"), {APP_NYC, APP_USE1, -1},
		 {"app.example.com: every target left for its clients is down (2 left of 3): they are answered all the same"}},
		{DRAIN("bos", "video"), {VIDEO_USE1, -1},
		 {"video.example.com: every target left for clients other than those of vodafone-de is down (1 left of 2): they are "
		  "answered all the same"}},
		{DRAIN("use1", "video"), {VIDEO_BOS, -1},
		 {"video.example.com: no target is left for clients other than those of verizon, vodafone-de; they get SERVFAIL",
		  "video.example.com: every target left for clients of verizon is down (1 left of 2): they are answered all the same"}},
		{DRAIN("bos", "carrier"), {CARRIER_BER, -1}, {"carrier.example.com: no target is left for clients of verizon; they get SERVFAIL"}},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t j = 0; rows[i].down[j] >= 0; j++)
			fake_daemon.health[rows[i].down[j]].up = false;
		fake_daemon_publish(&fake_daemon);

		json_t *reply = asking_ok(&fake_daemon, rows[i].line);
		const json_t *warnings = warnings_of(reply);
		size_t count = 0;

		for (; rows[i].warnings[count]; count++)
			assert_string_equal(json_string_value(json_array_get(warnings, count)), rows[i].warnings[count]);
		assert_int_equal(json_array_size(warnings), count);
		json_decref(reply);
		for (size_t j = 0; rows[i].down[j] >= 0; j++)
			fake_daemon.health[rows[i].down[j]].up = true;
		fake_daemon_remove_all(&fake_daemon);
	}
}

// Replacing -----------------------------------------------------------------------------------------------------------

static void test_replaced(void **unused)
{
	static const struct {
		const char *was_for, *is_for; // NULL: without end
		const char *warning;          // NULL: none
	} rows[] = {
		{NULL, "2s", "which would have held until undrain; that was by uid 7 (carol), pid 9, reason: disk dying"},
		{"2h", "1h", "which would have held 1h longer; that was by uid 7 (carol), pid 9, reason: disk dying"},
		{"1h", "2h", NULL},
		{"1h", NULL, NULL},
		{NULL, NULL, NULL},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t since_s = clock_wall_s();
		int64_t until_s = !rows[i].was_for ? 0 : since_s + (rows[i].was_for[0] - '0') * 3600;
		char line[128];

		assert_int_equal(fake_daemon_put(&fake_daemon, &(struct override){
			.kind = OVERRIDE_DRAIN, .site = (char *)"nyc", .reason = (char *)"disk dying", .since_s = since_s,
			.until_s = until_s, .who = (char *)"uid 7 (carol), pid 9"}), E_OK);
		snprintf(line, sizeof(line), "{\"verb\": \"drain\", \"force\": true, \"site\": \"nyc\"%s%s%s}",
		         rows[i].is_for ? ", \"for\": \"" : "", rows[i].is_for ? rows[i].is_for : "", rows[i].is_for ? "\"" : "");

		json_t *reply = asking_ok(&fake_daemon, line);
		const json_t *replaced = json_object_get(reply, "replaced"), *warnings = warnings_of(reply);

		assert_string_equal(asking_text(replaced, "who"), "uid 7 (carol), pid 9");
		assert_string_equal(asking_text(replaced, "reason"), "disk dying");
		assert_int_equal(asking_number(replaced, "since"), since_s);
		assert_int_equal(asking_number(replaced, "until"), until_s ? until_s : -1);
		assert_int_equal(json_array_size(warnings), rows[i].warning ? 1 : 0);
		if (rows[i].warning)
			assert_non_null(strstr(json_string_value(json_array_get(warnings, 0)), rows[i].warning));
		json_decref(reply);
	}

	// Another thing's drain is not replaced, nor is an expired one.
	json_t *reply = asking_ok(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"nyc\", \"app\": \"app.example.com\"}");

	assert_true(json_is_null(json_object_get(reply, "replaced")));
	assert_string_equal(asking_text(json_object_get(reply, "site_drain"), "site"), "nyc"); // which holds besides
	json_decref(reply);
	reply = asking_ok(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\", \"app\": \"app.example.com\"}");
	assert_true(json_is_null(json_object_get(reply, "site_drain")));
	json_decref(reply);
	assert_int_equal(fake_daemon_put(&fake_daemon, &(struct override){.kind = OVERRIDE_DRAIN, .site = (char *)"bos",
	                                                            .since_s = 1, .until_s = 2, .who = (char *)"w"}), E_OK);
	reply = asking_ok(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\"}");
	assert_true(json_is_null(json_object_get(reply, "replaced")));
	json_decref(reply);
}

// Undrain -------------------------------------------------------------------------------------------------------------

// What it ended, each drain by its app.
static void test_undrain_names_what_it_ended(void **unused)
{
	static const char *const apps[] = {"(none)", "video.example.com", "app.example.com"};
	const struct override had_run_out = {.kind = OVERRIDE_DRAIN, .site = (char *)"bos", .app = (char *)"carrier.example.com",
	                                     .since_s = 1, .until_s = 2, .who = (char *)"w"};
	json_t *reply;

	(void)unused;
	asking_done(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\", \"reason\": \"rack\"}");
	asking_done(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\", \"app\": \"video.example.com\", \"for\": \"2h\"}");
	asking_done(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\", \"app\": \"app.example.com\"}");
	asking_done(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"nyc\"}");
	assert_int_equal(fake_daemon_put(&fake_daemon, &had_run_out), E_OK);
	reply = asking_ok(&fake_daemon, "{\"verb\": \"undrain\", \"site\": \"bos\"}");

	const json_t *ended = json_object_get(reply, "ended"), *site = asking_named(ended, "app", "(none)");

	assert_int_equal(asking_number(reply, "ended_count"), ARRAY_LEN(apps));
	assert_int_equal(json_array_size(ended), ARRAY_LEN(apps));
	for (size_t i = 0; i < ARRAY_LEN(apps); i++)
		assert_string_equal(asking_text(asking_named(ended, "app", apps[i]), "site"), "bos");
	assert_string_equal(asking_text(site, "reason"), "rack");
	assert_string_equal(asking_text(site, "who"), "uid 1000 (alice), pid 4711");
	assert_true(asking_number(asking_named(ended, "app", apps[1]), "until") > asking_number(site, "since"));
	json_decref(reply);
	reply = asking_ok(&fake_daemon, "{\"verb\": \"undrain\", \"site\": \"nyc\"}");
	assert_int_equal(asking_number(reply, "ended_count"), 1);
	json_decref(reply);
}

static void check_undrain(const char *line, json_int_t targets, json_int_t up, json_int_t still)
{
	json_t *reply = asking_ok(&fake_daemon, line);

	assert_int_equal(asking_number(reply, "targets"), targets);
	assert_int_equal(asking_number(reply, "up"), up);
	assert_int_equal(asking_number(reply, "still_drained"), still);
	assert_int_equal(json_array_size(json_object_get(reply, "apps")), targets);
	json_decref(reply);
}

// The reply reports what has changed, not the current state.
static void test_undrain_numbers(void **unused)
{
	(void)unused;
	// bos has three targets. One drain of one of them changes one.
	asking_done(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\", \"app\": \"app.example.com\"}");
	check_undrain("{\"verb\": \"undrain\", \"site\": \"bos\"}", 1, 1, 0);

	// One is down by its health, one is forced down: neither gets clients.
	asking_done(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\"}");
	asking_done(&fake_daemon, "{\"verb\": \"force\", \"app\": \"app.example.com\", \"site\": \"bos\", \"to\": \"down\"}");
	fake_daemon.health[3].up = false; // video at bos
	check_undrain("{\"verb\": \"undrain\", \"site\": \"bos\"}", 3, 1, 0);

	// The site's drain holds on.
	asking_done(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\"}");
	asking_done(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\", \"app\": \"carrier.example.com\"}");
	check_undrain("{\"verb\": \"undrain\", \"site\": \"bos\", \"app\": \"carrier.example.com\"}", 0, 0, 1);
	check_undrain("{\"verb\": \"undrain\", \"site\": \"bos\"}", 3, 1, 0);

	// Of what a reload took away.
	static const struct override gone[] = {
		{.site = (char *)"bos", .app = (char *)"gone.example.com", .who = (char *)"w"},
		{.site = (char *)"gone", .who = (char *)"w"},
	};

	for (size_t i = 0; i < ARRAY_LEN(gone); i++)
		assert_int_equal(fake_daemon_put(&fake_daemon, &gone[i]), E_OK);
	check_undrain("{\"verb\": \"undrain\", \"site\": \"bos\", \"app\": \"gone.example.com\"}", 0, 0, 0);
	check_undrain("{\"verb\": \"undrain\", \"site\": \"gone\"}", 0, 0, 0);
}

// After a reload that changes the spelling of an app, a drain for the old name has no effect, is shown as such, and can
// be lifted by that name, while the new name has a drain of its own.
static void test_other_case(void **unused)
{
	static const struct override old = {.kind = OVERRIDE_DRAIN, .site = (char *)"bos", .app = (char *)"App.example.com",
	                                    .who = (char *)"w"};

	(void)unused;
	assert_int_equal(fake_daemon_put(&fake_daemon, &old), E_OK);
	asking_state(&fake_daemon, "app.example.com", "bos", "up");
	asking_done(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\", \"app\": \"APP.example.com\"}");
	assert_int_equal(fake_daemon_count(&fake_daemon, OVERRIDE_DRAIN), 2);
	check_undrain("{\"verb\": \"undrain\", \"site\": \"bos\", \"app\": \"App.example.com\"}", 0, 0, 0);
	asking_state(&fake_daemon, "app.example.com", "bos", "drained");
	check_undrain("{\"verb\": \"undrain\", \"site\": \"bos\", \"app\": \"App.example.com\"}", 1, 1, 0);
	assert_int_equal(fake_daemon_count(&fake_daemon, OVERRIDE_DRAIN), 0);
}

static void test_undrain_while_starting(void **unused)
{
	(void)unused;
	asking_done(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\"}");

	json_t *reply = asking_ok(&fake_daemon, "{\"verb\": \"undrain\", \"site\": \"bos\"}");

	assert_int_equal(asking_number(reply, "targets"), 3);
	assert_true(json_is_null(json_object_get(reply, "up"))); // health is not known yet
	json_decref(reply);
}

// When it is acknowledged ---------------------------------------------------------------------------------------------

// A client that does not wait for one reply before its next request.
struct client {
	unsigned replies, done, refused;
	char last_error[256];
	void (*look)(void);    // called with each such reply
};

static void on_reply(void *ctx, json_t *reply)
{
	struct client *client = ctx;

	assert_non_null(reply);
	client->replies++;
	if (json_is_true(json_object_get(reply, "ok"))) {
		client->done++;
		if (client->look)
			client->look();
	} else {
		client->refused++;
		snprintf(client->last_error, sizeof(client->last_error), "%s", asking_text(reply, "error"));
	}
	json_decref(reply);
}

static void send_line(struct client *client, const char *line)
{
	struct call call = {.ops = fake_daemon.ops, .who = "uid 1000 (alice), pid 4711", .reply = on_reply, .reply_ctx = client};

	verbs_run(&call, line, strlen(line));
}

static void wait_for(struct client *client, unsigned replies)
{
	while (client->replies < replies)
		event_base_loop(fake_daemon.base, EVLOOP_ONCE);
	assert_int_equal(client->replies, replies);
}

// What a start would find if the daemon were killed now.
static size_t count_on_disk(void)
{
	static const struct state_ops no_ops;
	char folder[96], command[4 * sizeof(folder)];
	struct event_base *base = event_base_new();
	struct state *state = NULL;

	snprintf(folder, sizeof(folder), "%s.killed", fake_daemon.folder);
	snprintf(command, sizeof(command), "rm -rf %s && mkdir %s && cp %s/*.db* %s", folder, folder, fake_daemon.folder,
	         folder);
	assert_int_equal(system(command), 0);
	assert_non_null(base);
	assert_int_equal(state_open(base, folder, &no_ops, &state), E_OK);

	size_t count = state_override_count(state);

	state_close(state);
	event_base_free(base);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
	return count;
}

static void look_drained(void)
{
	assert_int_equal(fake_daemon.changes, 1);
	assert_true(live_state(live_current(), 0) & TARGET_DRAINED); // app at bos
	assert_int_equal(count_on_disk(), 1);
}

static void look_undrained(void)
{
	assert_int_equal(fake_daemon.changes, 2);
	assert_int_equal(live_state(live_current(), 0), 0);
	assert_int_equal(count_on_disk(), 0);
}

static void test_published_before_acknowledged(void **unused)
{
	static const struct {
		const char *line;
		void (*look)(void);
	} rows[] = {
		{"{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\"}", look_drained},
		{"{\"verb\": \"undrain\", \"site\": \"bos\"}", look_undrained},
	};

	(void)unused;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct client client = {.look = rows[i].look};
		const struct live *served = live_current();
		uint64_t revision = state_revision(fake_daemon.ops.state);

		send_line(&client, rows[i].line);
		// The loop has not run: nothing is in effect yet, and no reply has been sent.
		assert_int_equal(client.replies, 0);
		assert_int_equal(fake_daemon.changes, i);
		assert_ptr_equal(live_current(), served);
		assert_int_equal(state_revision(fake_daemon.ops.state), revision);
		wait_for(&client, 1);
		assert_int_equal(client.done, 1);
	}
}

// Drains wait for one another, and are then all given, in the order of the requests.
static void test_many_at_once(void **unused)
{
	enum { REQUESTS = 300 };
	struct client client = {0};

	(void)unused;
	for (int i = 0; i < REQUESTS; i++) {
		char line[128];

		snprintf(line, sizeof(line), "{\"verb\": \"drain\", \"force\": true, \"site\": \"%s\", \"reason\": \"r%d\"}",
		         i % 2 ? "bos" : "nyc", i);
		send_line(&client, line);
	}
	assert_int_equal(client.replies, 0);
	wait_for(&client, REQUESTS);
	assert_int_equal(client.done, REQUESTS);
	assert_int_equal(fake_daemon.changes, REQUESTS);
	assert_int_equal(state_override_count(fake_daemon.ops.state), 2);
	assert_string_equal(state_drain_given(fake_daemon.ops.state, NULL, "nyc")->reason, "r298");
	assert_string_equal(state_drain_given(fake_daemon.ops.state, NULL, "bos")->reason, "r299");
	asking_done(&fake_daemon, "{\"verb\": \"undrain\", \"site\": \"bos\"}");
	asking_state(&fake_daemon, "app.example.com", "bos", "up");
	asking_state(&fake_daemon, "app.example.com", "nyc", "drained");
}

// What does not wait is refused at once when the queue is full; what is in it is done in the order of the requests.
static void test_more_than_can_wait(void **unused)
{
	enum { REQUESTS = STATE_QUEUE_MAX + 44 };
	struct client client = {0};
	char last[16];

	(void)unused;
	for (int i = 0; i < REQUESTS; i++) {
		char line[160];

		snprintf(line, sizeof(line), "{\"verb\": \"force\", \"app\": \"app.example.com\", \"site\": \"%s\", \"to\": \"down\", "
		         "\"reason\": \"r%d\"}", i % 2 ? "bos" : "nyc", i);
		send_line(&client, line);
	}
	assert_int_equal(client.replies, 0);
	wait_for(&client, REQUESTS);
	assert_int_equal(client.done, STATE_QUEUE_MAX);
	assert_int_equal(client.refused, REQUESTS - STATE_QUEUE_MAX);
	assert_string_equal(client.last_error, "not done: 256 changes are already waiting to be saved; try again");
	assert_in_range(fake_daemon.changes, 1, STATE_QUEUE_MAX);
	assert_int_equal(state_override_count(fake_daemon.ops.state), 2);
	snprintf(last, sizeof(last), "r%d", STATE_QUEUE_MAX - 1);
	assert_string_equal(state_override_at(fake_daemon.ops.state, 1)->reason, last);
	asking_done(&fake_daemon, "{\"verb\": \"drain\", \"site\": \"nyc\"}"); // there is room again
}

// A request that follows another one finds what that one has done, though it came before the first was answered.
static void test_one_after_the_other(void **unused)
{
	struct client client = {0};

	(void)unused;
	send_line(&client, "{\"verb\": \"undrain\", \"site\": \"bos\"}");
	send_line(&client, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\"}");
	send_line(&client, "{\"verb\": \"undrain\", \"site\": \"bos\"}");
	send_line(&client, "{\"verb\": \"undrain\", \"site\": \"bos\"}");
	wait_for(&client, 4);
	assert_int_equal(client.done, 2);
	assert_int_equal(client.refused, 2);
	assert_string_equal(client.last_error, "bos is not drained");
	assert_int_equal(state_override_count(fake_daemon.ops.state), 0);
	asking_state(&fake_daemon, "app.example.com", "bos", "up");
}

// A change that cannot be written is not published, and every waiting request is answered.
static void test_full_disk(void **unused)
{
	enum { REQUESTS = 10 };
	struct client client = {0};
	const struct live *served = live_current();

	(void)unused;
	assert_int_equal(full_disk(true), 0);
	for (int i = 0; i < REQUESTS; i++)
		send_line(&client, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\"}");
	wait_for(&client, REQUESTS);
	assert_int_equal(full_disk(false), 0);
	assert_int_equal(client.refused, REQUESTS);
	char expected[256];

	snprintf(expected, sizeof(expected), "not done: %s/state.db cannot be written: File too large; with --volatile it is done "
	         "all the same, in memory until it can be saved", fake_daemon.folder);
	assert_string_equal(client.last_error, expected);
	assert_int_equal(fake_daemon.changes, 0);
	assert_ptr_equal(live_current(), served);
	assert_int_equal(state_override_count(fake_daemon.ops.state), 0);
	assert_int_equal(count_on_disk(), 0);
	asking_done(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\"}");
	asking_state(&fake_daemon, "app.example.com", "bos", "drained");
}

// Stopping the daemon loses nothing: the drain whose turn it is is written, published and answered first; those that wait for
// theirs are refused.
static void test_state_is_closed(void **unused)
{
	struct client client = {0};

	(void)unused;
	for (int i = 0; i < 10; i++)
		send_line(&client, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\"}");
	assert_int_equal(client.replies, 0);
	gate_close(fake_daemon.ops.gate);
	assert_int_equal(client.refused, 9);
	assert_string_equal(client.last_error, "not done: the daemon is stopping");
	fake_daemon.ops.state = state_close(fake_daemon.ops.state);
	assert_int_equal(client.done, 1);
	assert_true(fake_daemon.changes >= 1);
	fake_daemon_open_state(&fake_daemon);
	assert_int_equal(fake_daemon_count(&fake_daemon, OVERRIDE_DRAIN), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_warnings, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_very_many_warnings, fake_daemon_set_up_many, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_warnings_of_what_is_down, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_replaced, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_undrain_names_what_it_ended, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_undrain_numbers, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_other_case, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_undrain_while_starting, fake_daemon_set_up_starting, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_published_before_acknowledged, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_many_at_once, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_more_than_can_wait, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_one_after_the_other, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_full_disk, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_state_is_closed, fake_daemon_set_up, fake_daemon_tear_down),
	};

	publish_register_reader();
	log_set_level((enum log_level)0);

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	publish_unregister_reader();
	return failed;
}
