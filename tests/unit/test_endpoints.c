// Targets with several addresses, each of which is probed, and with such that come at run time.
#include "health/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "prober.h"
#include "responder.h"

enum { MANY = 1200 }; // more than are started in one turn of the loop

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define BAD_REPLY "HTTP/1.1 503 Oops\r\nContent-Length: 0\r\n\r\n"

static struct addr loopback(uint8_t last)
{
	return (struct addr){ADDR_V4, {127, 0, 0, last}};
}

// Target 0 gets so many addresses, from 127.0.0.1 on; 0: they come at run time.
static void give_addresses(struct prober *prober, size_t count)
{
	struct config_target *target = prober_target(prober, 0, 0);

	target->addresses = realloc(target->addresses, (count + 1) * sizeof(struct addr));
	assert_non_null(target->addresses);
	target->address_count = count;
	for (size_t i = 0; i < count; i++)
		target->addresses[i] = loopback((uint8_t)(i + 1));
}

// The last octets of the addresses that are up, as digits in their order: "13".
static const char *up_ones(const struct prober *prober, char buf[static CONFIG_ADDRESSES_MAX + 1])
{
	struct health_address probed[CONFIG_ADDRESSES_MAX];
	size_t count = health_addresses(prober->health, 0, probed);
	char *end = buf;

	for (size_t i = 0; i < count; i++)
		if (probed[i].shown->up)
			*end++ = (char)('0' + probed[i].addr.bytes[3]);
	*end = '\0';
	return buf;
}

struct awaited {
	const struct prober *prober;
	const char *up;
};

static bool are_up(void *ctx)
{
	const struct awaited *awaited = ctx;
	char buf[CONFIG_ADDRESSES_MAX + 1];

	return strcmp(up_ones(awaited->prober, buf), awaited->up) == 0;
}

static void await(struct prober *prober, const char *up)
{
	struct awaited awaited = {prober, up};

	assert_int_not_equal(responder_run(prober->base, are_up, &awaited, PROBER_PATIENT_MS), -1);
}

// Each is judged on its own, and the target is up while one is.
static void each_address_is_probed(void **state)
{
	struct responder responders[3] = {{.reply = OK_REPLY}, {.reply = OK_REPLY}, {.reply = BAD_REPLY}};
	struct health_stats stats;
	struct prober prober;

	(void)state;
	prober_open_with(&prober, &responders[0], 1, 1);
	responder_open(&responders[1], prober.base, "127.0.0.2", responders[0].port);
	responder_open(&responders[2], prober.base, "127.0.0.3", responders[0].port);
	give_addresses(&prober, 3);
	prober_configure(&prober);
	assert_int_equal(prober.listed, 3);
	assert_false(health_whole(prober.health, 0) || health_dynamic(prober.health, 0));
	assert_int_not_equal(prober_until_settled(&prober, 1000), -1);
	assert_int_equal(prober.changes, 3);
	await(&prober, "12");
	assert_true(health_up(prober.health, 0) && health_partial(prober.health, 0));
	health_stats(prober.health, &stats);
	assert_true(stats.addresses == 3 && stats.down == 1);
	responders[2].reply = OK_REPLY;
	await(&prober, "123");
	assert_true(addr_equal(&prober.last_address, &(struct addr){ADDR_V4, {127, 0, 0, 3}}));
	assert_true(health_up(prober.health, 0) && !health_partial(prober.health, 0));
	for (int i = 0; i < 3; i++)
		responders[i].reply = BAD_REPLY;
	await(&prober, "");
	assert_false(health_up(prober.health, 0) || health_partial(prober.health, 0));
	assert_false(prober_health(&prober, 0)->up);
	health_stats(prober.health, &stats);
	assert_int_equal(stats.down, 3);
	responder_close(&responders[1]);
	responder_close(&responders[2]);
	prober_close_with(&prober, &responders[0]);
}

