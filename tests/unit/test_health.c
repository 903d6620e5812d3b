// When targets are probed and what becomes of the results: first round, rise and fall, time bounds, reloads.
#include "health/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "health/watchlist.h"
#include "prober.h"
#include "responder.h"

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define BAD_REPLY "HTTP/1.1 503 Oops\r\nContent-Length: 0\r\n\r\n"

// A success decides at once, or as many failures as `fall` says, asked for without a pause.
static void first_round_decides(void **state)
{
	struct responder responder = {.reply = OK_REPLY};
	struct prober prober;

	(void)state;
	for (int up = 0; up < 2; up++) {
		responder.reply = up ? OK_REPLY : BAD_REPLY;
		responder.requests = 0;
		prober_open_with(&prober, &responder, 2, 3);
		prober.checks[0].rise = prober.checks[0].fall = 5;
		prober.checks[0].interval_ms = PROBER_PATIENT_MS;
		prober_configure(&prober);
		assert_int_equal(health_count(prober.health), 6);
		assert_false(health_settled(prober.health));
		assert_int_equal(prober_health(&prober, 5)->layer, HEALTH_PENDING);
		assert_false(prober_health(&prober, 5)->up);
		assert_in_range(prober_until_settled(&prober, 1000), 0, 200); // no interval
		assert_int_equal(responder.requests, up ? 6 : 6 * 5);
		for (size_t i = 0; i < 6; i++)
			assert_int_equal(prober_health(&prober, i)->up, up);
		assert_int_equal(prober.changes, 6);
		assert_int_equal(prober_health(&prober, 0)->failures, up ? 0 : 5);
		assert_int_equal(prober_health(&prober, 0)->probes, up ? 1 : 5);
		prober_run(&prober, 250);
		assert_int_equal(prober.settles, 1);
		prober_close_with(&prober, &responder);
	}
}

// At a start a target fails once and then answers: it is up from the first round on, and never was down.
static void one_failure_at_the_start(void **state)
{
	struct responder responder = {.reply = BAD_REPLY};
	struct health_stats stats;
	struct prober prober;

	(void)state;
	prober_open_with(&prober, &responder, 1, 1);
	prober.checks[0].fall = 2;
	prober.checks[0].interval_ms = PROBER_PATIENT_MS;
	prober_configure(&prober);
	assert_true(prober_until_probed(&prober, 1));
	health_stats(prober.health, &stats);
	assert_int_equal(stats.failing, 1);
	assert_false(health_settled(prober.health));
	assert_int_equal(prober.changes, 0);
	responder.reply = OK_REPLY;
	assert_in_range(prober_until_settled(&prober, 1000), 0, 200);
	assert_true(prober_health(&prober, 0)->up);
	assert_int_equal(prober.changes, 1);
	health_stats(prober.health, &stats);
	assert_int_equal(stats.failing, 0);
	prober_close_with(&prober, &responder);
}

// The number of targets that fail without being down for it, up to where they are, recover, or are removed.
static void failing_is_counted(void **state)
{
	struct responder responder = {.reply = OK_REPLY};
	struct health_stats stats;
	struct prober prober;

	(void)state;
	prober_open_with(&prober, &responder, 2, 2);
	prober.checks[0].fall = 3;
	prober_configure(&prober);
	assert_int_not_equal(prober_until_settled(&prober, 1000), -1);
	responder.reply = BAD_REPLY;
	while (health_stats(prober.health, &stats), stats.failing < 4)
		event_base_loop(prober.base, EVLOOP_ONCE);
	assert_true(prober_health(&prober, 0)->up && prober_health(&prober, 0)->failures > 0);
	responder.reply = OK_REPLY;
	while (health_stats(prober.health, &stats), stats.failing > 0)
		event_base_loop(prober.base, EVLOOP_ONCE);
	assert_true(prober_health(&prober, 0)->up);
	responder.reply = BAD_REPLY;
	while (health_stats(prober.health, &stats), stats.failing < 4)
		event_base_loop(prober.base, EVLOOP_ONCE);
	prober.config.app_count = 1;
	prober_configure(&prober);
	prober_run(&prober, 1);
	health_stats(prober.health, &stats);
	assert_in_range(stats.failing, 0, 2);
	while (prober_health(&prober, 0)->up || prober_health(&prober, 1)->up)
		event_base_loop(prober.base, EVLOOP_ONCE);
	health_stats(prober.health, &stats);
	assert_int_equal(stats.failing, 0);
	prober.config.app_count = 2;
	prober_close_with(&prober, &responder);
}

