// kill -9 at any moment: every acknowledged change is there afterwards, none that was not given is, and nothing is
// damaged. A program of its own, because it forks. EDGESTEER_LONG=1: 1,000 kills.
#include <event2/event.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/log.h"
#include "history.h"
#include "statedir.h"

// Changes that are given before the first of them is acknowledged.
enum { AHEAD = 3, SEED = 11 };

struct giver {
	struct state *state;
	uint32_t given, acknowledged;
	int pipe;
};

static void give_next(struct giver *giver);

// Tells the pipe of each one that is acknowledged.
static void on_done(void *ctx, const struct state_result *result)
{
	struct giver *giver = ctx;
	uint32_t number = giver->acknowledged++;

	if (result->err < 0 && result->err != E_NOTFOUND)
		_exit(1);
	if (write(giver->pipe, &number, sizeof(number)) != sizeof(number))
		_exit(1);
	give_next(giver);
}

static void give_next(struct giver *giver)
{
	char app[16];

	snprintf(app, sizeof(app), "app%u", giver->given % 50);
	state_set_health(giver->state, app, "site", 7, giver->given / 50 % 2, 0);
	history_give(giver->state, SEED, giver->given++, on_done, giver);
}

static void give(uint32_t from, int pipe)
{
	struct event_base *base = event_base_new(); // the parent's was made before the fork
	struct giver giver = {.given = from, .acknowledged = from, .pipe = pipe};

	if (state_open(base, statedir, &(struct state_ops){0}, &giver.state) < 0)
		_exit(1);
	for (int i = 0; i < AHEAD; i++)
		give_next(&giver);
	event_base_dispatch(base);
	_exit(1);
}

// Lets a child work, kills it. How many it has acknowledged.
static uint32_t work_and_kill(uint32_t from, unsigned *seed)
{
	uint32_t acknowledged = from, number;
	int ends[2], status;

	assert_int_equal(pipe(ends), 0);

	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		give(from, ends[1]);
	close(ends[1]);
	for (int wait = rand_r(seed) % 8; wait > 0 && read(ends[0], &number, sizeof(number)) == sizeof(number); wait--)
		acknowledged = number + 1;
	usleep((useconds_t)(rand_r(seed) % 12000));
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL); // it did not fail on its own
	while (read(ends[0], &number, sizeof(number)) == sizeof(number))
		acknowledged = number + 1;
	close(ends[0]);
	return acknowledged;
}

static void test_kill_at_any_moment(void **unused)
{
	struct history history = {.seed = SEED};
	unsigned seed = 1, rounds = getenv("EDGESTEER_LONG") ? 1000 : 60;
	uint32_t at = 0;

	(void)unused;
	for (unsigned round = 0; round < rounds; round++) {
		uint32_t acknowledged = work_and_kill(at, &seed), most = acknowledged + AHEAD;
		struct state *state = statedir_open();
		bool is_found = false;

		while (at < acknowledged)
			history_apply(&history, at++);
		// Of those that were given and not acknowledged, as many as were written.
		while (!(is_found = history_is(&history, state)) && at < most)
			history_apply(&history, at++);
		assert_true(is_found);
		assert_int_equal(statedir_count("state.db.damaged") + statedir_count("state-copy.db.damaged"), 0);
		assert_int_equal(statedir_count("health.db.damaged"), 0);
		// A removal of what is not there leaves no trace: what holds may be of a later number.
		if (round % 2)
			state = state_close(state);
		else // killed with a log of writes in every file, then opened, closed and opened
			state = statedir_reopen(state);
		if (state)
			assert_true(history_is(&history, state));
		state_close(state);
	}
	print_message("%u kills, %u changes\n", rounds, at);
	assert_true(at > rounds); // else nothing was tried
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kill_at_any_moment, statedir_setup, statedir_teardown),
	};

	log_set_level((enum log_level)0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
