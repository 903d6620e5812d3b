// The verbs that show something, without a socket. The daemon is that of fake_daemon.h.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "asking.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/log.h"
#include "base/publish.h"
#include "control/impact.h"
#include "control/show.h"
#include "state/state.h"
#include "view/handouts.h"
#include "view/view.h"

static void test_status(void **unused)
{
	(void)unused;
	fake_daemon.health[0].up = false; // app at bos
	fake_daemon.health[4].up = false; // video at ber, which is drained as well: it counts once
	fake_daemon.health[8].checked = false;
	asking_done(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"ber\", \"reason\": \"rack\"}");
	asking_done(&fake_daemon, "{\"verb\": \"force\", \"app\": \"web.example.com\", \"site\": \"use1\", \"to\": \"down\"}");
	assert_int_equal(fake_daemon_put(&fake_daemon, &(struct override){.kind = OVERRIDE_DRAIN, .site = (char *)"nyc",
	                                                            .since_s = 1, .until_s = 2, .who = (char *)"w"}), E_OK);

	json_t *reply = asking_ok(&fake_daemon, "{\"verb\": \"status\"}");
	const json_t *states = json_object_get(reply, "states"), *drains = json_object_get(reply, "drains");
	const json_t *forces = json_object_get(reply, "forces"), *locate = json_object_get(reply, "locate");

	assert_string_equal(asking_text(reply, "version"), "1.2.3");
	assert_true(json_is_true(json_object_get(reply, "serving")));
	assert_int_equal(asking_number(states, "total"), 9);
	assert_int_equal(asking_number(states, "drained"), 2);
	assert_int_equal(asking_number(states, "down"), 2);
	assert_int_equal(asking_number(states, "up"), 5);
	assert_int_equal(asking_number(states, "unchecked"), 1);
	assert_int_equal(json_array_size(drains), 1); // an expired drain is not in effect
	assert_string_equal(asking_text(json_array_get(drains, 0), "reason"), "rack");
	assert_int_equal(json_array_size(forces), 1);
	assert_string_equal(asking_text(json_array_get(forces, 0), "to"), "down");
	asking_state(&fake_daemon, "video.example.com", "ber", "drained, down"); // as explain says it
	asking_state(&fake_daemon, "carrier.example.com", "ber", "drained");
	assert_string_equal(asking_text(json_array_get(locate, 0), "name"), "ranges");
	assert_int_equal(asking_number(json_array_get(locate, 0), "prefixes"), 2);
	assert_int_equal(asking_number(json_object_get(reply, "health"), "failures"), 3);
	assert_int_equal(asking_number(json_object_get(reply, "health"), "late"), 4);
	json_decref(reply);
}

static void count(uint32_t target, uint32_t worker, unsigned answers)
{
	while (answers--)
		handouts_count(fake_daemon.view->targets[target].handouts, worker);
}

// What two workers would count: at bos, target 0 of app, 3 of video, 6 of carrier.
static void count_answers(void)
{
	count(0, 0, 2);
	count(0, 1, 3);
	count(3, 0, 7);
	count(6, 1, 13);
}

static void test_sites(void **unused)
{
	(void)unused;
	count_answers();
	fake_daemon.health[0].up = false; // app at bos
	asking_done(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"nyc\", \"for\": \"1h\"}");
	asking_done(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\", \"app\": \"video.example.com\"}");

	json_t *reply = asking_ok(&fake_daemon, "{\"verb\": \"sites\"}");
	const json_t *sites = json_object_get(reply, "sites");
	const json_t *bos = asking_named(sites, "name", "bos"), *use1 = asking_named(sites, "name", "use1");

	assert_int_equal(json_array_size(sites), 4);
	assert_string_equal(asking_text(bos, "kind"), "wavelength");
	assert_string_equal(asking_text(bos, "region"), "use1");
	assert_string_equal(json_string_value(json_array_get(json_object_get(bos, "reach"), 0)), "verizon");
	assert_int_equal(asking_number(json_object_get(bos, "targets"), "up"), 1);
	assert_int_equal(asking_number(json_object_get(bos, "targets"), "down"), 1);
	assert_int_equal(asking_number(json_object_get(bos, "targets"), "drained"), 1);
	assert_true(json_is_null(json_object_get(bos, "drained"))); // only one of its targets is
	assert_true(json_is_object(json_object_get(asking_named(sites, "name", "nyc"), "drained")));
	assert_string_equal(asking_text(use1, "reach"), "public");
	assert_true(json_is_null(json_object_get(use1, "region")));
	assert_null(json_object_get(use1, "location"));
	assert_int_equal(json_array_size(json_object_get(bos, "location")), 2);
	assert_int_equal(asking_number(bos, "answers"), 5 + 7 + 13); // app's, video's and carrier's
	assert_int_equal(asking_number(use1, "answers"), 0);
	json_decref(reply);

	reply = asking_ok(&fake_daemon, "{\"verb\": \"sites\", \"site\": \"nyc\"}");
	assert_int_equal(json_array_size(json_object_get(reply, "sites")), 1);
	json_decref(reply);
}

