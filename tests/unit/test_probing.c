// Types of check of which few are made at once: they wait for one another, and hold up no other type.
#include "health/probing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "prober.h"
#include "responder.h"

enum { PROGRAMS = 100 };

// All but the last app have a check that runs this program, and the last has one over HTTP.
static void open_with(struct prober *prober, struct responder *responder, const char *const *command, size_t words)
{
	prober_open_with(prober, responder, PROGRAMS + 1, 1);
	prober->checks[0].type = CHECK_EXEC;
	prober->checks[0].command = (const char **)command;
	prober->checks[0].command_count = words;
	prober_target(prober, PROGRAMS, 0)->check = 1;
	prober_configure(prober);
}

static void a_type_that_is_full(void **state)
{
	static const char *const command[] = {"/bin/sleep", "1000"};
	struct responder responder = {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
	const unsigned at_once = probing_at_once(CHECK_EXEC);
	struct health_stats stats;
	struct prober prober;

	(void)state;
	assert_in_range(at_once, 1, PROGRAMS - 1);
	open_with(&prober, &responder, command, 2);
	assert_true(prober_until_under_way(&prober, at_once));
	assert_true(prober_until_probed(&prober, 10)); // over HTTP
	health_stats(prober.health, &stats);
	assert_in_range(stats.under_way, at_once, at_once + 1);
	assert_int_equal(stats.waiting, PROGRAMS - at_once);
	assert_true(prober_health(&prober, PROGRAMS)->up);
	assert_int_equal(stats.at[HEALTH_OK], stats.probes); // those that wait have no result
	prober_close_with(&prober, &responder);
}

// Places are taken in the order in which probes came due, so each has its turn.
static void each_in_its_turn(void **state)
{
	static const char *const command[] = {"/bin/true"};
	struct responder responder = {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
	unsigned fewest = UINT32_MAX, most = 0;
	struct prober prober;

	(void)state;
	open_with(&prober, &responder, command, 1);
	assert_true(prober_until_probed(&prober, 6 * PROGRAMS));
	for (size_t i = 0; i < PROGRAMS; i++) {
		unsigned probes = prober_health(&prober, i)->probes;

		assert_true(prober_health(&prober, i)->up);
		fewest = probes < fewest ? probes : fewest;
		most = probes > most ? probes : most;
	}
	if (most - fewest > 3)
		fail_msg("from %u to %u probes", fewest, most);
	prober_close_with(&prober, &responder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_type_that_is_full),
		cmocka_unit_test(each_in_its_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
