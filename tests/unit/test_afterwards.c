// What is written after an override has been acknowledged, by state.h and across restarts: ended ones, when it is safe,
// and the TTLs from before.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "state/ended.h"
#include "state/former.h"
#include "state/selector.h"
#include "statedir.h"

static const struct override one = {.kind = OVERRIDE_DRAIN, .site = (char *)"bos", .who = (char *)"w", .since_s = 1};

// ---- ended ----------------------------------------------------------------------------------------------------------

static void test_ended_survive(void **unused)
{
	struct state *state = statedir_open();
	const struct ended *ended;

	(void)unused;
	state_ended(state, &one, ENDED_REPLACED, "uid 7", "Bob");
	state_ended(state, statedir_force("a", "nyc", FORCE_DOWN), ENDED_TAKEN_BACK, "uid 8", NULL);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(state_ended_count(state), 2);
		ended = state_ended_at(state, 0);
		assert_string_equal(ended->override->site, "bos");
		assert_string_equal(ended->ender, "uid 7");
		assert_string_equal(ended->by, "Bob");
		assert_int_equal(ended->how, ENDED_REPLACED);
		ended = state_ended_at(state, 1);
		assert_int_equal(ended->override->kind, OVERRIDE_FORCE);
		assert_int_equal(ended->override->to, FORCE_DOWN);
		assert_null(ended->by);
		state = statedir_reopen(state);
	}
	state_close(state);
}

// What runs out is noted; and no more than ENDED_MAX are kept, the last ones.
static void test_ended_are_bounded(void **unused)
{
	struct state *state = statedir_open();
	int64_t next_s;

	(void)unused;
	for (int i = 0; i < ENDED_MAX + 50; i++)
		state_ended(state, &one, ENDED_REPLACED, "w", NULL);
	assert_int_equal(statedir_put_drain(state, "late", NULL, 2000), E_OK);
	assert_int_equal(state_expire(state, 3000, &next_s), 1);
	assert_int_equal(state_ended_count(state), ENDED_MAX);
	assert_string_equal(state_ended_at(state, ENDED_MAX - 1)->override->site, "late");
	assert_int_equal(state_ended_at(state, ENDED_MAX - 1)->how, ENDED_RAN_OUT);
	assert_null(state_ended_at(state, ENDED_MAX - 1)->ender);
	state = statedir_reopen(state);
	assert_in_range(state_ended_count(state), ENDED_MAX - 1, ENDED_MAX);
	state_close(state);
}

// Rows that are not what was written are left out.
static void test_ended_damage(void **unused)
{
	static const char *const texts[] = {"", "{", "[]", "{}", "{\"kind\": 0, \"how\": 9, \"at\": 1, \"override\": {}}",
	                                    "{\"kind\": 7, \"how\": 0, \"at\": 1, \"override\": {}}",
	                                    "{\"kind\": 0, \"how\": 0, \"at\": 1, \"override\": {\"site\": 1}}"};
	struct ended_list list = {0};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(ended_load(&list, "0001", texts[i]), E_INVAL);
	assert_int_equal(ended_add(&list, &one, ENDED_RAN_OUT, NULL, NULL, 5), E_OK);

	char *text = ended_text_of_last(&list);

	assert_int_equal(ended_load(&list, "x", text), E_INVAL);
	assert_int_equal(ended_load(&list, "00041", text), E_OK);
	assert_int_equal(list.next, 42);
	free(text);
	ended_done(&list);
}

// ---- safe -----------------------------------------------------------------------------------------------------------

static void test_safe_survives(void **unused)
{
	struct state *state = statedir_open();

	(void)unused;
	assert_int_equal(statedir_put_drain(state, "bos", NULL, 0), E_OK);
	assert_int_equal(statedir_put_drain(state, "nyc", "a", 0), E_OK);
	assert_int_equal(state_drain_given(state, NULL, "bos")->safe_mono_s, 0);
	state_set_safe(state, state_drain_given(state, NULL, "bos"), 600);
	state = statedir_reopen(state);
	assert_in_range(state_drain_given(state, NULL, "bos")->safe_mono_s - clock_mono_ms() / 1000, 590, 600);
	assert_int_equal(state_drain_given(state, "a", "nyc")->safe_mono_s, 0);
	// It is of the drain that was given then, not of another one in its place.
	assert_int_equal(statedir_put_drain(state, "bos", NULL, 0), E_OK);
	state = statedir_reopen(state);
	assert_int_equal(state_drain_given(state, NULL, "bos")->safe_mono_s, 0);
	state_close(state);
}

// ---- former TTLs ----------------------------------------------------------------------------------------------------