static void test_apps(void **unused)
{
	json_t *reply;
	const json_t *bos, *health, *address;

	(void)unused;
	fake_daemon.health[0] = (struct health_target){.checked = true, .layer = HEALTH_STATUS, .text = "HTTP status 503 \xff",
	                                         .since_s = 1000, .last_probe_s = 2000, .took_us = 1500, .streak = 1, .probes = 9,
	                                         .failures = 3};
	fake_daemon.health[1].checked = false;
	fake_daemon_publish(&fake_daemon);
	count_answers();
	bos = asking_target(&fake_daemon, "app.example.com", "bos", &reply);
	assert_string_equal(asking_text(bos, "state"), "down");
	assert_int_equal(asking_number(bos, "answers"), 5);
	assert_string_equal(json_string_value(json_array_get(json_object_get(bos, "addresses"), 0)), "192.0.2.0");
	assert_null(json_object_get(bos, "forced"));
	assert_null(json_object_get(bos, "weight"));
	health = json_object_get(bos, "health");
	assert_true(json_is_false(json_object_get(health, "up")));
	assert_string_equal(asking_text(health, "check"), "alb");
	assert_string_equal(asking_text(health, "layer"), "status");
	assert_string_equal(asking_text(health, "text"), "HTTP status 503 ?"); // what a server answered need not be UTF-8
	assert_int_equal(asking_number(health, "since"), 1000);
	assert_int_equal(asking_number(health, "probes"), 9);
	assert_int_equal(asking_number(health, "failures"), 3);
	assert_int_equal(asking_number(health, "streak"), 1);
	assert_int_equal(asking_number(health, "last_probe"), 2000);
	address = json_array_get(json_object_get(health, "addresses"), 0);
	assert_string_equal(asking_text(address, "address"), "192.0.2.0");
	assert_true(json_is_false(json_object_get(address, "up")));
	assert_string_equal(asking_text(address, "text"), "HTTP status 503 ?");
	assert_int_equal(asking_number(address, "failures"), 3);
	assert_int_equal(asking_number(asking_named(json_object_get(reply, "apps"), "name", "video.example.com"), "ttl_s"), 60);
	json_decref(reply);

	bos = asking_target(&fake_daemon, "app.example.com", "nyc", &reply);
	assert_true(json_is_null(json_object_get(bos, "health"))); // it has no check
	assert_int_equal(json_array_size(json_object_get(reply, "apps")), 4);
	assert_null(json_object_get(reply, "next"));
	json_decref(reply);

	reply = asking_ok(&fake_daemon, "{\"verb\": \"apps\", \"app\": \"video.example.com\"}");
	assert_int_equal(json_array_size(json_object_get(reply, "apps")), 1);
	json_decref(reply);
	reply = asking_ok(&fake_daemon, "{\"verb\": \"apps\", \"site\": \"ber\"}");
	assert_int_equal(json_array_size(json_object_get(reply, "apps")), 2);
	assert_int_equal(json_array_size(json_object_get(json_array_get(json_object_get(reply, "apps"), 0), "targets")), 1);
	json_decref(reply);
	reply = asking_ok(&fake_daemon, "{\"verb\": \"apps\", \"from\": 4}");
	assert_int_equal(json_array_size(json_object_get(reply, "apps")), 0);
	assert_int_equal(asking_number(reply, "generation"), 3); // a reload may have shortened the list
	json_decref(reply);
}

// A large list comes in parts that a client can join.
static void test_apps_in_parts(void **unused)
{
	size_t apps = 0, parts = 0;
	json_int_t next = 0;

	(void)unused;
	do {
		char line[64];

		snprintf(line, sizeof(line), "{\"verb\": \"apps\", \"from\": %lld}", (long long)next);

		json_t *reply = asking_ok(&fake_daemon, line);

		apps += json_array_size(json_object_get(reply, "apps"));
		assert_in_range(json_array_size(json_object_get(reply, "apps")), 1, SHOW_TARGETS_MAX);
		next = asking_number(reply, "next");
		parts++;
		json_decref(reply);
	} while (next >= 0);
	assert_int_equal(apps, 4504);
	assert_int_equal(parts, 3);

	// What an override names is bounded as well.
	json_t *reply = asking_ok(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"use1\"}");

	assert_int_equal(asking_number(reply, "targets"), 4503);
	assert_int_equal(json_array_size(json_object_get(reply, "apps")), 200);
	assert_int_equal(json_array_size(json_object_get(reply, "warnings")), 1 + IMPACT_MAX + 1); // the first: by force
	assert_string_equal(json_string_value(json_array_get(json_object_get(reply, "warnings"), 1 + IMPACT_MAX)),
	                    "and 4403 more apps");
	json_decref(reply);
}

