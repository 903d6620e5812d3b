// More probes than there is time or room for: how many run at once, what goes before what, and what is told of it.
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
	struct rig rig;

	(void)state;
	rig_open_with(&rig, &responder, 100, 5);
	rig.checks[0].interval_ms = rig.checks[0].timeout_ms = 2000;
	rig.config.server.probes = 30;
	rig_configure(&rig);
	assert_int_not_equal(rig_until_settled(&rig, 3000), -1);
	health_stats(rig.health, &stats);
	assert_in_range(stats.probes, 500, 700); // some are probed again before the last ones' turn
	assert_int_equal(stats.failures, 0);
	assert_in_range(responder.most_open, 20, 31); // the last one's end may come after the next one's beginning
	rig_close_with(&rig, &responder);
}

struct urgent {
	const struct rig *rig;
	struct health_stats seen;
};

static void on_urgent(evutil_socket_t fd, short what, void *ctx)
{
	struct urgent *urgent = ctx;

	(void)fd;
	(void)what;
	health_stats(urgent->rig->health, &urgent->seen);
}

// What the probes' figures are for an event that becomes ready after all that is ready now.
static struct health_stats seen_by_urgent(const struct rig *rig)
{
	struct urgent urgent = {.rig = rig, .seen = {.waiting = 1000, .probes = 1000}};

	event_base_once(rig->base, -1, EV_TIMEOUT, on_urgent, &urgent, &(struct timeval){0, 1});
	usleep(20000); // the loop's clock is coarse
	event_base_loop(rig->base, EVLOOP_ONCE);
	return urgent.seen;
}

// However many probes have come due, or have something to read, an order that comes after them goes first.
static void orders_go_before_probes(void **state)
{
	enum { CROWD = 50 };

	(void)state;
	for (int type = CHECK_HTTP; type <= CHECK_TCP; type += CHECK_TCP - CHECK_HTTP) {
		struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), fds[CROWD], accepted = 0;
		socklen_t len = sizeof(name);
		struct health_stats stats;
		struct rig rig;

		assert_int_equal(bind(listener, (struct sockaddr *)&name, len), 0);
		assert_int_equal(listen(listener, CROWD), 0);
		assert_int_equal(getsockname(listener, (struct sockaddr *)&name, &len), 0);
		rig_open(&rig, CROWD, 1);
		rig.checks[0].type = (enum check_type)type;
		rig.checks[0].port = ntohs(name.sin_port);
		rig.checks[0].interval_ms = rig.checks[0].timeout_ms = 5000;
		rig_configure(&rig);
		usleep(20000); // all of them have come due
		assert_int_equal(seen_by_urgent(&rig).waiting, 0);
		do {
			event_base_loop(rig.base, EVLOOP_ONCE);
			health_stats(rig.health, &stats);
		} while (stats.under_way == 0);
		while (type == CHECK_HTTP && accepted < CROWD)
			if ((fds[accepted] = accept(listener, NULL, NULL)) >= 0)
				accepted++;
			else
				rig_run(&rig, 1);
		for (int i = 0; i < accepted; i++)
			assert_int_equal(write(fds[i], OK_REPLY, strlen(OK_REPLY)), strlen(OK_REPLY));
		// All of them have an answer to read; over TCP, those that have begun are connected.
		assert_int_equal(seen_by_urgent(&rig).probes, 0);
		assert_int_not_equal(rig_until_settled(&rig, 3000), -1);
		for (size_t i = 0; i < CROWD; i++)
			assert_true(rig_health(&rig, i)->up);
		for (int i = 0; i < accepted; i++)
			close(fds[i]);
		rig_close(&rig);
		close(listener);
	}
}

