// kill -9 while the state is being written: afterwards each file holds the old or the new, whole. A program of its own,
// because it forks: no other test may have begun a thread before.
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
#include "state/state.h"
#include "statedir.h"

// Gives order after order, each numbered by its reason, and tells the pipe of each one that is acknowledged.
static void give_orders(int acknowledged)
{
	struct state *state = statedir_open();
	char reason[32], other[32];

	for (int i = 0;; i++) {
		snprintf(reason, sizeof(reason), "%d", i);
		snprintf(other, sizeof(other), "filler-%d", i % 50);
		if (state_drain(state, &(struct drain){(char *)"bos", NULL, reason, (char *)"w", i, 0}) < 0)
			_exit(1);
		if (write(acknowledged, &i, sizeof(i)) != sizeof(i))
			_exit(1);
		state_set_health(state, "a", other, 7, i % 2);
		(void)state_save_health(state); // one may be under way
	}
}

static void test_kill_at_any_moment(void **unused)
{
	int most = -1;

	(void)unused;
	srand(1);
	for (int round = 0; round < 40; round++) {
		int ends[2], last = -1, at;

		assert_int_equal(pipe(ends), 0);

		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0)
			give_orders(ends[1]);
		close(ends[1]);
		for (int wait = rand() % 6; wait > 0 && read(ends[0], &at, sizeof(at)) == sizeof(at); wait--)
			last = at;
		usleep((useconds_t)(rand() % 5000));
		kill(child, SIGKILL);

		int status;

		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL); // it did not fail by itself
		while (read(ends[0], &at, sizeof(at)) == sizeof(at))
			last = at;
		close(ends[0]);

		struct state *state = statedir_open();
		const struct drain *drain_bos = state_drained(state, NULL, "bos", 1);

		// The last one acknowledged, or the one that was being given (or, before the first, what was there).
		if (last >= 0) {
			assert_non_null(drain_bos);
			at = (int)strtol(drain_bos->reason, NULL, 10);
			assert_true(at == last || at == last + 1);
		}
		assert_int_equal(statedir_count("orders.json.damaged"), 0);
		assert_int_equal(statedir_count("health.json.damaged"), 0);
		if (last > most)
			most = last;
		state_close(state);
	}
	assert_true(most > 0); // else nothing was tried
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kill_at_any_moment, statedir_setup, statedir_teardown),
	};

	log_set_level((enum log_level)0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