// A file of overrides as earlier versions wrote it, which the next start takes over.
static FILE *rewrite_overrides(void)
{
	char path[96];
	FILE *file;

	fake_daemon.ops.state = state_close(fake_daemon.ops.state);
	snprintf(path, sizeof(path), "%s/orders.json", fake_daemon.folder);
	file = fopen(path, "w");
	assert_non_null(file);
	return file;
}

static void begin_with(FILE *file)
{
	assert_int_equal(fclose(file), 0);
	fake_daemon_open_state(&fake_daemon);
}

static void test_overrides_lost(void **unused)
{
	json_t *reply = asking_ok(&fake_daemon, "{\"verb\": \"status\"}");
	FILE *file = rewrite_overrides();

	(void)unused;
	assert_null(json_object_get(reply, "overrides_damaged"));
	json_decref(reply);
	fputs("{\"version\": 1, \"forces\": [7], \"drains\": [{\"site\":\"bos\",\"who\":\"w\",\"since\":1,\"until\":0}]}", file);
	begin_with(file);
	asking_done(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"nyc\"}"); // that does not acknowledge the damage
	reply = asking_ok(&fake_daemon, "{\"verb\": \"status\"}");

	const json_t *damaged = json_object_get(reply, "overrides_damaged");

	assert_int_equal(asking_number(damaged, "kept"), 1);
	assert_int_equal(asking_number(damaged, "lost"), 1);
	assert_int_equal(asking_number(damaged, "files"), 1);
	assert_true(asking_number(damaged, "time") > 0);
	assert_int_equal(access(asking_text(damaged, "file"), F_OK), 0);
	assert_int_equal(unlink(asking_text(damaged, "file")), 0);
	json_decref(reply);
	reply = asking_ok(&fake_daemon, "{\"verb\": \"status\"}");
	assert_null(json_object_get(reply, "overrides_damaged"));
	json_decref(reply);
}

static size_t add_sites(const json_t *list, bool *seen)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		int number = atoi(asking_text(json_array_get(list, i), "site") + 1);

		assert_false(seen[number]);
		seen[number] = true;
	}
	return json_array_size(list);
}

// Very many drains and forces can be read as well.
static void test_overrides_in_parts(void **unused)
{
	enum { DRAINS = 2 * SHOW_OVERRIDES_MAX + 1, FORCES = SHOW_OVERRIDES_MAX - 1 }; // three full parts
	bool drained[DRAINS] = {false}, forced[FORCES] = {false};
	size_t drains = 0, forces = 0, parts = 0;
	json_int_t next = 0, revision = -1;
	char line[64];
	FILE *file = rewrite_overrides();

	(void)unused;
	fputs("{\"version\": 1, \"drains\": [", file);
	for (int i = 0; i < DRAINS; i++)
		fprintf(file, "%s{\"site\":\"s%d\",\"who\":\"w\",\"since\":1,\"until\":0}", i ? "," : "", i);
	fputs("], \"forces\": [", file);
	for (int i = 0; i < FORCES; i++)
		fprintf(file, "%s{\"app\":\"a\",\"site\":\"f%d\",\"to\":\"up\",\"who\":\"w\",\"since\":1}", i ? "," : "", i);
	fputs("]}", file);
	begin_with(file);
	do {
		snprintf(line, sizeof(line), "{\"verb\": \"status\", \"from\": %lld}", (long long)next);

		json_t *reply = asking_ok(&fake_daemon, line);

		drains += add_sites(json_object_get(reply, "drains"), drained);
		forces += add_sites(json_object_get(reply, "forces"), forced);
		assert_true(revision < 0 || asking_number(reply, "overrides_revision") == revision);
		revision = asking_number(reply, "overrides_revision");
		next = asking_number(reply, "next");
		parts++;
		json_decref(reply);
	} while (next >= 0);
	assert_int_equal(drains, DRAINS);
	assert_int_equal(forces, FORCES);
	assert_int_equal(parts, (DRAINS + FORCES + SHOW_OVERRIDES_MAX - 1) / SHOW_OVERRIDES_MAX); // none is half empty

	json_t *reply = asking_ok(&fake_daemon, "{\"verb\": \"status\", \"from\": 9223372036854775807}");

	assert_int_equal(json_array_size(json_object_get(reply, "drains")), 0);
	assert_null(json_object_get(reply, "next"));
	json_decref(reply);
	asking_done(&fake_daemon, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\"}");
	reply = asking_ok(&fake_daemon, "{\"verb\": \"status\"}");
	assert_int_not_equal(asking_number(reply, "overrides_revision"), revision); // earlier parts are of another list
	json_decref(reply);
}