// Twice as many probes as there is room for: each target's turn comes every other interval, and that is counted. A crowd
// that has room, and a first round that takes longer than an interval, are not late.
static void lateness_is_counted(void **state)
{
	struct responder responder = {.reply = OK_REPLY, .delay_ms = 20};
	struct health_stats before, stats;
	struct rig rig;

	(void)state;
	rig_open_with(&rig, &responder, 20, 1);
	rig.config.server.probes = 2;
	rig_configure(&rig);
	assert_in_range(rig_until_settled(&rig, 2000), 150, 2000);
	health_stats(rig.health, &stats);
	assert_in_range(stats.late, 0, 2); // a second one may begin before the last first one ends
	rig_run(&rig, 800);
	health_stats(rig.health, &stats);
	assert_in_range(stats.late, stats.probes / 4, stats.probes);
	assert_int_equal(stats.failures, 0);
	rig.config.server.probes = 20;
	rig_configure(&rig);
	rig_run(&rig, 400);
	health_stats(rig.health, &stats);

	before = stats;
	rig_run(&rig, 400);
	health_stats(rig.health, &stats);
	assert_in_range(stats.late - before.late, 0, (stats.probes - before.probes) / 8); // none but for a busy machine
	rig_close_with(&rig, &responder);
}

// Four times as many probes as there is room for. A failure is made sure of at the check's pace, not at the crowd's; a
// target of which nothing is known does not wait for its turn in the crowd.
static void doubt_goes_first(void **state)
{
	enum { CROWD = 40, PER_INTERVAL = 10 };
	struct responder crowd = {.reply = OK_REPLY, .delay_ms = 20}, dying = {.reply = OK_REPLY};
	struct health_stats failed, down, known;
	int64_t failed_ms;
	struct rig rig;

	(void)state;
	rig_open_with(&rig, &crowd, CROWD, 1);
	responder_open(&dying, rig.base, "127.0.0.2", crowd.port);
	assert_int_equal(addr_parse("127.0.0.2", &rig_target(&rig, 0, 0)->addresses[0]), 0);
	rig.config.server.probes = 2;
	rig.checks[0].fall = 3;
	rig_configure(&rig);
	assert_int_not_equal(rig_until_settled(&rig, 3000), -1);
	responder_close(&dying);
	do {
		event_base_loop(rig.base, EVLOOP_ONCE);
		health_stats(rig.health, &failed);
	} while (failed.failures == 0);
	failed_ms = clock_mono_ms();
	assert_int_not_equal(rig_until(&rig, false, 3000), -1);
	assert_true(clock_mono_ms() - failed_ms >= 90); // twice half an interval, less what has passed already
	health_stats(rig.health, &down);
	assert_int_equal(down.failures, 3);
	assert_in_range(down.probes - failed.probes, 0, CROWD + PER_INTERVAL); // two more rounds would be twice the crowd
	assert_int_equal(addr_parse("127.0.0.1", &rig_target(&rig, 0, 0)->addresses[0]), 0);
	rig.settles = 0;
	rig_configure(&rig);
	assert_int_not_equal(rig_until_settled(&rig, 3000), -1);
	health_stats(rig.health, &known);
	assert_in_range(known.probes - down.probes, 0, PER_INTERVAL);
	rig_close_with(&rig, &crowd);
}

// A crowd in doubt does not keep the rest from being probed.
static void doubt_leaves_room(void **state)
{
	struct responder crowd = {.reply = OK_REPLY, .delay_ms = 20}, calm = {.reply = OK_REPLY};
	struct health_stats before, after;
	struct rig rig;
	unsigned asked;

	(void)state;
	rig_open_with(&rig, &crowd, 20, 1);
	responder_open(&calm, rig.base, "127.0.0.2", crowd.port);
	assert_int_equal(addr_parse("127.0.0.2", &rig_target(&rig, 0, 0)->addresses[0]), 0);
	rig.config.server.probes = 1;
	rig.checks[0].fall = 100;
	rig_configure(&rig);
	assert_int_not_equal(rig_until_settled(&rig, 3000), -1);
	crowd.reply = BAD_REPLY;
	rig_run(&rig, 500); // a whole round
	asked = calm.requests;
	health_stats(rig.health, &before);
	rig_run(&rig, 800);
	health_stats(rig.health, &after);
	assert_in_range(after.failures - before.failures, 10, 100);
	assert_in_range(calm.requests - asked, 4, 10);
	responder_close(&calm);
	rig_close_with(&rig, &crowd);
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
