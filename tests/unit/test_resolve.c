// Look-ups against a resolver that answers, changes its mind, lies and fails.
#include "resolve/resolve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "nameserver.h"
#include "responder.h"

enum { FLOOR_MS = 100, RETRY_MS = 100, LIMIT_MS = 5000 };

// A resolve with its nameserver, and what it has told.
struct stage {
	struct event_base *base;
	struct nameserver server;
	struct resolve *resolve;
	struct nameserver_row rows[16];
	const char *names[1024];
	size_t name_count;
	unsigned changes, saves, settled;
	char told[1024];      // of the last change: the addresses
	uint32_t ttl_s;
	bool is_stale, is_expired;
	struct resolve_addresses saved; // to be found for any name at a start
	unsigned attempts;
	bool keeps_servers;
};

enum { PATIENT = 5 }; // attempts, so that a slow machine is not taken for a silent server

static struct stage *stage;

static const char *text_of(const struct resolve_addresses *addresses)
{
	static char text[2048];
	char buf[ADDR_TEXT_LEN];
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < addresses->count; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i ? " " : "", addr_format(&addresses->list[i], buf));
	return text;
}

static void on_changed(void *ctx, const struct resolve_name *name)
{
	must(ctx == stage);
	stage->changes++;
	snprintf(stage->told, sizeof(stage->told), "%s", text_of(&name->last_good));
	stage->ttl_s = name->last_good.ttl_s;
	stage->is_stale = name->is_stale;
	stage->is_expired = name->is_expired;
}

static void on_save(void *ctx, const struct resolve_name *name)
{
	must(ctx == stage && name->last_good.good_s > 0);
	stage->saves++;
}

static bool on_saved(void *ctx, const char *name, struct resolve_addresses *ret_addresses)
{
	must(ctx == stage && name);
	*ret_addresses = stage->saved;
	return stage->saved.count > 0;
}

static void on_settled(void *ctx)
{
	must(ctx == stage);
	stage->settled++;
}

static int configure(unsigned max_age_s)
{
	static const char *const zones[] = {"edge.example.com"};
	struct sockaddr_storage server = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)&server;
	const struct resolve_config config = {.servers = &server, .server_count = 1, .timeout_ms = 200,
	                                      .attempts = stage->attempts ? stage->attempts : 1, .max_age_s = max_age_s,
	                                      .keeps_servers = stage->keeps_servers,
	                                      .zones = zones, .zone_count = 1, .names = stage->names,
	                                      .name_count = stage->name_count};

	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in->sin_port = htons(stage->server.port);
	return resolve_configure(stage->resolve, &config);
}

static void begin_with(size_t row_count)
{
	const struct resolve_ops ops = {.changed = on_changed, .save = on_save, .saved = on_saved, .settled = on_settled,
	                                .ctx = stage, .pace = {.floor_ms = FLOOR_MS, .cap_ms = 300, .retry_ms = RETRY_MS,
	                                .retry_for_ms = 300, .retry_max_ms = 400, .first_ms = 600}};

	stage->server.rows = stage->rows;
	stage->server.row_count = row_count;
	nameserver_open(&stage->server, stage->base);
	stage->resolve = resolve_new(stage->base, &ops);
	assert_non_null(stage->resolve);
	if (stage->name_count == 0)
		stage->names[stage->name_count++] = stage->rows[0].name;
	assert_int_equal(configure(3600), E_OK);
	assert_int_equal(stage->changes + stage->settled, 0); // nothing is told from inside
}

static void run_ms(unsigned ms)
{
	struct timeval wait = {ms / 1000, ms % 1000 * 1000};

	event_base_loopexit(stage->base, &wait);
	event_base_dispatch(stage->base);
}

static bool is_told(void *ctx)
{
	return strcmp(stage->told, ctx) == 0 && stage->changes > 0;
}

static bool is_settled(void *ctx)
{
	(void)ctx;
	return stage->settled > 0;
}

static bool has_failed(void *ctx)
{
	const struct resolve_name *name = resolve_get(stage->resolve, stage->names[0]);

	return name->failures >= (uintptr_t)ctx;
}

