// What targets get of names' addresses: which, with which TTL, and at the start those of before. No name is resolved here.
#include "daemon/aliases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "config/config.h"
#include "daemon/alias_plan.h"
#include "report_text.h"
#include "resolve/resolve.h"
#include "statedir.h"

enum { TARGETS = 8 };

// What the sink was given, by target.
static struct {
	char text[256]; // "TTL: ADDRESS ADDRESS", or "probed: ..."
	unsigned calls;
	int err;        // for the next one
} given[TARGETS];

static int note(uint32_t target, const char *what, const struct addr *addresses, size_t count)
{
	char *text = given[target].text, buf[ADDR_TEXT_LEN];
	size_t at = (size_t)snprintf(text, sizeof(given->text), "%s:", what);

	must(target < TARGETS);
	for (size_t i = 0; i < count; i++)
		at += (size_t)snprintf(text + at, sizeof(given->text) - at, " %s", addr_format(&addresses[i], buf));
	given[target].calls++;
	return given[target].err;
}

static int set(void *ctx, uint32_t target, const struct addr *addresses, size_t count, uint32_t ttl_s)
{
	char what[16];

	assert_null(ctx);
	snprintf(what, sizeof(what), "%u", ttl_s);
	return note(target, what, addresses, count);
}

static int set_probed(void *ctx, uint32_t target, const struct addr *addresses, size_t count)
{
	assert_null(ctx);
	return note(target, "probed", addresses, count);
}

static void never_settled(void *ctx)
{
	assert_null(ctx);
}

static const struct aliases_sink sink = {set, set_probed, NULL};

#define HEAD "domains: {e.x: {ns: n.x}}\nresolver: {servers: 127.0.0.1@9}\nchecks: {c: {type: tcp, port: 1}}\n" \
	"sites: {r: {kind: region}, p: {kind: outpost, block: 10.0.0.0/8}}\n"

struct world {
	struct state *state;
	struct aliases *aliases;
	struct config *config;
};

// With a name whose addresses were confirmed `age_s` ago.
static void begin(struct world *world, const char *yaml, int64_t age_s)
{
	const struct aliases_ops ops = {.sink = sink, .settled = never_settled};
	char *reported;

	memset(given, 0, sizeof(given));
	world->state = statedir_open();
	state_set_alias(world->state, "lb.y", "10.0.0.1 169.254.0.1 192.0.2.1 2001:db8::1", 45, clock_wall_s() - age_s);
	state_set_alias(world->state, "other.y", "192.0.2.9", 45, clock_wall_s());
	world->config = report_text_config(yaml, strlen(yaml), &reported);
	if (!world->config)
		fail_msg("%s", reported);
	free(reported);
	world->aliases = aliases_new(statedir_base, world->state, &ops);
	assert_non_null(world->aliases);
	assert_int_equal(aliases_take(world->aliases, alias_plan_new(world->config), NULL), E_OK);
}

static void end(struct world *world)
{
	aliases_free(world->aliases);
	config_free(world->config);
	state_close(world->state);
}

#define APPS "apps: {a.e.x: {ttl: 60s, targets: {r: {alias: lb.y, check: c, check-address: LB.y.}, p: {alias: lb.y}}}," \
	" b.e.x: {ttl: 7s, targets: {r: {alias: lb.y}, p: {alias: new.y}}}}\n"

static void gives_each_target_what_its_site_may_have(void **unused)
{
	struct world world;
	uint32_t ttl_s;
	int64_t since_s;

	(void)unused;
	begin(&world, HEAD APPS, 5);
	assert_int_equal(aliases_fill(world.aliases, &sink), E_OK);
	// Stale, as no look-up has confirmed them: 30 s at most. Neither private nor link-local, without a block.
	assert_string_equal(given[0].text, "probed: 10.0.0.1 169.254.0.1 192.0.2.1 2001:db8::1");
	assert_int_equal(given[0].calls, 2);
	assert_string_equal(given[1].text, "30: 10.0.0.1"); // in its block
	assert_string_equal(given[2].text, "7: 192.0.2.1 2001:db8::1"); // the app's is less
	assert_int_equal(given[3].calls, 0); // nothing is known
	assert_null(state_alias(world.state, "other.y", &ttl_s, &since_s)); // nobody wants it
	assert_non_null(state_alias(world.state, "lb.y", &ttl_s, &since_s));
	end(&world);
}

static void tells_once_of_a_target_that_stays(void **unused)
{
	static const uint32_t old_of_new[] = {ALIAS_PLAN_NONE, 2, 1, 3};
	struct world world;
	struct alias_plan *first, *next;
	uint64_t kept;

	(void)unused;
	begin(&world, HEAD APPS, 5);
	first = alias_plan_new(world.config);
	next = alias_plan_new(world.config);
	assert_int_equal(aliases_take(world.aliases, first, (const uint32_t[]){0, 1, 2, 3}), E_OK);
	assert_int_equal(aliases_fill(world.aliases, &sink), E_OK);
	assert_true(first->told[1] && first->told[2] && first->told[1] != first->told[2]);
	first->told[3] = 7;
	kept = first->told[2];
	assert_int_equal(aliases_take(world.aliases, next, old_of_new), E_OK);
	assert_int_equal(next->told[0], 0);
	assert_int_equal(next->told[1], kept);
	assert_int_equal(next->told[3], 7);
	end(&world);
}

static void drops_what_has_expired(void **unused)
{
	struct world world;

	(void)unused;
	begin(&world, HEAD "alias-max-age: 1h\n" APPS, 7200);
	assert_int_equal(aliases_fill(world.aliases, &sink), E_OK);
	assert_string_equal(given[2].text, "7: 192.0.2.1 2001:db8::1"); // by default they are served
	end(&world);
	begin(&world, HEAD "alias-max-age: 1h\nalias-expired: down\n" APPS, 7200);
	assert_int_equal(aliases_fill(world.aliases, &sink), E_OK);
	assert_string_equal(given[1].text, "30:");
	assert_string_equal(given[2].text, "7:");
	end(&world);
}

static void says_when_it_is_short(void **unused)
{
	struct world world;

	(void)unused;
	begin(&world, HEAD APPS, 5);
	assert_false(aliases_is_short(world.aliases));
	given[1].err = E_NOMEM;
	assert_int_equal(aliases_fill(world.aliases, &sink), E_NOMEM);
	assert_true(aliases_is_short(world.aliases));
	given[1].err = E_OK;
	assert_int_equal(aliases_fill(world.aliases, &sink), E_OK);
	assert_false(aliases_is_short(world.aliases));
	assert_string_equal(given[2].text, "7: 192.0.2.1 2001:db8::1");
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(gives_each_target_what_its_site_may_have, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(tells_once_of_a_target_that_stays, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(drops_what_has_expired, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(says_when_it_is_short, statedir_setup, statedir_teardown),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