// Rise 3 and fall 2, step by step: the state after every probe.
static void rise_and_fall(void **state)
{
	static const struct {
		bool reply_ok, up;
		unsigned streak;
	} steps[] = {
		{true, true, 0}, {false, true, 1}, {true, true, 0}, {false, true, 1}, {false, false, 0}, {true, false, 1},
		{false, false, 0}, {true, false, 1}, {true, false, 2}, {true, true, 0}, {true, true, 0},
	};
	struct responder responder = {.reply = OK_REPLY};
	struct health_stats stats;
	struct prober prober;

	(void)state;
	prober_open_with(&prober, &responder, 1, 1);
	prober.checks[0].rise = 3;
	prober.checks[0].fall = 2;
	prober_configure(&prober);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		responder.reply = steps[i].reply_ok ? OK_REPLY : BAD_REPLY;
		do {
			event_base_loop(prober.base, EVLOOP_ONCE);
			health_stats(prober.health, &stats);
		} while (stats.probes <= i);
		assert_int_equal(prober_health(&prober, 0)->up, steps[i].up);
		assert_int_equal(prober_health(&prober, 0)->streak, steps[i].streak);
	}
	assert_int_equal(prober.changes, 3);
	assert_int_equal(stats.failures, 4);
	prober_close_with(&prober, &responder);
}

// A target dies just after a probe, in three ways; the answers must move within interval * fall + timeout + 100 ms.
static void death_is_seen_in_time(void **state)
{
	(void)state;
	for (int way = 0; way < 3; way++) {
		struct responder responder = {.reply = OK_REPLY};
		struct prober prober;
		int64_t bound;

		prober_open_with(&prober, &responder, 1, 1);
		prober.checks[0].fall = 3;
		prober.checks[0].timeout_ms = way == 1 ? 100 : 50;
		prober_configure(&prober);
		assert_int_not_equal(prober_until(&prober, true, 1000), -1);
		prober_run(&prober, 230);
		if (way == 0)
			responder_close(&responder); // refuses
		else if (way == 1)
			responder.reply = NULL;      // is silent; the timeout is as long as the interval
		else
			responder.reply = BAD_REPLY;
		bound = 3 * 100 + prober.checks[0].timeout_ms + 100;
		assert_in_range(prober_until(&prober, false, 2000), 0, bound);
		assert_int_equal(prober.last_changed, 0);
		prober_close_with(&prober, &responder);
	}
}

static void check_address_is_probed(void **state)
{
	struct responder answer = {.reply = OK_REPLY}, check = {.reply = BAD_REPLY};
	struct prober prober;
	struct addr address;

	(void)state;
	prober_open_with(&prober, &answer, 1, 2);
	responder_open(&check, prober.base, "127.0.0.2", answer.port);
	assert_int_equal(addr_parse("127.0.0.2", &address), 0);
	prober_target(&prober, 0, 1)->check_addresses = &address;
	prober_target(&prober, 0, 1)->check_address_count = 1;
	prober_configure(&prober);
	assert_int_not_equal(prober_until_settled(&prober, 1000), -1);
	assert_true(prober_health(&prober, 0)->up);
	assert_false(prober_health(&prober, 1)->up);
	check.reply = OK_REPLY;
	prober_run(&prober, 250);
	assert_true(prober_health(&prober, 1)->up);
	responder_close(&check);
	prober_close_with(&prober, &answer);
}