// Those that stay keep state and schedule; a new one has the target's state until it is judged.
static void reload_with_another_address(void **state)
{
	struct responder responders[3] = {{.reply = OK_REPLY}, {.reply = BAD_REPLY}, {.keep = true}};
	struct health_address probed[CONFIG_ADDRESSES_MAX];
	char buf[CONFIG_ADDRESSES_MAX + 1];
	struct prober prober;
	uint32_t probes;

	(void)state;
	prober_open_with(&prober, &responders[0], 1, 1);
	responder_open(&responders[1], prober.base, "127.0.0.2", responders[0].port);
	responder_open(&responders[2], prober.base, "127.0.0.3", responders[0].port); // silent
	give_addresses(&prober, 2);
	prober_configure(&prober);
	assert_int_not_equal(prober_until_settled(&prober, 1000), -1);
	prober_run(&prober, 250);
	assert_string_equal(up_ones(&prober, buf), "1");
	health_addresses(prober.health, 0, probed);
	probes = probed[0].shown->probes;
	prober_target(&prober, 0, 0)->addresses[1] = loopback(3); // instead of 2
	prober_configure(&prober);
	assert_false(health_settled(prober.health));
	assert_int_equal(health_addresses(prober.health, 0, probed), 2);
	assert_string_equal(up_ones(&prober, buf), "13");
	assert_int_equal(probed[0].shown->probes, probes);
	assert_int_equal(probed[1].shown->probes, 0);
	assert_int_equal(probed[1].shown->layer, HEALTH_PENDING);
	prober_run(&prober, 250);
	assert_int_equal(prober.listed, 2);
	assert_true(probed[0].shown->probes > probes); // it goes on
	prober_target(&prober, 0, 0)->address_count = 1;
	prober_configure(&prober); // one is under way to 3
	assert_string_equal(up_ones(&prober, buf), "1");
	assert_true(health_settled(prober.health));
	prober_run(&prober, 50);
	assert_int_equal(responders[2].open, 0);
	responder_close(&responders[1]);
	responder_close(&responders[2]);
	prober_close_with(&prober, &responders[0]);
}

// What is saved of one says nothing of the others.
static void saved_state_is_each_address_own(void **state)
{
	struct health_address probed[CONFIG_ADDRESSES_MAX];
	char buf[CONFIG_ADDRESSES_MAX + 1];
	uint32_t second = 0;

	(void)state;
	for (int round = 0; round < 2; round++) {
		struct prober prober;

		prober_open(&prober, 1, 1);
		prober.checks[0].port = 1;
		give_addresses(&prober, 3);
		prober.saved = 1;
		prober.saved_endpoint = second;
		prober_configure(&prober);
		assert_string_equal(up_ones(&prober, buf), round == 0 ? "123" : "2");
		assert_true(health_settled(prober.health) && health_known(prober.health, 0) && health_up(prober.health, 0));
		health_addresses(prober.health, 0, probed);
		second = probed[1].endpoint;
		assert_true(probed[0].endpoint != second && probed[2].endpoint != second);
		prober_close(&prober);
	}
}

// ---- addresses that come at run time --------------------------------------------------------------------------------