static void test_explain_stats_version(void **unused)
{
	json_t *reply = asking_ok(&fake_daemon, "{\"verb\": \"explain\", \"name\": \"app.example.com\", \"client\": \"10.1.2.3/16\"}");

	(void)unused;
	assert_string_equal(asking_text(reply, "client"), "10.1.0.0/16");
	json_decref(reply);
	reply = asking_ok(&fake_daemon, "{\"verb\": \"stats\"}");
	assert_int_equal(asking_number(reply, "queries"), 42);
	json_decref(reply);
	reply = asking_ok(&fake_daemon, "{\"verb\": \"version\"}");
	assert_string_equal(asking_text(reply, "version"), "1.2.3");
	json_decref(reply);
}

// Each row of the table in control/verdict.c.
static void test_check(void **unused)
{
	static const struct {
		const char *before, *ask, *level, *found;
	} rows[] = {
		{NULL, "{\"verb\": \"check\"}", "ok", ""},
		{"{\"verb\": \"force\", \"app\": \"app.example.com\", \"site\": \"bos\", \"to\": \"down\"}", "{\"verb\": \"check\"}",
		 "warning", "app.example.com/bos down (forced)"},
		{NULL, "{\"verb\": \"check\", \"app\": \"video.example.com\"}", "ok", ""},
		{NULL, "{\"verb\": \"check\", \"app\": \"APP.example.com.\"}", "warning", "app.example.com/bos down (forced)"},
		{"{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\"}", "{\"verb\": \"check\"}", "ok", ""}, // it is drained as well
		{"{\"verb\": \"drain\", \"force\": true, \"site\": \"ber\"}", "{\"verb\": \"check\"}", "critical",
		 "carrier.example.com has no target that is up"},
		{"{\"verb\": \"force\", \"app\": \"app.example.com\", \"site\": \"use1\", \"to\": \"down\"}", "{\"verb\": \"check\"}",
		 "critical", "carrier.example.com has no target that is up; app.example.com/use1 down (forced)"}, // the worst first
		{"{\"verb\": \"force\", \"app\": \"app.example.com\", \"site\": \"use1\", \"to\": \"auto\"}", "{\"verb\": \"check\"}",
		 "critical", "carrier.example.com has no target that is up"},
		{NULL, "{\"verb\": \"check\", \"app\": \"app.example.com\"}", "ok", ""},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *reply;

		if (rows[i].before)
			asking_done(&fake_daemon, rows[i].before);
		reply = asking_ok(&fake_daemon, rows[i].ask);
		assert_string_equal(asking_text(reply, "level"), rows[i].level);
		assert_string_equal(asking_text(reply, "found"), rows[i].found);
		json_decref(reply);
	}

	json_t *reply = asking_ok(&fake_daemon, "{\"verb\": \"check\"}");

	assert_int_equal(asking_number(reply, "targets"), 9);
	assert_int_equal(asking_number(reply, "up"), 4);
	assert_int_equal(asking_number(reply, "drained"), 5);
	assert_int_equal(asking_number(reply, "apps"), 4);
	assert_int_equal(asking_number(reply, "apps_without_target"), 1);
	json_decref(reply);
	asking_refused(&fake_daemon, "{\"verb\": \"check\", \"app\": \"bos\"}", 1, "that is a site");
}

static void test_check_starting(void **unused)
{
	json_t *reply = asking_ok(&fake_daemon, "{\"verb\": \"check\"}");

	(void)unused;
	assert_string_equal(asking_text(reply, "level"), "critical");
	assert_non_null(strstr(asking_text(reply, "found"), "nothing is served yet"));
	json_decref(reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_status, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_check, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_check_starting, fake_daemon_set_up_starting, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_sites, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_apps, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_apps_in_parts, fake_daemon_set_up_many, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_overrides_lost, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_overrides_in_parts, fake_daemon_set_up, fake_daemon_tear_down),
		cmocka_unit_test_setup_teardown(test_explain_stats_version, fake_daemon_set_up, fake_daemon_tear_down),
	};

	publish_register_reader();
	log_set_level((enum log_level)0);

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	publish_unregister_reader();
	return failed;
}
