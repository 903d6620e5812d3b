// The API of the state: acknowledged changes survive a restart, changes that cannot be written have no effect, and when
// callbacks are called. Each test uses a folder of its own. Of disks that fail: test_state_disk. Of health:
// test_state_health. Of damage: test_damage, test_state_corrupt. Of kills and power cuts: test_state_kill,
// test_state_power.
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/log.h"
#include "statedir.h"

static void test_overrides_survive(void **unused)
{
	struct state *state = statedir_open();

	(void)unused;
	assert_int_equal(statedir_put_drain(state, "bos", NULL, 0), E_OK);
	assert_int_equal(statedir_put_drain(state, "nyc", "app.example", 5000), E_OK);
	assert_int_equal(statedir_put_force(state, "app.example", "bos", FORCE_DOWN), E_OK);
	assert_int_equal(statedir_put_force(state, "app.example", "nyc", FORCE_UP), E_OK);
	state = statedir_reopen(state);
	assert_int_equal(state_override_count(state), 4);

	const struct override *first = state_override_at(state, 0), *second = state_override_at(state, 1);

	assert_int_equal(first->kind, OVERRIDE_DRAIN);
	assert_string_equal(first->site, "bos");
	assert_null(first->app);
	assert_string_equal(first->reason, "disk \"full\" ü\n");
	assert_string_equal(first->who, "uid 0");
	assert_int_equal(first->since_s, 1000);
	assert_int_equal(first->until_s, 0);
	assert_string_equal(second->app, "app.example");
	assert_int_equal(second->until_s, 5000);
	assert_true(second->revision > first->revision);
	assert_int_equal(state_override_at(state, 2)->kind, OVERRIDE_FORCE);
	assert_null(state_override_at(state, 2)->reason);
	assert_int_equal(state_forced(state, "app.example", "bos"), FORCE_DOWN);
	assert_int_equal(state_forced(state, "app.example", "nyc"), FORCE_UP);
	assert_int_equal(state_forced(state, "other.example", "nyc"), FORCE_AUTO);
	state_close(state);
}

static void test_replace_and_remove(void **unused)
{
	struct state *state = statedir_open();

	(void)unused;
	assert_int_equal(statedir_put_drain(state, "bos", NULL, 0), E_OK);
	assert_int_equal(statedir_put_drain(state, "bos", "a", 0), E_OK);
	assert_int_equal(statedir_put_drain(state, "bos", "b", 0), E_OK);
	assert_int_equal(statedir_put_drain(state, "bos", "a", 77), E_OK);
	assert_int_equal(state_override_count(state), 3);
	assert_int_equal(state_override_at(state, 2)->until_s, 77); // set again: moved to the end
	assert_int_equal(statedir_remove_drain(state, "bos", "c", false), E_NOTFOUND);
	assert_int_equal(statedir_remove_drain(state, "nyc", NULL, true), E_NOTFOUND);
	assert_int_equal(statedir_remove_drain(state, "bos", "a", false), E_OK);
	assert_int_equal(state_override_count(state), 2);
	assert_int_equal(statedir_remove_drain(state, "bos", NULL, false), E_OK); // the site's own, not the app's
	assert_int_equal(state_override_count(state), 1);
	assert_int_equal(statedir_put_drain(state, "bos", NULL, 0), E_OK);
	assert_int_equal(statedir_put_drain(state, "nyc", NULL, 0), E_OK);
	assert_int_equal(statedir_remove_drain(state, "bos", NULL, true), E_OK);
	state = statedir_reopen(state);
	assert_int_equal(state_override_count(state), 1);
	assert_string_equal(state_override_at(state, 0)->site, "nyc");
	assert_int_equal(statedir_remove_drain(state, "nyc", NULL, true), E_OK);

	assert_int_equal(statedir_remove(state, OVERRIDE_FORCE, "bos", "a", false), E_NOTFOUND);
	assert_int_equal(statedir_put_force(state, "a", "bos", FORCE_UP), E_OK);
	assert_int_equal(statedir_put_force(state, "b", "bos", FORCE_UP), E_OK);
	assert_int_equal(statedir_put_force(state, "a", "bos", FORCE_DOWN), E_OK);
	assert_int_equal(state_override_count(state), 2);
	assert_int_equal(statedir_remove(state, OVERRIDE_FORCE, "bos", "a", false), E_OK);
	state = statedir_reopen(state);
	assert_int_equal(state_override_count(state), 1);
	assert_int_equal(state_forced(state, "a", "bos"), FORCE_AUTO);
	assert_int_equal(state_forced(state, "b", "bos"), FORCE_UP);
	state_close(state);
}

