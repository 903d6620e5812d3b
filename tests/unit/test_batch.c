// answer_batch(): messages of any kind, mixed in any order and number, get together what each gets alone, octet for octet,
// and are counted the same.
#include "answer/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dig.h"
#include "view/live.h"
#include "view/view.h"

static const char zone_text[] = "$ORIGIN edge.example.\n"
                                "$TTL 300\n"
                                "@ SOA ns1 hostmaster 7 7200 3600 1209600 60\n"
                                "@ NS ns1\n"
                                "ns1 A 192.0.2.1\n"
                                "to-app CNAME app\n"
                                "to-two CNAME to-app\n"
                                "sub NS ns.sub\n"
                                "ns.sub A 192.0.2.53\n"
                                "*.wild A 192.0.2.90\n";

// Each app has a steering table of its own; `deep` is reached through another app's CNAME.
static const char config_text[] =
	"domains: {edge.example: {file: zone}}\n"
	"locate: [{plugin: ranges, file: clients}]\n"
	"server: {ecs-ignore: [10.20.0.0/16]}\n"
	"sites:\n"
	"  bos: {kind: wavelength, reach: [verizon], location: [42.36, -71.06]}\n"
	"  nyc: {kind: wavelength, reach: [verizon], location: [40.71, -74.01]}\n"
	"  region: {kind: region, location: [39.04, -77.49]}\n"
	"apps:\n"
	"  app.edge.example:\n"
	"    targets: {bos: {addresses: [192.0.2.10]}, region: {addresses: [192.0.2.11, '2001:db8::11']}}\n"
	"  shared.edge.example:\n"
	"    tie: 1s\n"
	"    targets:\n"
	"      bos: {addresses: [192.0.2.20], weight: 1}\n"
	"      nyc: {addresses: [192.0.2.21], weight: 2}\n"
	"      region: {addresses: [192.0.2.22], weight: 0}\n"
	"  closed.edge.example:\n"
	"    targets: {nyc: {addresses: [192.0.2.30]}}\n"
	"  alias.edge.example:\n"
	"    targets: {nyc: {cname: deep.edge.example}, region: {cname: ns1.edge.example}}\n"
	"  deep.edge.example:\n"
	"    targets: {bos: {addresses: [192.0.2.41]}, nyc: {addresses: [192.0.2.40]}}\n";

static const char clients_text[] = "prefix,carrier,latitude,longitude,class\n"
                                   "10.10.0.0/16,verizon,42.3,-71.0,\n"
                                   "10.10.7.0/24,verizon,40.7,-74.0,\n"
                                   "10.20.3.0/24,verizon,42.3,-71.0,\n"
                                   "198.51.100.0/24,verizon,40.7,-74.0,\n"
                                   "2001:db8:10::/48,verizon,42.3,-71.0,\n";

static const struct question questions[] = {
	{.name = "app.edge.example.", .type = "A"},
	{.name = "app.edge.example.", .type = "A", .ecs = "10.10.1.0/24"},
	{.name = "APP.edge.example.", .type = "AAAA", .ecs = "2001:db8:10:1::/64"},
	{.name = "app.edge.example.", .type = "A", .ecs = "10.20.3.0/24"}, // ignored: the resolver's
	{.name = "app.edge.example.", .type = "MX", .edns_size = 1232},
	{.name = "shared.edge.example.", .type = "A", .ecs = "10.10.7.0/24"},
	{.name = "shared.edge.example.", .type = "A", .ecs = "10.10.1.0/24"},
	{.name = "shared.edge.example.", .type = "A", .ecs = "8.8.8.0/24"},
	{.name = "closed.edge.example.", .type = "A", .ecs = "8.8.8.0/24"}, // nothing in reach
	{.name = "closed.edge.example.", .type = "A"},
	{.name = "alias.edge.example.", .type = "A"}, // leads to an app of another table
	{.name = "alias.edge.example.", .type = "A", .ecs = "10.10.1.0/24"},
	{.name = "to-two.edge.example.", .type = "A"},
	{.name = "to-app.edge.example.", .type = "A", .ecs = "10.10.1.0/24"},
	{.name = "nothing.edge.example.", .type = "A", .edns_size = 1232},
	{.name = "a.wild.edge.example.", .type = "A"},
	{.name = "www.sub.edge.example.", .type = "A"},
	{.name = "app.edge.example.", .type = "ANY"},
	{.name = "www.elsewhere.", .type = "A"},
};

enum { QUESTIONS = sizeof(questions) / sizeof(questions[0]), KINDS = QUESTIONS + 4, ROUNDS = 2000, REPLY_ROOM = 4096 };