static void unchecked_is_up(void **state)
{
	struct prober prober;

	(void)state;
	prober_open(&prober, 1, 3);
	prober_target(&prober, 0, 0)->check = -1;
	prober_target(&prober, 0, 1)->check = -1;
	prober_target(&prober, 0, 2)->address_count = 0; // a name: nothing to probe
	prober_target(&prober, 0, 2)->cname = "elsewhere.example.net";
	prober_configure(&prober);
	assert_true(health_settled(prober.health));
	assert_int_equal(prober.settles, 0); // never from inside the call
	assert_in_range(prober_until_settled(&prober, 1000), 0, 20);
	for (size_t i = 0; i < 3; i++) {
		assert_false(prober_health(&prober, i)->checked);
		assert_true(prober_health(&prober, i)->up);
	}
	assert_int_equal(prober.changes, 0);
	prober_close(&prober);
}

static void saved_state_stands_until_rise_or_fall(void **state)
{
	(void)state;
	for (int saved = 0; saved < 2; saved++) {
		struct responder responder = {.reply = saved ? BAD_REPLY : OK_REPLY};
		struct prober prober;

		prober_open_with(&prober, &responder, 1, 1);
		prober.checks[0].rise = prober.checks[0].fall = 2;
		prober.saved = saved;
		prober_configure(&prober);
		assert_true(health_settled(prober.health));
		assert_int_equal(prober_health(&prober, 0)->up, saved);
		assert_int_equal(prober_health(&prober, 0)->since_s, PROBER_SAVED_SINCE_S);
		assert_in_range(prober_until_settled(&prober, 1000), 0, 20);
		while (responder.requests < 2)
			event_base_loop(prober.base, EVLOOP_ONCE);
		assert_int_equal(prober_health(&prober, 0)->up, saved);
		assert_int_not_equal(prober_until(&prober, !saved, 1000), -1);
		assert_true(prober_health(&prober, 0)->since_s > PROBER_SAVED_SINCE_S);
		assert_int_equal(prober.settles, 1);
		prober_close_with(&prober, &responder);
	}
}

// The address changes with a reload: the state saved for the old one does not count.
static void saved_state_is_for_a_restart(void **state)
{
	struct responder responder = {.reply = OK_REPLY};
	struct prober prober;

	(void)state;
	prober_open_with(&prober, &responder, 1, 1);
	prober.saved = 1;
	prober_configure(&prober);
	assert_int_equal(addr_parse("127.0.0.3", &prober_target(&prober, 0, 0)->addresses[0]), 0);
	prober_configure(&prober);
	assert_false(health_settled(prober.health));
	assert_false(prober_health(&prober, 0)->up);
	prober_close_with(&prober, &responder);
}

// A hundred reloads neither forget a state, nor probe twice, nor put a probe off.
static void reloads_carry_on(void **state)
{
	struct responder responder = {.reply = OK_REPLY, .delay_ms = 20};
	int64_t stalled_ms = responder_stalled_ms();
	struct prober prober;

	(void)state;
	prober_open_with(&prober, &responder, 4, 5);
	prober_configure(&prober);
	assert_int_not_equal(prober_until_settled(&prober, 1000), -1);
	for (int i = 0; i < 100; i++) {
		unsigned settles = prober.settles;

		prober_run(&prober, 9);
		prober_configure(&prober);
		assert_true(health_settled(prober.health));
		for (size_t k = 0; k < 20; k++)
			assert_true(prober_health(&prober, k)->up && prober_health(&prober, k)->layer == HEALTH_OK);
		event_base_loop(prober.base, EVLOOP_NONBLOCK);
		assert_int_equal(prober.settles, settles + 1);
	}
	assert_int_equal(prober.changes, 20);
	// 20 targets, a first round, a second one within 100 ms of it, then about 0.9 to 1.3 s at 100 ms.
	stalled_ms = responder_stalled_ms() - stalled_ms;
	assert_in_range(responder.requests, 20 * 8, 20 * (16 + (stalled_ms + 99) / 100));
	prober_close_with(&prober, &responder);
}