// Site's and target's own drain; the one that lasts longer is shown.
static void test_drained(void **unused)
{
	static const struct {
		int64_t site, own; // until; -1: no such drain
		int64_t now_s;
		int64_t expected;  // until of the one that holds; -1: none
	} rows[] = {
		{-1, -1, 10, -1}, {0, -1, 10, 0},   {-1, 0, 10, 0},   {20, -1, 10, 20}, {20, -1, 20, -1}, {20, -1, 19, 20},
		{-1, 20, 21, -1}, {20, 30, 10, 30}, {30, 20, 10, 30}, {0, 30, 10, 0},   {30, 0, 10, 0},   {5, 30, 10, 30},
		{30, 5, 10, 30},  {5, 0, 10, 0},    {5, 6, 10, -1},
	};
	struct state *state = statedir_open();

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].site >= 0)
			assert_int_equal(statedir_put_drain(state, "bos", NULL, rows[i].site), E_OK);
		if (rows[i].own >= 0)
			assert_int_equal(statedir_put_drain(state, "bos", "a", rows[i].own), E_OK);

		const struct override *drain_a = state_drained(state, "a", "bos", rows[i].now_s);
		const struct override *drain_b = state_drained(state, "b", "bos", rows[i].now_s);
		const struct override *drain_site = state_drained(state, NULL, "bos", rows[i].now_s);
		bool site_holds = rows[i].site == 0 || rows[i].site > rows[i].now_s;

		assert_int_equal(drain_a ? drain_a->until_s : -1, rows[i].expected);
		assert_int_equal(drain_b != NULL, site_holds);
		assert_int_equal(drain_site != NULL, site_holds);
		assert_null(state_drained(state, "a", "nyc", rows[i].now_s));
		assert_int_equal(state_drain_given(state, "a", "bos") != NULL, rows[i].own >= 0);
		if (rows[i].site >= 0 || rows[i].own >= 0)
			assert_int_equal(statedir_remove_drain(state, "bos", NULL, true), E_OK);
	}
	state_close(state);
}

static void test_expire(void **unused)
{
	struct state *state = statedir_open();
	int64_t next_s = -1;
	uint64_t revision;

	(void)unused;
	assert_int_equal(state_expire(state, 10, &next_s), 0);
	assert_int_equal(next_s, 0);
	assert_int_equal(statedir_put_drain(state, "a", NULL, 20), E_OK);
	assert_int_equal(statedir_put_drain(state, "b", NULL, 0), E_OK);
	assert_int_equal(statedir_put_drain(state, "c", NULL, 40), E_OK);
	assert_int_equal(statedir_put_drain(state, "d", NULL, 30), E_OK);
	assert_int_equal(state_expire(state, 19, &next_s), 0);
	assert_int_equal(next_s, 20);
	statedir_calls_clear();
	revision = state_revision(state);
	assert_int_equal(state_expire(state, 30, &next_s), 2);
	assert_int_equal(next_s, 40);
	assert_true(state_revision(state) != revision);
	assert_true(strcmp(statedir_calls, "-drain:a;-drain:d;commit;") == 0 ||
	            strcmp(statedir_calls, "-drain:d;-drain:a;commit;") == 0);
	// Its row is still there, or is not: it is new either way.
	statedir_calls_clear();
	assert_int_equal(statedir_put_drain(state, "a", NULL, 50), E_OK);
	assert_string_equal(statedir_calls, "+drain:a;commit;done:0:0;");
	assert_int_equal(statedir_remove_drain(state, "d", NULL, true), E_NOTFOUND);
	state = statedir_reopen(state);
	assert_int_equal(state_override_count(state), 3);
	assert_string_equal(state_override_at(state, 0)->site, "b");
	assert_non_null(state_drained(state, NULL, "c", 30));
	assert_non_null(state_drained(state, NULL, "a", 49));
	// What runs out again before the row of the last time is deleted.
	assert_int_equal(state_expire(state, 50, &next_s), 2);
	assert_int_equal(statedir_put_drain(state, "a", NULL, 60), E_OK);
	assert_int_equal(state_expire(state, 60, &next_s), 1);
	assert_int_equal(next_s, 0);
	state = statedir_reopen(state);
	assert_int_equal(state_override_count(state), 1);
	state_close(state);
}

