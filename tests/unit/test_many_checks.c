// More probes than there is time or room for: how many run at once, in which order, and what is reported.
#include "health/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "prober.h"
#include "responder.h"

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define BAD_REPLY "HTTP/1.1 503 Oops\r\nContent-Length: 0\r\n\r\n"

static void few_under_way(void **state)
{
	struct responder responder = {.reply = OK_REPLY, .delay_ms = 10};
	struct health_stats stats;
	struct prober prober;

	(void)state;
	prober_open_with(&prober, &responder, 100, 5);
	prober.checks[0].interval_ms = prober.checks[0].timeout_ms = 10000;
	prober.config.server.probes = 30;
	prober_configure(&prober);
	assert_int_not_equal(prober_until_settled(&prober, 3000), -1);
	health_stats(prober.health, &stats);
	assert_in_range(stats.probes, 500, 700); // some are probed again before the last ones' turn
	assert_int_equal(stats.failures, 0);
	assert_in_range(responder.most_open, 20, 31); // the next one may start before the last one has finished
	prober_close_with(&prober, &responder);
}

struct urgent {
	const struct prober *prober;
	struct health_stats seen;
};

static void on_urgent(evutil_socket_t fd, short what, void *ctx)
{
	struct urgent *urgent = ctx;

	(void)fd;
	(void)what;
	health_stats(urgent->prober->health, &urgent->seen);
}

// What the probes' figures are for an event that becomes ready after all that is ready now.
static struct health_stats seen_by_urgent(const struct prober *prober)
{
	struct urgent urgent = {.prober = prober, .seen = {.waiting = 1000, .probes = 1000}};

	event_base_once(prober->base, -1, EV_TIMEOUT, on_urgent, &urgent, &(struct timeval){0, 1});
	usleep(20000); // the loop's clock is coarse
	event_base_loop(prober->base, EVLOOP_ONCE);
	return urgent.seen;
}

// However many probes have come due, or have something to read, an order that comes after them goes first.
static void orders_go_before_probes(void **state)
{
	enum { QUEUED = 50 };

	(void)state;
	for (int type = CHECK_HTTP; type <= CHECK_TCP; type += CHECK_TCP - CHECK_HTTP) {
		struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), fds[QUEUED], accepted = 0;
		socklen_t len = sizeof(name);
		struct health_stats stats;
		struct prober prober;

		assert_int_equal(bind(listener, (struct sockaddr *)&name, len), 0);
		assert_int_equal(listen(listener, QUEUED), 0);
		assert_int_equal(getsockname(listener, (struct sockaddr *)&name, &len), 0);
		prober_open(&prober, QUEUED, 1);
		prober.checks[0].type = (enum check_type)type;
		prober.checks[0].port = ntohs(name.sin_port);
		prober.checks[0].interval_ms = prober.checks[0].timeout_ms = 5000;
		prober_configure(&prober);
		usleep(20000); // all of them have come due
		assert_int_equal(seen_by_urgent(&prober).waiting, 0);
		do {
			event_base_loop(prober.base, EVLOOP_ONCE);
			health_stats(prober.health, &stats);
		} while (stats.under_way == 0);
		while (type == CHECK_HTTP && accepted < QUEUED)
			if ((fds[accepted] = accept(listener, NULL, NULL)) >= 0)
				accepted++;
			else
				prober_run(&prober, 1);
		for (int i = 0; i < accepted; i++)
			assert_int_equal(write(fds[i], OK_REPLY, strlen(OK_REPLY)), strlen(OK_REPLY));
		// All of them have an answer to read; over TCP, those that have begun are connected.
		assert_int_equal(seen_by_urgent(&prober).probes, 0);
		assert_int_not_equal(prober_until_settled(&prober, 3000), -1);
		for (size_t i = 0; i < QUEUED; i++)
			assert_true(prober_health(&prober, i)->up);
		for (int i = 0; i < accepted; i++)
			close(fds[i]);
		prober_close(&prober);
		close(listener);
	}
}