static void wait_for(const char *addresses)
{
	assert_true(responder_run(stage->base, is_told, (void *)addresses, LIMIT_MS) >= 0);
}

static void wait_for_failures(uintptr_t count)
{
	assert_true(responder_run(stage->base, has_failed, (void *)count, LIMIT_MS) >= 0);
}

static const struct resolve_name *first(void)
{
	return resolve_get(stage->resolve, stage->names[0]);
}

static int setup(void **state)
{
	stage = calloc(1, sizeof(*stage));
	stage->base = event_base_new();
	*state = stage;
	return stage->base ? 0 : -1;
}

static int teardown(void **state)
{
	resolve_free(stage->resolve);
	nameserver_close(&stage->server);
	event_base_free(stage->base);
	free(*state);
	return 0;
}

#define LB "lb.example.net"
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void tells_both_families_at_once(void **state)
{
	(void)state;
	stage->rows[0] = (struct nameserver_row){LB, .a = "192.0.2.2 192.0.2.1", .aaaa = "2001:db8::1", .ttl_s = 20};
	begin_with(1);
	assert_true(responder_run(stage->base, is_settled, NULL, LIMIT_MS) >= 0);
	assert_string_equal(stage->told, "192.0.2.1 192.0.2.2 2001:db8::1");
	assert_int_equal(stage->changes, 1);
	assert_int_equal(stage->saves, 1);
	assert_int_equal(stage->ttl_s, 20);
	assert_false(stage->is_stale);
	assert_true(first()->next_ms > clock_mono_ms());
}

// Not before the TTL (here the floor), within a tenth of it and a little.
static void asks_again_and_tells_changes_only(void **state)
{
	(void)state;
	stage->rows[0] = (struct nameserver_row){LB, .a = "192.0.2.1", .ttl_s = 0};
	begin_with(1);
	wait_for("192.0.2.1");
	run_ms(FLOOR_MS * 5);
	assert_int_equal(stage->changes, 1);
	assert_in_range(stage->rows[0].asked, 3, 6);
	stage->rows[0].a = "192.0.2.1 192.0.2.7";
	wait_for("192.0.2.1 192.0.2.7");
	assert_int_equal(stage->changes, 2);
	stage->rows[0].aaaa = "2001:db8::1";
	stage->rows[0].a = NULL;
	wait_for("2001:db8::1"); // the other family is gone, as it says so
}

static void tells_one_family_while_the_other_is_awaited(void **state)
{
	(void)state;
	stage->attempts = PATIENT;
	stage->rows[0] = (struct nameserver_row){LB, .a = "192.0.2.1", .ttl_s = 20, .is_aaaa_silent = true};
	begin_with(1);

	int64_t began_ms = clock_mono_ms();

	wait_for("192.0.2.1");
	assert_in_range(clock_mono_ms() - began_ms, 45, 150 + (uint64_t)responder_stalled_ms());
	assert_false(stage->is_stale);
	run_ms(300);
	assert_false(stage->is_stale); // there was no address to lose
	assert_int_equal(stage->changes, 1);
}

// The other one is told all the same.
static void keeps_the_family_that_fails(void **state)
{
	(void)state;
	stage->rows[0] = (struct nameserver_row){LB, .a = "192.0.2.1", .aaaa = "2001:db8::1", .ttl_s = 0};
	begin_with(1);
	wait_for("192.0.2.1 2001:db8::1");
	stage->rows[0].is_aaaa_silent = true;
	stage->rows[0].a = "192.0.2.2";
	wait_for("192.0.2.2 2001:db8::1");
	wait_for_failures(1);
	assert_true(stage->is_stale);
	assert_non_null(strstr(first()->error, "AAAA: "));
	stage->rows[0].is_aaaa_silent = false;
	stage->rows[0].aaaa = NULL; // as it says now
	wait_for("192.0.2.2");
	assert_false(stage->is_stale);
}