static void test_limits(void **unused)
{
	struct state *state = statedir_open();
	char text[STATE_TEXT_MAX + 2];

	(void)unused;
	memset(text, 'x', sizeof(text));
	text[STATE_TEXT_MAX + 1] = '\0';
	assert_int_equal(statedir_put_drain(state, text, NULL, 0), E_LIMIT);
	assert_int_equal(statedir_put_drain(state, "bos", text, 0), E_LIMIT);
	assert_int_equal(statedir_put_force(state, text, "bos", FORCE_UP), E_LIMIT);
	assert_int_equal(statedir_remove_drain(state, text, NULL, true), E_LIMIT);
	assert_int_equal(statedir_put_drain(state, "", NULL, 0), E_INVAL);
	assert_int_equal(statedir_put_drain(state, "bos", "", 0), E_INVAL);
	assert_int_equal(statedir_put_drain(state, "b\xffs", NULL, 0), E_INVAL);
	assert_int_equal(statedir_put_force(state, "a", "b\xc3", FORCE_UP), E_INVAL);
	assert_int_equal(statedir_put_force(state, NULL, "bos", FORCE_UP), E_INVAL);
	assert_int_equal(statedir_put_force(state, "a", "bos", FORCE_AUTO), E_INVAL);
	assert_int_equal(statedir_remove_drain(state, "", NULL, true), E_INVAL);

	struct override odd = *statedir_drain("bos", NULL, 0);

	odd.kind = (enum override_kind)7;
	assert_int_equal(statedir_put(state, &odd), E_INVAL);
	odd.kind = OVERRIDE_DRAIN;
	odd.to = FORCE_UP;
	assert_int_equal(statedir_put(state, &odd), E_INVAL);
	assert_int_equal(state_override_count(state), 0);
	text[STATE_TEXT_MAX] = '\0';
	assert_int_equal(statedir_put_drain(state, text, text, 0), E_OK);
	state = statedir_reopen(state);
	assert_int_equal(state_override_count(state), 1);
	state_close(state);
}

static void test_full(void **unused)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)unused;
	fputs("{\"version\": 1, \"forces\": [], \"drains\": [", out);
	for (int i = 0; i < STATE_OVERRIDES_MAX; i++)
		fprintf(out, "%s{\"site\":\"s%d\",\"who\":\"w\",\"since\":1,\"until\":0}", i ? "," : "", i);
	fputs("]}", out);
	fclose(out);
	statedir_write("orders.json", text);
	free(text);

	struct state *state = statedir_open();

	assert_int_equal(state_override_count(state), STATE_OVERRIDES_MAX);
	assert_int_equal(statedir_put_drain(state, "one-more", NULL, 0), E_LIMIT);
	assert_int_equal(statedir_put_drain(state, "s7", NULL, 0), E_OK); // an existing one can be set again
	assert_int_equal(statedir_remove_drain(state, "s65535", NULL, true), E_OK);
	assert_int_equal(statedir_put_drain(state, "one-more", NULL, 0), E_OK);
	assert_null(state_drained(state, NULL, "s65535", 1));
	assert_non_null(state_drained(state, "any", "one-more", 1));
	state_close(state);
}

// Callbacks -----------------------------------------------------------------------------------------------------------

static void test_order_of_calls(void **unused)
{
	struct state *state = statedir_open();
	int err[4] = {STATEDIR_WAITING, STATEDIR_WAITING, STATEDIR_WAITING, STATEDIR_WAITING};

	(void)unused;
	assert_int_equal(statedir_put_drain(state, "bos", NULL, 0), E_OK);
	assert_string_equal(statedir_calls, "+drain:bos;commit;done:0:0;");
	statedir_calls_clear();
	assert_int_equal(statedir_put_drain(state, "bos", NULL, 9), E_OK);
	assert_string_equal(statedir_calls, "=drain:bos;commit;done:0:1;");
	statedir_calls_clear();
	assert_int_equal(statedir_remove_drain(state, "nyc", NULL, true), E_NOTFOUND);
	assert_string_equal(statedir_calls, "done:-4:0;");
	assert_int_equal(statedir_put_drain(state, "bos", "a", 9), E_OK);
	statedir_calls_clear();
	assert_int_equal(statedir_remove_drain(state, "bos", NULL, true), E_OK);
	assert_string_equal(statedir_calls, "-drain:bos;-drain:bos/a;commit;done:0:2;");

	// Whether there is something to remove is decided when it is its turn.
	statedir_calls_clear();
	state_put(state, statedir_drain("x", NULL, 0), statedir_done, &err[0]);
	state_remove(state, &(struct override_match){OVERRIDE_DRAIN, "x", NULL, true}, statedir_done, &err[1]);
	state_remove(state, &(struct override_match){OVERRIDE_DRAIN, "x", NULL, true}, statedir_done, &err[2]);
	state_put(state, statedir_drain("x", NULL, 0), NULL, NULL);
	state_put(state, statedir_drain("x", NULL, 5), statedir_done, &err[3]);
	statedir_wait(&err[3]);
	assert_int_equal(err[0], E_OK);
	assert_int_equal(err[1], E_OK);
	assert_int_equal(err[2], E_NOTFOUND);
	assert_int_equal(err[3], E_OK);
	assert_int_equal(state_drained(state, NULL, "x", 1)->until_s, 5);
	state_close(state);
}