// Twice as many probes as the limit allows: each target is probed every other interval, and that is counted. Many
// probes within the limit, and a first round that takes longer than an interval, are not late.
static void lateness_is_counted(void **state)
{
	struct responder responder = {.reply = OK_REPLY, .delay_ms = 20};
	struct health_stats before, stats;
	int64_t stalled_ms = responder_stalled_ms(), began_ms;
	struct prober prober;

	(void)state;
	prober_open_with(&prober, &responder, 20, 1);
	prober.config.server.probes = 2;
	prober_configure(&prober);
	began_ms = clock_mono_ms();
	assert_int_not_equal(prober_until_settled(&prober, 2000), -1);
	assert_true(clock_mono_ms() - began_ms >= 150);
	stalled_ms = responder_stalled_ms() - stalled_ms;
	health_stats(prober.health, &stats);
	// A second one may begin before the last first one ends, and on a busy machine that takes longer.
	assert_in_range(stats.late, 0, 2 + (stalled_ms + 19) / 20);
	prober_run(&prober, 800);
	health_stats(prober.health, &stats);
	assert_in_range(stats.late, stats.probes / 4, stats.probes);
	assert_int_equal(stats.failures, 0);
	prober.config.server.probes = 20;
	prober_configure(&prober);
	prober_run(&prober, 400);
	health_stats(prober.health, &stats);

	before = stats;
	stalled_ms = responder_stalled_ms();
	prober_run(&prober, 400);
	stalled_ms = responder_stalled_ms() - stalled_ms;
	health_stats(prober.health, &stats);
	// None but for a busy machine: where it stands still for an interval, each of them is.
	assert_in_range(stats.late - before.late, 0, (stats.probes - before.probes) / 8 + 20 * (uint64_t)(stalled_ms + 99) / 100);
	prober_close_with(&prober, &responder);
}

// Four times as many probes as the limit allows. A failure is confirmed at the check's pace, not at that of the queue;
// a target whose state is unknown does not wait for its turn in the queue.
static void doubt_goes_first(void **state)
{
	enum { QUEUED = 40, PER_INTERVAL = 10 };
	struct responder crowd = {.reply = OK_REPLY, .delay_ms = 20}, dying = {.reply = OK_REPLY};
	struct health_stats failed, down, known;
	int64_t failed_ms;
	struct prober prober;

	(void)state;
	prober_open_with(&prober, &crowd, QUEUED, 1);
	responder_open(&dying, prober.base, "127.0.0.2", crowd.port);
	assert_int_equal(addr_parse("127.0.0.2", &prober_target(&prober, 0, 0)->addresses[0]), 0);
	prober.config.server.probes = 2;
	prober.checks[0].fall = 3;
	prober_configure(&prober);
	assert_int_not_equal(prober_until_settled(&prober, 3000), -1);
	responder_close(&dying);
	do {
		event_base_loop(prober.base, EVLOOP_ONCE);
		health_stats(prober.health, &failed);
	} while (failed.failures == 0);
	failed_ms = clock_mono_ms();
	assert_int_not_equal(prober_until(&prober, false, 3000), -1);
	assert_true(clock_mono_ms() - failed_ms >= 90); // twice half an interval, less what has passed already
	health_stats(prober.health, &down);
	assert_int_equal(down.failures, 3);
	assert_in_range(down.probes - failed.probes, 0, QUEUED + PER_INTERVAL); // two more rounds would be twice the crowd
	assert_int_equal(addr_parse("127.0.0.1", &prober_target(&prober, 0, 0)->addresses[0]), 0);
	prober.settles = 0;
	prober_configure(&prober);
	assert_int_not_equal(prober_until_settled(&prober, 3000), -1);
	health_stats(prober.health, &known);
	assert_in_range(known.probes - down.probes, 0, PER_INTERVAL);
	prober_close_with(&prober, &crowd);
}

// Many targets in doubt do not keep the rest from being probed.
static void doubt_leaves_room(void **state)
{
	struct responder crowd = {.reply = OK_REPLY, .delay_ms = 20}, calm = {.reply = OK_REPLY};
	struct health_stats before, after;
	int64_t stalled_ms;
	struct prober prober;
	unsigned asked;

	(void)state;
	prober_open_with(&prober, &crowd, 20, 1);
	responder_open(&calm, prober.base, "127.0.0.2", crowd.port);
	assert_int_equal(addr_parse("127.0.0.2", &prober_target(&prober, 0, 0)->addresses[0]), 0);
	prober.config.server.probes = 1;
	prober.checks[0].fall = 100;
	prober_configure(&prober);
	assert_int_not_equal(prober_until_settled(&prober, 3000), -1);
	crowd.reply = BAD_REPLY;
	prober_run(&prober, 500); // a full round
	asked = calm.requests;
	health_stats(prober.health, &before);
	stalled_ms = responder_stalled_ms();
	prober_run(&prober, 800);
	stalled_ms = responder_stalled_ms() - stalled_ms;
	health_stats(prober.health, &after);
	assert_in_range(after.failures - before.failures, 10, 100 + (stalled_ms + 19) / 20);
	assert_in_range(calm.requests - asked, 4, 10 + (stalled_ms + 99) / 100);
	responder_close(&calm);
	prober_close_with(&prober, &crowd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_under_way),
		cmocka_unit_test(orders_go_before_probes),
		cmocka_unit_test(lateness_is_counted),
		cmocka_unit_test(doubt_goes_first),
		cmocka_unit_test(doubt_leaves_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