static void keeps_what_was_good(void **state)
{
	static const enum nameserver_mode wrongs[] = {NAMESERVER_NXDOMAIN, NAMESERVER_SERVFAIL, NAMESERVER_SILENT,
	                                              NAMESERVER_GARBAGE, NAMESERVER_CUT, NAMESERVER_ANSWER};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrongs); i++) {
		if (i > 0) {
			teardown(state);
			setup(state);
		}
		stage->rows[0] = (struct nameserver_row){LB, .a = "192.0.2.1", .aaaa = "2001:db8::1", .ttl_s = 0};
		begin_with(1);
		wait_for("192.0.2.1 2001:db8::1");
		stage->rows[0].mode = wrongs[i];
		if (wrongs[i] == NAMESERVER_ANSWER) // of nothing
			stage->rows[0].a = stage->rows[0].aaaa = NULL;
		wait_for_failures(2);
		assert_string_equal(text_of(&first()->last_good), "192.0.2.1 2001:db8::1");
		assert_true(stage->is_stale && first()->is_stale);
		assert_int_equal(stage->changes, 2); // once, that it is stale
		assert_int_not_equal(first()->error[0], '\0');
		assert_int_equal(wrongs[i] == NAMESERVER_SERVFAIL, strstr(first()->error, "or each answers SERVFAIL") != NULL);
		stage->rows[0] = (struct nameserver_row){LB, .a = "192.0.2.2", .ttl_s = 0};
		wait_for("192.0.2.2");
		assert_false(stage->is_stale);
		assert_string_equal(first()->error, "");
	}
}

static void is_patient_longer_and_longer(void **state)
{
	(void)state;
	stage->rows[0] = (struct nameserver_row){LB, .mode = NAMESERVER_NXDOMAIN};
	begin_with(1);
	run_ms(2500);
	// Each 100 ms in the first 300 (3 or 4), then after 200, then each 400 ms (5 or so). Without back-off: 20.
	assert_in_range(stage->rows[0].asked, 5, 11);
	assert_non_null(strstr(first()->error, "not found"));
	assert_int_equal(stage->changes, 1); // that it is known to have none
	assert_int_equal(stage->settled, 1);
}

static void refuses_chains_that_lead_home(void **state)
{
	(void)state;
	stage->rows[0] = (struct nameserver_row){LB, .cname = "x.edge.example.com", .ttl_s = 9};
	stage->rows[1] = (struct nameserver_row){"x.edge.example.com", .a = "192.0.2.1", .ttl_s = 9};
	begin_with(2);
	wait_for_failures(1);
	assert_int_equal(first()->last_good.count, 0);
	assert_non_null(strstr(first()->error, "it leads to x.edge.example.com, in our own zone edge.example.com"));
	stage->rows[0].cname = LB;
	wait_for_failures(2);
	assert_non_null(strstr(first()->error, "in a circle"));
	stage->rows[1] = (struct nameserver_row){"x.example.net", .a = "192.0.2.1", .ttl_s = 7};
	stage->rows[0].cname = "x.example.net";
	wait_for("192.0.2.1");
	assert_int_equal(stage->ttl_s, 7);
}

static bool has_addresses(void *ctx)
{
	(void)ctx;
	return first()->last_good.count > 0;
}

static void takes_truncated_replies_over_tcp(void **state)
{
	(void)state;
	stage->attempts = PATIENT;
	stage->rows[0] = (struct nameserver_row){LB, .mode = NAMESERVER_TRUNCATED, .many = 1000, .ttl_s = 9};
	begin_with(1);
	assert_true(responder_run(stage->base, has_addresses, NULL, LIMIT_MS) >= 0);
	assert_int_equal(first()->last_good.count, RESOLVE_ADDRESSES_MAX);
	assert_true(stage->server.tcp > 0);
	assert_int_equal(first()->last_good.list[0].bytes[2], 252); // the lowest of 10.0.252.6 to 10.0.255.255
}

