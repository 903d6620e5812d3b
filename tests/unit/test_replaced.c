// What is said of a scheduled drain whose place another takes. The daemon is that of fake_daemon.h; test_drain.c has drains that
// have begun.
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
#include "base/when.h"
#include "state/state.h"

// A drain that has not begun, by another of the same words: what is lost of it is said, before it is done too.
static void test_scheduled(void **unused)
{
	static const struct {
		int was_from, was_to, is_from, is_to; // hours from now on; `from` 0: at once; `to` 0: without end
		const char *lost;                     // "": times, the first of which follow; NULL: nothing
		int lost_from, lost_to;
	} rows[] = {
		{1, 2, 6, 7, "all", 0, 0},
		{1, 2, 0, 1, "all", 0, 0},
		{2, 3, 0, 1, "all", 0, 0},
		{1, 4, 2, 3, "", 1, 2},
		{1, 3, 0, 2, "", 2, 3},
		{1, 3, 2, 0, "", 1, 2},
		{1, 0, 2, 0, "", 1, 2},
		{1, 0, 0, 2, "", 2, 0},
		{1, 2, 0, 2, NULL, 0, 0},
		{1, 2, 1, 3, NULL, 0, 0},
		{1, 2, 0, 0, NULL, 0, 0},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t now_s = clock_wall_s(), from_s = now_s + rows[i].is_from * 3600, to_s = now_s + rows[i].is_to * 3600;
		char line[256], at[64] = "", until[64] = "", lost[128], lost_from[WHEN_TEXT_LEN], lost_to[WHEN_TEXT_LEN];

		assert_int_equal(fake_daemon_put(&fake_daemon, &(struct override){
			.kind = OVERRIDE_DRAIN, .site = (char *)"nyc", .reason = (char *)"nightly", .since_s = now_s,
			.start_s = now_s + rows[i].was_from * 3600, .until_s = rows[i].was_to ? now_s + rows[i].was_to * 3600 : 0,
			.who = (char *)"uid 7 (carol), pid 9", .by = (char *)"Bob"}), E_OK);
		if (rows[i].is_from)
			snprintf(at, sizeof(at), ", \"at\": \"@%lld\"", (long long)from_s);
		if (rows[i].is_to)
			snprintf(until, sizeof(until), ", \"until\": \"@%lld\"", (long long)to_s);
		when_format(now_s + rows[i].lost_from * 3600, lost_from);
		when_format(now_s + rows[i].lost_to * 3600, lost_to);
		snprintf(lost, sizeof(lost), "of that one what it has from %s until %s ", lost_from,
		         rows[i].lost_to ? lost_to : "undrain");
		if (rows[i].lost && *rows[i].lost)
			snprintf(lost, sizeof(lost), "of that one %s is lost, ", rows[i].lost);
		for (int is_done = 0; is_done < 2; is_done++) {
			snprintf(line, sizeof(line), "{\"verb\": \"%s\", \"site\": \"nyc\"%s%s}",
			         is_done ? "drain" : "plan drain", at, until);

			json_t *reply = asking_ok(&fake_daemon, line);
			const json_t *replaced = json_object_get(reply, "replaced"), *warnings = json_object_get(reply, "warnings");

			assert_string_equal(asking_text(replaced, "phase"), "scheduled");
			assert_string_equal(asking_text(replaced, "reason"), "nightly");
			assert_int_equal(json_array_size(warnings), rows[i].lost ? 1 : 0);
			if (rows[i].lost) {
				const char *said = json_string_value(json_array_get(warnings, 0));

				assert_non_null(strstr(said, lost));
				assert_non_null(strstr(said, ", by uid 7 (carol), pid 9 for Bob, reason: nightly: "));
			}
			json_decref(reply);
		}
		fake_daemon_remove_all(&fake_daemon);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_scheduled, fake_daemon_set_up, fake_daemon_tear_down),
	};

	publish_register_reader();
	log_set_level((enum log_level)0);

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	publish_unregister_reader();
	return failed;
}