static void reload_renumbers(void **state)
{
	struct responder good = {.reply = OK_REPLY}, bad = {.reply = BAD_REPLY};
	struct config_app kept;
	struct prober prober;

	(void)state;
	prober_open_with(&prober, &good, 3, 1);
	responder_open(&bad, prober.base, "127.0.0.2", good.port);
	assert_int_equal(addr_parse("127.0.0.2", &prober_target(&prober, 2, 0)->addresses[0]), 0);
	prober_configure(&prober);
	assert_int_not_equal(prober_until_settled(&prober, 1000), -1);
	kept = prober.config.apps[0];
	prober.config.apps[0] = prober.config.apps[2];
	prober.config.apps[2] = kept;
	prober_configure(&prober);
	assert_true(health_settled(prober.health));
	assert_false(prober_health(&prober, 0)->up);
	assert_true(prober_health(&prober, 2)->up);
	bad.reply = OK_REPLY;
	prober.changes = 0;
	assert_int_not_equal(prober_until(&prober, true, 1000), -1);
	assert_int_equal(prober.last_changed, 0);
	responder_close(&bad);
	prober_close_with(&prober, &good);
}

static void reload_with_another_check(void **state)
{
	struct responder responder = {.reply = OK_REPLY};
	struct prober prober;

	(void)state;
	prober_open_with(&prober, &responder, 1, 2);
	prober_configure(&prober);
	assert_int_not_equal(prober_until_settled(&prober, 1000), -1);
	prober.settles = 0;
	prober.checks[0].path = "/another";
	prober.checks[0].fall = 2;
	assert_int_equal(addr_parse("127.0.0.4", &prober_target(&prober, 0, 1)->addresses[0]), 0);
	responder.reply = BAD_REPLY;
	prober_configure(&prober);
	assert_false(health_settled(prober.health));
	assert_true(prober_health(&prober, 0)->up);  // shown on until the new check has spoken
	assert_int_equal(prober_health(&prober, 0)->layer, HEALTH_PENDING);
	assert_false(prober_health(&prober, 1)->up); // nothing is known of this address
	assert_in_range(prober_until_settled(&prober, 1000), 0, 90);
	assert_false(prober_health(&prober, 0)->up); // two failures, without a pause
	prober_close_with(&prober, &responder);
}

// The same request at another pace: the state is kept until rise or fall, however many targets there are.
static void reload_with_another_pace(void **state)
{
	struct responder responder = {.reply = OK_REPLY};
	struct prober prober;
	int64_t began_ms;

	(void)state;
	prober_open_with(&prober, &responder, 1, 2);
	prober_configure(&prober);
	assert_int_not_equal(prober_until_settled(&prober, 1000), -1);
	prober.checks[0].fall = 3;
	responder.reply = BAD_REPLY;
	prober_configure(&prober);
	assert_true(health_settled(prober.health));
	assert_true(prober_health(&prober, 0)->up && prober_health(&prober, 1)->up);
	// The third failure: the second comes somewhere in the interval after the first one.
	began_ms = clock_mono_ms();
	assert_int_not_equal(prober_until(&prober, false, 1000), -1);
	assert_true(clock_mono_ms() - began_ms >= 95);
	prober_close_with(&prober, &responder);
}

// A target that had no check stays up until its first probe has finished.
static void reload_with_a_first_check(void **state)
{
	struct responder responder = {.reply = OK_REPLY, .delay_ms = 30};
	struct prober prober;

	(void)state;
	prober_open_with(&prober, &responder, 1, 1);
	prober_target(&prober, 0, 0)->check = CONFIG_CHECK_NONE;
	prober_configure(&prober);
	assert_int_not_equal(prober_until_settled(&prober, 1000), -1);
	assert_true(prober_health(&prober, 0)->up && !prober_health(&prober, 0)->checked);
	prober_target(&prober, 0, 0)->check = 0;
	prober_configure(&prober);
	assert_true(prober_health(&prober, 0)->up && prober_health(&prober, 0)->checked);
	assert_false(health_settled(prober.health));
	responder.reply = BAD_REPLY;
	assert_int_not_equal(prober_until(&prober, false, 1000), -1);
	prober_close_with(&prober, &responder);
}