static void halves_what_is_too_many(void **state)
{
	(void)state;
	stage->attempts = PATIENT;
	stage->rows[0] = (struct nameserver_row){LB, .many = 100, .ttl_s = 9, .mode = NAMESERVER_TRUNCATED,
	                                         .aaaa = "2001:db8::1 2001:db8::2 2001:db8::3"};
	begin_with(1);
	assert_true(responder_run(stage->base, is_settled, NULL, LIMIT_MS) >= 0);
	assert_int_equal(first()->last_good.count, RESOLVE_ADDRESSES_MAX);
	assert_int_equal(first()->last_good.list[28].family, ADDR_V4);
	assert_int_equal(first()->last_good.list[29].family, ADDR_V6);
}

static void ignores_wrong_ids(void **state)
{
	(void)state;
	stage->rows[0] = (struct nameserver_row){LB, .mode = NAMESERVER_WRONG_ID, .a = "192.0.2.1", .ttl_s = 9};
	begin_with(1);
	assert_true(responder_run(stage->base, is_settled, NULL, LIMIT_MS) >= 0);
	assert_string_equal(stage->told, "192.0.2.1");
}

static void tries_again(void **state)
{
	(void)state;
	stage->attempts = 3;
	stage->rows[0] = (struct nameserver_row){LB, .mode = NAMESERVER_SILENT, .a = "192.0.2.1", .ttl_s = 9};
	begin_with(1);
	run_ms(100); // the first attempt is under way
	stage->rows[0].mode = NAMESERVER_ANSWER;
	wait_for("192.0.2.1");
	assert_int_equal(first()->failures, 0);
	assert_int_equal(stage->rows[0].asked, 2);
}

static void begins_with_what_was_saved(void **state)
{
	(void)state;
	assert_int_equal(addr_parse("192.0.2.5", &stage->saved.list[0]), E_OK);
	stage->saved.count = 1;
	stage->saved.ttl_s = 30;
	stage->saved.good_s = clock_wall_s() - 100;
	stage->rows[0] = (struct nameserver_row){LB, .mode = NAMESERVER_SILENT};
	begin_with(1);
	assert_string_equal(text_of(&first()->last_good), "192.0.2.5");
	assert_true(first()->is_stale);
	assert_int_equal(first()->last_good.good_s, stage->saved.good_s);

	int64_t took_ms = responder_run(stage->base, is_settled, NULL, LIMIT_MS);

	assert_in_range(took_ms, 0, 100); // nothing is waited for
	stage->rows[0] = (struct nameserver_row){LB, .a = "192.0.2.5", .ttl_s = 30};
	wait_for("192.0.2.5");
	assert_false(first()->is_stale);
	assert_int_equal(stage->saves, 1); // it is newer
}

static void expires(void **state)
{
	struct resolve_stats stats;

	(void)state;
	stage->saved.count = 1;
	assert_int_equal(addr_parse("192.0.2.5", &stage->saved.list[0]), E_OK);
	stage->saved.good_s = clock_wall_s() - 3599;
	stage->rows[0] = (struct nameserver_row){LB, .mode = NAMESERVER_SERVFAIL};
	begin_with(1);
	assert_false(first()->is_expired);
	run_ms(2000);
	assert_true(stage->is_expired && first()->is_expired);
	assert_int_equal(first()->last_good.count, 1); // what is done with it is for others to decide
	resolve_stats(stage->resolve, &stats);
	assert_int_equal(stats.names, 1);
	assert_int_equal(stats.stale, 1);
	assert_in_range(stats.oldest_s, 3600, 3605);
	assert_int_equal(stats.failures, first()->failures);
}

static void settles_in_time(void **state)
{
	(void)state;
	stage->attempts = 3; // 0.2 + 0.4 + 0.8 s
	stage->rows[0] = (struct nameserver_row){LB, .mode = NAMESERVER_SILENT};
	begin_with(1);

	int64_t began_ms = clock_mono_ms();

	assert_true(responder_run(stage->base, is_settled, NULL, 1000) >= 0);
	assert_true(clock_mono_ms() - began_ms >= 590);
	run_ms(1500);
	assert_int_equal(stage->settled, 1);
}