static void test_former(void **unused)
{
	struct former former = {0}, again = {0};
	char text[FORMER_TEXT_LEN];

	(void)unused;
	assert_true(former_set(&former, "bos", 30, 1000, text));
	assert_string_equal(text, "30 0");
	assert_false(former_set(&former, "bos", 30, 1001, text));
	assert_true(former_set(&former, "ber", 60, 1001, text));
	assert_int_equal(former_until_s(&former.sites[1], 5000), 5030); // in the order of their names
	// Reduced: what was answered until then lives on; a longer one is as it is.
	assert_true(former_set(&former, "bos", 600, 2000, text));
	assert_string_equal(text, "600 0");
	assert_true(former_set(&former, "bos", 5, 3000, text));
	assert_string_equal(text, "5 3600");
	assert_int_equal(former_until_s(&former.sites[1], 3100), 3600);
	assert_int_equal(former_until_s(&former.sites[1], 3598), 3603);
	assert_true(former_set(&former, "bos", 0, 3100, text)); // not answered any more
	assert_string_equal(text, "0 3600");
	assert_int_equal(former_load(&again, "bos", text), E_OK);
	assert_int_equal(former_until_s(&again.sites[0], 3500), 3600);
	assert_int_equal(former_until_s(&again.sites[0], 4000), 4000);
	// A clock that was wrong does not make anybody wait for years.
	assert_int_equal(former_load(&again, "bos", "5 99999999999"), E_OK);
	assert_int_equal(former_until_s(&again.sites[0], 4000), 4000 + FORMER_TTL_MAX);
	assert_int_equal(former_load(&again, "x", "5"), E_INVAL);
	assert_int_equal(former_load(&again, "x", "5 6 7"), E_INVAL);
	assert_int_equal(former_load(&again, "x", "-5 6"), E_INVAL);
	former_done(&former);
	former_done(&again);
}

static void test_former_is_bounded(void **unused)
{
	struct former former = {0};
	char text[FORMER_TEXT_LEN], site[32];

	(void)unused;
	for (int i = 0; i < FORMER_MAX + 10; i++) {
		snprintf(site, sizeof(site), "s%d", i);
		assert_int_equal(former_set(&former, site, 30, 1000, text), i < FORMER_MAX);
	}
	assert_int_equal(former.count, FORMER_MAX);
	former_done(&former);
}

// ---- later ----------------------------------------------------------------------------------------------------------

// One that starts later takes effect when its time has come, once; after a restart at once if it has passed.
static void test_starts(void **unused)
{
	struct state *state = statedir_open();
	int64_t now_s = clock_wall_s(), next_s = 0;
	struct override later = one;

	(void)unused;
	later.start_s = now_s + 2;
	assert_int_equal(statedir_put(state, &later), E_OK);
	assert_false(state_drain_given(state, NULL, "bos")->has_begun);
	assert_null(state_drained(state, NULL, "bos", now_s));
	assert_int_equal(state_expire(state, now_s, &next_s), 0);
	assert_int_equal(next_s, now_s + 2);
	statedir_calls_clear();
	while (clock_wall_s() < now_s + 2)
		;
	assert_int_equal(state_expire(state, now_s + 2, &next_s), 0);
	assert_string_equal(statedir_calls, "=drain:bos;commit;");
	assert_int_equal(state_expire(state, now_s + 2, &next_s), 0);
	assert_string_equal(statedir_calls, "=drain:bos;commit;");
	assert_non_null(state_drained(state, NULL, "bos", now_s));
	state = statedir_reopen(state);
	assert_true(state_drain_given(state, NULL, "bos")->has_begun);
	state_close(state);
}

// Selectors are listed, and there are no more than SELECTORS_MAX.
static void test_selectors(void **unused)
{
	struct state *state = statedir_open();
	char site[32];

	(void)unused;
	for (int i = 0; i < SELECTORS_MAX + 1; i++) {
		snprintf(site, sizeof(site), "s%d-*", i);
		assert_int_equal(statedir_put_drain(state, site, NULL, 0), i < SELECTORS_MAX ? E_OK : E_LIMIT);
	}
	assert_int_equal(statedir_put_drain(state, "s3-*", NULL, 9), E_OK); // in its own place
	assert_int_equal(statedir_put_drain(state, "bos", NULL, 0), E_OK);
	assert_int_equal(state_selector_count(state), SELECTORS_MAX);
	assert_int_equal(statedir_remove_drain(state, "s7-*", NULL, true), E_OK);
	state = statedir_reopen(state);
	assert_int_equal(state_selector_count(state), SELECTORS_MAX - 1);
	for (size_t i = 0; i < state_selector_count(state); i++)
		assert_string_not_equal(state_selector_at(state, i)->site, "s7-*");
	state_close(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ended_survive, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_ended_are_bounded, statedir_setup, statedir_teardown),
		cmocka_unit_test(test_ended_damage),
		cmocka_unit_test_setup_teardown(test_safe_survives, statedir_setup, statedir_teardown),
		cmocka_unit_test(test_former),
		cmocka_unit_test(test_former_is_bounded),
		cmocka_unit_test_setup_teardown(test_starts, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_selectors, statedir_setup, statedir_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