// Probes under way are cancelled silently when their target is removed.
static void removal_under_way(void **state)
{
	struct health_stats stats;
	struct blackhole hole;
	struct prober prober;

	(void)state;
	for (int type = 0; type < 3; type++) {
		prober_open(&prober, 10, 1);
		prober.checks[0].port = blackhole_open(&hole);
		prober.checks[0].type = (enum check_type)type;
		prober.config.server.probes = 4;
		prober_configure(&prober);
		assert_true(prober_until_under_way(&prober, 4));
		health_stats(prober.health, &stats);
		assert_int_equal(stats.waiting, 6);
		prober.config.app_count = 0;
		prober_configure(&prober);
		prober_run(&prober, 150);
		health_stats(prober.health, &stats);
		assert_int_equal(stats.under_way + stats.waiting + stats.probes, 0);
		prober.config.app_count = 10;
		prober_close(&prober);
		blackhole_close(&hole);
	}
}

static void room_of_the_removed(void **state)
{
	struct responder silent = {.keep = true}, good = {.reply = OK_REPLY};
	struct prober prober;

	(void)state;
	prober_open_with(&prober, &silent, 2, 1);
	responder_open(&good, prober.base, "127.0.0.2", silent.port);
	assert_int_equal(addr_parse("127.0.0.2", &prober_target(&prober, 1, 0)->addresses[0]), 0);
	prober.checks[0].interval_ms = prober.checks[0].timeout_ms = 10000;
	prober.config.server.probes = 1;
	prober_configure(&prober);
	while (silent.requests == 0 && good.requests == 0)
		event_base_loop(prober.base, EVLOOP_ONCE);
	prober_run(&prober, 20);
	assert_int_equal(silent.open, 1);
	prober_target(&prober, 0, 0)->check = -1;
	prober_configure(&prober);
	assert_in_range(prober_until_settled(&prober, 1000), 0, 50);
	assert_true(prober_health(&prober, 1)->up);
	responder_close(&good);
	prober_close_with(&prober, &silent);
}

static bool is_past(void *ctx)
{
	return clock_mono_ns() >= *(const int64_t *)ctx;
}

// How many requests came from `from_ms` to `to_ms` after the moment `began_ns`.
static unsigned count_requests(const struct responder *responder, int64_t began_ns, int64_t from_ms, int64_t to_ms)
{
	unsigned count = 0;

	for (unsigned i = 0; i < responder->requests; i++) {
		int64_t at_ns = responder->times_ns[i] - began_ns;

		count += at_ns >= from_ms * 1000000 && at_ns < to_ms * 1000000;
	}
	return count;
}

// After the quick first round, probes lie evenly in the interval: no tenth of it gets more than twice its share. On a busy
// machine a request is seen as late as the loop's turns come that it takes.
static void spread_over_the_interval(void **state)
{
	enum { TURNS = 4 };
	struct responder responder = {.reply = OK_REPLY};
	int64_t began_ns, ends_ns, late_ms;
	struct prober prober;

	(void)state;
	prober_open_with(&prober, &responder, 20, 5);
	prober.checks[0].interval_ms = prober.checks[0].timeout_ms = 1000;
	prober_configure(&prober);
	assert_in_range(prober_until_settled(&prober, 1000), 0, 150);
	began_ns = clock_mono_ns() + 1000000000; // each has had its second one
	ends_ns = began_ns;
	assert_int_not_equal(responder_run(prober.base, is_past, &ends_ns, 2000), -1);
	responder_longest_stall_ms();
	ends_ns = began_ns + 1010000000;
	assert_int_not_equal(responder_run(prober.base, is_past, &ends_ns, 2000), -1);
	late_ms = TURNS * responder_longest_stall_ms();
	assert_true(responder.requests <= RESPONDER_TIMES);
	for (int i = 0; i < 1000; i += 100) {
		assert_true(count_requests(&responder, began_ns, i, i + 100 + late_ms) >= 5);
		assert_true(count_requests(&responder, began_ns, i, i + 100) <= 20 + 20 * late_ms / 100);
	}
	prober_close_with(&prober, &responder);
}