static void keeps_names_and_forgets_others(void **state)
{
	(void)state;
	stage->rows[0] = (struct nameserver_row){LB, .a = "192.0.2.1", .ttl_s = 9};
	stage->rows[1] = (struct nameserver_row){"b.example.net", .a = "192.0.2.2", .ttl_s = 9};
	stage->rows[2] = (struct nameserver_row){"c.example.net", .mode = NAMESERVER_SILENT};
	begin_with(3);
	wait_for("192.0.2.1");
	stage->names[1] = "b.example.net";
	stage->names[2] = "c.example.net";
	stage->names[3] = LB;
	stage->name_count = 4;
	assert_int_equal(configure(3600), E_OK);
	wait_for("192.0.2.2");
	assert_int_equal(stage->rows[0].asked, 1); // it was not due
	run_ms(30);
	assert_int_equal(stage->rows[2].asked, 1);
	stage->name_count = 1; // while one of those that go is being looked up
	stage->names[0] = "b.example.net";
	assert_int_equal(configure(3600), E_OK);
	assert_null(resolve_get(stage->resolve, LB));
	assert_null(resolve_get(stage->resolve, "c.example.net"));
	run_ms(400);
	assert_int_equal(stage->rows[1].asked, 2); // its TTL of 9 s is capped
}

static void asks_anew_when_the_servers_change(void **state)
{
	(void)state;
	stage->rows[0] = (struct nameserver_row){LB, .mode = NAMESERVER_SILENT};
	begin_with(1);
	run_ms(50);
	stage->rows[0] = (struct nameserver_row){LB, .a = "192.0.2.1", .ttl_s = 9};
	stage->attempts = 2; // another configuration of the asker
	assert_int_equal(configure(3600), E_OK);
	wait_for("192.0.2.1");
	assert_int_equal(first()->failures, 0);
}

// Or names that take longer than joins are apart would never be known.
static void goes_on_while_the_servers_stay(void **state)
{
	unsigned asked;

	(void)state;
	stage->rows[0] = (struct nameserver_row){LB, .mode = NAMESERVER_SILENT};
	begin_with(1);
	run_ms(50);
	asked = stage->rows[0].asked;
	assert_int_equal(asked, 1);
	stage->attempts = 2;
	stage->keeps_servers = true;
	assert_int_equal(configure(3600), E_OK);
	run_ms(50);
	assert_int_equal(stage->rows[0].asked, asked);
	stage->keeps_servers = false;
	assert_int_equal(configure(3600), E_OK);
	run_ms(50);
	assert_int_equal(stage->rows[0].asked, asked + 1);
}

// A thousand names that change at each look-up; all within the least pause and what starting them takes.
static void spreads_many(void **state)
{
	static char texts[1000][32];

	(void)state;
	for (stage->name_count = 0; stage->name_count < 1000; stage->name_count++) {
		snprintf(texts[stage->name_count], sizeof(texts[0]), "n%zu.example.net", stage->name_count);
		stage->names[stage->name_count] = texts[stage->name_count];
	}
	begin_with(0); // all NXDOMAIN

	int64_t began_ms = clock_mono_ms();

	assert_true(responder_run(stage->base, is_settled, NULL, LIMIT_MS) >= 0);
	assert_true(clock_mono_ms() - began_ms >= 590);
	stage->names[0] = "n1.example.net"; // given twice, it is one name
	stage->name_count = 2;
	assert_int_equal(configure(3600), E_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(tells_both_families_at_once),
		test(asks_again_and_tells_changes_only),
		test(tells_one_family_while_the_other_is_awaited),
		test(keeps_the_family_that_fails),
		test(keeps_what_was_good),
		test(is_patient_longer_and_longer),
		test(refuses_chains_that_lead_home),
		test(takes_truncated_replies_over_tcp),
		test(halves_what_is_too_many),
		test(ignores_wrong_ids),
		test(tries_again),
		test(begins_with_what_was_saved),
		test(expires),
		test(settles_in_time),
		test(keeps_names_and_forgets_others),
		test(asks_anew_when_the_servers_change),
		test(goes_on_while_the_servers_stay),
		test(spreads_many),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