static struct addr sources[2]; // one on the carrier, one that is nowhere

// The question of that kind, or one of those that are none: too short, a response, cut short, of another class.
static size_t make_query(unsigned kind, uint8_t *wire)
{
	size_t len = dig_query(&questions[kind < QUESTIONS ? kind : 1], wire);

	switch (kind) {
	case QUESTIONS: return 11;
	case QUESTIONS + 1: wire[2] |= 0x80; return len;
	case QUESTIONS + 2: return len - 1;
	case QUESTIONS + 3: wire[DNS_HEADER_LEN + 18 + 3] = 3; return len;
	}
	return len;
}

static uint32_t draw(uint32_t below)
{
	static uint32_t state = 7;

	state = state * 1664525 + 1013904223;
	return (state >> 8) % below;
}

static void snapshot(uint64_t *handouts)
{
	for (uint32_t i = 0; i < dig.view->target_count; i++)
		handouts[i] = dig_handouts(i);
}

static void check_batch(unsigned count, struct counters *alone, struct counters *together)
{
	static uint8_t queries[ANSWER_BATCH][REPLY_ROOM], replies[ANSWER_BATCH][REPLY_ROOM];
	struct answer_message messages[ANSWER_BATCH];
	size_t lens[ANSWER_BATCH];
	uint64_t before[16], between[16], after[16];

	assert_true(dig.view->target_count <= 16);
	snapshot(before);
	for (unsigned i = 0; i < count; i++) {
		size_t len = make_query(draw(KINDS), queries[i]);
		struct answer_client client = {.addr = sources[draw(2)], .counters = alone};

		lens[i] = answer_query(dig.live, &client, queries[i], len, replies[i]);
		client.counters = together;
		messages[i] = (struct answer_message){client, queries[i], len, queries[i]};
	}
	snapshot(between);
	answer_batch(dig.live, messages, count);
	snapshot(after);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(messages[i].len, lens[i]);
		assert_memory_equal(messages[i].reply, replies[i], lens[i]);
	}
	for (uint32_t i = 0; i < dig.view->target_count; i++)
		assert_int_equal(after[i] - between[i], between[i] - before[i]);
}

static void test_batches(void **state)
{
	(void)state;
	static struct counters alone, together;

	sources[0] = dig_source;
	sources[1] = (struct addr){.family = ADDR_V4, .bytes = {203, 0, 113, 9}};
	for (unsigned round = 0; round < ROUNDS; round++)
		check_batch(round % (ANSWER_BATCH + 1), &alone, &together);
	assert_memory_equal(&alone, &together, sizeof(alone));
	// All that may become of a message was in it.
	assert_true(counter_read(&alone.ignored) && counter_read(&alone.steered) && counter_read(&alone.last_resort));
	assert_true(counter_read(&alone.noerror) && counter_read(&alone.nxdomain) && counter_read(&alone.formerr));
	assert_true(counter_read(&alone.refused) && counter_read(&alone.servfail) && counter_read(&alone.queries_ecs));
}

// One app leads to another, whose sites are others: the client is located again, in that one's table.
static void test_chain(void **state)
{
	struct question question = {.name = "alias.edge.example.", .type = "A"};
	ldns_pkt *pkt = dig_ask(&question);
	char text[256];

	(void)state;
	dig_describe(ldns_pkt_answer(pkt), text, sizeof(text));
	assert_string_equal(text, "alias.edge.example. CNAME deep.edge.example. | deep.edge.example. A 192.0.2.40");
	ldns_pkt_free(pkt);
}

// An ignored client subnet: the answer is the sender's, and its scope the subnet's own leaf, though a hash decides and
// the sender's leaf is a longer one.
static void test_ignored(void **state)
{
	const struct question plain = {.name = "shared.edge.example.", .type = "A"};
	const struct question with_ecs = {.name = "shared.edge.example.", .type = "A", .ecs = "10.20.200.0/24"};
	ldns_pkt *asked = dig_ask(&plain), *ignored = dig_ask(&with_ecs);
	char text[256], expected[256];

	(void)state;
	dig_describe(ldns_pkt_answer(asked), expected, sizeof(expected));
	dig_describe(ldns_pkt_answer(ignored), text, sizeof(text));
	assert_string_equal(text, expected);
	assert_int_equal(dig_scope(ignored), 17); // 10.20.3.0/24 is in the other half of the block
	ldns_pkt_free(asked);
	ldns_pkt_free(ignored);
}

static int set_up(void **state)
{
	(void)state;
	dig_begin(config_text, zone_text, clients_text);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	dig_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_ignored),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