static void starts_keep_their_interval(void **state)
{
	struct responder responder = {.reply = OK_REPLY, .delay_ms = 40};
	int64_t stalled_ms = responder_stalled_ms(), took_ms;
	struct prober prober;

	(void)state;
	prober_open_with(&prober, &responder, 1, 1);
	prober_configure(&prober);
	prober_run(&prober, 1100);
	stalled_ms = responder_stalled_ms() - stalled_ms;
	assert_in_range(responder.requests, 10, 13 + (stalled_ms + 99) / 100);
	// From the second probe to the last one, however long each took. A stall may cost a turn, which is left out.
	took_ms = (responder.times_ns[responder.requests - 1] - responder.times_ns[1]) / 1000000;
	assert_in_range(took_ms, (responder.requests - 2) * 100 - 60, (responder.requests - 2) * 100 + 60 + 2 * stalled_ms);
	assert_int_equal(responder.most_open, 1);
	prober_close_with(&prober, &responder);
}

// The process is stopped past a deadline: the response that has arrived meanwhile still counts.
static void a_stall_is_not_a_timeout(void **state)
{
	struct responder responder = {.reply = OK_REPLY, .delay_ms = 20};
	struct health_stats stats;
	struct prober prober;

	(void)state;
	prober_open_with(&prober, &responder, 1, 1);
	prober.checks[0].timeout_ms = 200; // and as much again is what a busy machine may take of its own accord
	prober_configure(&prober);
	for (int i = 0; i < 3; i++) {
		assert_true(prober_until_under_way(&prober, 1));
		usleep(500000);
		prober_run(&prober, 90);
	}
	health_stats(prober.health, &stats);
	assert_int_equal(stats.failures, 0);
	responder.reply = NULL;
	assert_int_not_equal(prober_until(&prober, false, 1000), -1);
	prober_close_with(&prober, &responder);
}

static void a_bad_config_changes_nothing(void **state)
{
	struct responder responder = {.reply = OK_REPLY};
	static char text[70000];
	struct watchlist *list = NULL;
	struct prober prober;

	(void)state;
	prober_open_with(&prober, &responder, 1, 1);
	prober_configure(&prober);
	assert_int_not_equal(prober_until(&prober, true, 1000), -1);
	memset(text, 'x', sizeof(text) - 1);
	prober.checks[0].expect_body = text;
	assert_int_equal(watchlist_new(&prober.config, health_list(prober.health), &list), E_LIMIT);
	assert_true(prober_health(&prober, 0)->up);
	responder.reply = BAD_REPLY;
	assert_int_not_equal(prober_until(&prober, false, 1000), -1);
	prober_close_with(&prober, &responder);
}

static void free_under_way(void **state)
{
	struct blackhole hole;
	struct prober prober;

	(void)state;
	for (int type = 0; type < 3; type++) {
		prober_open(&prober, 20, 1);
		prober.checks[0].port = blackhole_open(&hole);
		prober.checks[0].type = (enum check_type)type;
		prober.config.server.probes = 10;
		prober_configure(&prober);
		assert_true(prober_until_under_way(&prober, 10));
		prober_close(&prober);
		blackhole_close(&hole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_round_decides),
		cmocka_unit_test(one_failure_at_the_start),
		cmocka_unit_test(failing_is_counted),
		cmocka_unit_test(rise_and_fall),
		cmocka_unit_test(death_is_seen_in_time),
		cmocka_unit_test(check_address_is_probed),
		cmocka_unit_test(unchecked_is_up),
		cmocka_unit_test(saved_state_stands_until_rise_or_fall),
		cmocka_unit_test(saved_state_is_for_a_restart),
		cmocka_unit_test(reloads_carry_on),
		cmocka_unit_test(reload_renumbers),
		cmocka_unit_test(reload_with_another_check),
		cmocka_unit_test(reload_with_another_pace),
		cmocka_unit_test(reload_with_a_first_check),
		cmocka_unit_test(removal_under_way),
		cmocka_unit_test(room_of_the_removed),
		cmocka_unit_test(spread_over_the_interval),
		cmocka_unit_test(starts_keep_their_interval),
		cmocka_unit_test(a_stall_is_not_a_timeout),
		cmocka_unit_test(a_bad_config_changes_nothing),
		cmocka_unit_test(free_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