static void addresses_come_and_go(void **state)
{
	struct responder responders[3] = {{.reply = OK_REPLY}, {.reply = BAD_REPLY}, {.keep = true}};
	const struct addr one = loopback(1), both[] = {loopback(2), loopback(1)}, next[] = {loopback(3), loopback(1)};
	struct health_address probed[CONFIG_ADDRESSES_MAX];
	char buf[CONFIG_ADDRESSES_MAX + 1];
	struct health_stats stats;
	struct prober prober;

	(void)state;
	prober_open_with(&prober, &responders[0], 1, 1);
	responder_open(&responders[1], prober.base, "127.0.0.2", responders[0].port);
	responder_open(&responders[2], prober.base, "127.0.0.3", responders[0].port); // silent
	give_addresses(&prober, 0);
	prober_configure(&prober);
	assert_true(health_settled(prober.health) && health_dynamic(prober.health, 0) && !health_up(prober.health, 0));
	assert_false(health_known(prober.health, 0));
	assert_true(prober_health(&prober, 0)->checked);
	assert_int_equal(health_set_addresses(prober.health, 0, &one, 1), 0); // before the loop turns
	assert_false(health_settled(prober.health));
	assert_int_not_equal(prober_until_settled(&prober, 1000), -1);
	assert_true(health_settled(prober.health) && health_up(prober.health, 0)); // not told before
	assert_int_equal(health_set_addresses(prober.health, 0, both, 2), 0);
	assert_string_equal(up_ones(&prober, buf), "21"); // the new one as the target
	await(&prober, "1");
	assert_true(health_partial(prober.health, 0));
	assert_int_equal(health_set_addresses(prober.health, 0, next, 2), 0);
	assert_int_equal(prober.listed, 2);
	assert_string_equal(up_ones(&prober, buf), "31");
	assert_int_equal(health_addresses(prober.health, 0, probed), 2);
	assert_true(probed[1].shown->probes >= 1 && probed[0].shown->probes == 0);
	assert_true(prober_until_under_way(&prober, 1));
	prober_configure(&prober); // a reload changes nothing of it
	assert_string_equal(up_ones(&prober, buf), "31");
	prober.checks[0].path = "/another"; // nor does another check, until it has spoken
	prober_configure(&prober);
	assert_string_equal(up_ones(&prober, buf), "31");
	assert_int_equal(health_set_addresses(prober.health, 0, next, 0), 0);
	assert_false(health_up(prober.health, 0));
	assert_int_equal(prober.listed, 0);
	health_stats(prober.health, &stats);
	assert_int_equal(stats.addresses + stats.under_way + stats.waiting, 0);
	prober_run(&prober, 50);
	responder_close(&responders[1]);
	responder_close(&responders[2]);
	prober_close_with(&prober, &responders[0]);
}

// From addresses in the config to such that come later and back: what is probed goes on meanwhile.
static void addresses_become_dynamic(void **state)
{
	struct responder responder = {.reply = OK_REPLY};
	struct health_address probed[CONFIG_ADDRESSES_MAX];
	struct prober prober;

	(void)state;
	prober_open_with(&prober, &responder, 1, 1);
	prober_configure(&prober);
	assert_int_not_equal(prober_until_settled(&prober, 1000), -1);
	for (int round = 0; round < 2; round++) {
		give_addresses(&prober, (size_t)round);
		prober_configure(&prober);
		assert_int_equal(health_dynamic(prober.health, 0), !round);
		assert_int_equal(health_addresses(prober.health, 0, probed), 1);
		assert_true(health_up(prober.health, 0) && health_known(prober.health, 0) && probed[0].shown->probes > 0);
		prober_run(&prober, 20);
	}
	prober_target(&prober, 0, 0)->check = CONFIG_CHECK_NONE;
	give_addresses(&prober, 0);
	prober_configure(&prober);
	assert_true(health_up(prober.health, 0) && health_whole(prober.health, 0));
	assert_int_equal(health_set_addresses(prober.health, 0, &probed[0].addr, 1), 0);
	assert_int_equal(health_addresses(prober.health, 0, probed), 0); // nothing is probed
	prober_close_with(&prober, &responder);
}

// Watches that were not started yet at the stop are freed, and nobody hears of them: who would listen is gone.
static void the_end_tells_nobody(void **state)
{
	struct responder responder = {.reply = OK_REPLY};
	struct prober prober;

	(void)state;
	prober_open_with(&prober, &responder, MANY, 1);
	prober_configure(&prober);
	for (size_t i = 0; i < MANY; i++)
		prober_target(&prober, i, 0)->addresses[0] = loopback(9);
	prober_configure(&prober);
	prober.listed = 77;
	prober.health = health_free(prober.health);
	assert_int_equal(prober.listed, 77);
	prober_close_with(&prober, &responder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_tells_nobody),
		cmocka_unit_test(each_address_is_probed),
		cmocka_unit_test(reload_with_another_address),
		cmocka_unit_test(saved_state_is_each_address_own),
		cmocka_unit_test(addresses_come_and_go),
		cmocka_unit_test(addresses_become_dynamic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