struct chain {
	struct state *state;
	int left, result;
};

// Gives the next from inside the callback.
static void give_next(void *ctx, const struct state_result *result)
{
	struct chain *chain = ctx;
	int64_t next_s;

	assert_int_equal(result->err, E_OK);
	assert_int_equal(state_expire(chain->state, -1, &next_s), 0);
	assert_int_equal(result->before_count, chain->left < 20);
	if (result->before_count)
		assert_string_equal(result->before[0]->site, "bos");
	if (chain->left-- > 0)
		state_put(chain->state, statedir_drain("bos", NULL, chain->left), give_next, chain);
	else
		chain->result = E_OK;
}

static void test_changes_from_callbacks(void **unused)
{
	struct chain chain = {statedir_open(), 20, STATEDIR_WAITING};

	(void)unused;
	state_put(chain.state, statedir_drain("bos", NULL, 0), give_next, &chain);
	statedir_wait(&chain.result);
	assert_int_equal(state_override_count(chain.state), 1);
	state_close(chain.state);
}

static void test_queue_full(void **unused)
{
	struct state *state = statedir_open();
	int errs[STATE_QUEUE_MAX + 44];
	char site[16];
	size_t ok = 0;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(errs); i++) {
		errs[i] = STATEDIR_WAITING;
		snprintf(site, sizeof(site), "s%zu", i);
		state_put(state, statedir_drain(site, NULL, 0), statedir_done, &errs[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(errs); i++) {
		statedir_wait(&errs[i]);
		assert_int_equal(errs[i], i < STATE_QUEUE_MAX ? E_OK : E_STATE);
		ok += errs[i] == E_OK;
	}
	assert_int_equal(state_override_count(state), ok);
	assert_int_equal(statedir_put_drain(state, "one-more", NULL, 0), E_OK); // there is room again
	state_close(state);
}

static void give_another(void *ctx, const struct state_result *result)
{
	struct chain *chain = ctx;

	assert_int_equal(result->err, E_OK);
	state_put(chain->state, statedir_drain("too late", NULL, 0), statedir_done, &chain->result);
}

static void test_close_with_a_queue(void **unused)
{
	struct state *state = statedir_open();
	int errs[100], refused = STATEDIR_WAITING;
	struct chain late = {state, 0, STATEDIR_WAITING};
	char site[16];

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(errs); i++) {
		errs[i] = STATEDIR_WAITING;
		snprintf(site, sizeof(site), "s%zu", i);
		state_put(state, statedir_drain(site, NULL, 0), statedir_done, &errs[i]);
	}
	state_put(state, statedir_drain("", NULL, 0), statedir_done, &refused);
	state_put(state, statedir_drain("s100", NULL, 0), give_another, &late);
	state_set_health(state, "a", "s", 7, true, 0);
	assert_null(state_close(state));
	for (size_t i = 0; i < ARRAY_LEN(errs); i++)
		assert_int_equal(errs[i], E_OK);
	assert_int_equal(refused, E_INVAL);
	assert_int_equal(late.result, E_STATE);
	state = statedir_open();
	assert_int_equal(state_override_count(state), ARRAY_LEN(errs) + 1);
	assert_string_equal(state_override_at(state, 99)->site, "s99");
	assert_int_equal(statedir_health(state, "a", "s", 7), 1);
	state_close(state);
	assert_null(state_close(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_overrides_survive, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_replace_and_remove, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_drained, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_expire, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_limits, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_full, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_order_of_calls, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_changes_from_callbacks, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_queue_full, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(test_close_with_a_queue, statedir_setup, statedir_teardown),
	};

	log_set_level((enum log_level)0); // damage is loud, and here it is on purpose
	return cmocka_run_group_tests(tests, NULL, NULL);
}
