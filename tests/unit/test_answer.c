// answer_query() end to end on a compiled view, its replies read by ldns: static names, negative answers, referrals,
// chains, wildcards, steering, EDNS, client subnets, truncation. Each row is a question and all that matters of the
// reply.
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

static const char zone_text[] =
	"$ORIGIN edge.example.\n"
	"$TTL 300\n"
	"@ SOA ns1 hostmaster 7 7200 3600 1209600 60\n"
	"@ NS ns1\n"
	"@ NS ns2.elsewhere.\n"
	"ns1 A 192.0.2.1\n"
	"www A 192.0.2.80\n"
	"www A 192.0.2.81\n"
	"www TXT \"static\"\n"
	"app TXT \"beside an app\"\n"
	"alias CNAME www\n"
	"to-app CNAME app\n"
	"to-mixed CNAME mixed\n"
	"to-closed CNAME closed\n"
	"to-nowhere CNAME missing\n"
	"away CNAME host.elsewhere.\n"
	"loop1 CNAME loop2\n"
	"loop2 CNAME loop1\n"
	"*.round CNAME x.round\n"
	"chain1 CNAME chain2\n"
	"chain2 CNAME chain3\n"
	"chain3 CNAME chain4\n"
	"chain4 CNAME chain5\n"
	"chain5 CNAME chain6\n"
	"chain6 CNAME chain7\n"
	"chain7 CNAME chain8\n"
	"chain8 CNAME chain9\n"
	"chain9 CNAME chain10\n"
	"chain10 CNAME chain11\n"
	"chain11 A 192.0.2.83\n"
	"deep.below.ent A 192.0.2.82\n"
	"*.wild A 192.0.2.90\n"
	"*.wild TXT \"wild\"\n"
	"real.wild A 192.0.2.91\n"
	"sub NS ns.sub\n"
	"sub NS ns.other.sub2\n"
	"sub DS 1 8 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
	"@ DS 1 8 2 22222233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
	"signed NS ns1\n"
	"signed DS 7 8 2 11112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
	"ns.sub A 192.0.2.53\n"
	"ns.sub AAAA 2001:db8::53\n"
	"sib NS ns1\n"
	"big TXT \"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\"\n"
	"big TXT \"1123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\"\n"
	"big TXT \"2123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\"\n"
	"big TXT \"3123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\"\n"
	"big TXT \"4123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\"\n";

static const char config_text[] =
	"server: {nsid: ns-test, tcp-idle: 7s}\n"
	"domains:\n"
	"  edge.example: {file: zone}\n"
	"  inner.edge.example: {ns: [ns1.edge.example]}\n"
	"  signed.edge.example: {ns: [ns1.edge.example]}\n"
	"  inner.sub.edge.example: {ns: [ns1.edge.example]}\n"
	"locate: [{plugin: ranges, file: clients}]\n"
	"sites:\n"
	"  bos: {kind: wavelength, reach: [verizon], location: [42.36, -71.06]}\n"
	"  region: {kind: region, location: [39.04, -77.49]}\n"
	"apps:\n"
	"  app.edge.example:\n"
	"    ttl: 30s\n"
	"    targets: {bos: {addresses: [155.146.1.10]}, region: {addresses: [203.0.113.10, '2001:db8::10']}}\n"
	"  '*.apps.edge.example':\n"
	"    targets: {bos: {cname: bos.elsewhere}, region: {cname: www.edge.example}}\n"
	"  closed.edge.example:\n"
	"    targets: {bos: {addresses: [155.146.1.11]}}\n"
	"  sorry.edge.example:\n"
	"    ttl: 2m\n"
	"    last-resort: [192.0.2.200]\n"
	"    targets: {bos: {addresses: [155.146.1.12]}}\n"
	"  '*.spin.edge.example':\n"
	"    targets: {bos: {cname: y.spin.edge.example}, region: {cname: y.spin.edge.example}}\n"
	"  Mixed.edge.example:\n"
	"    ttl: 20s\n"
	"    targets: {bos: {cname: bos.elsewhere}, region: {addresses: ['2001:db8::11']}}\n";

static const char clients_text[] = "prefix,carrier,latitude,longitude,class\n"
                                   "10.10.0.0/16,verizon,42.3,-71.0,\n"
                                   "2001:db8:10::/48,verizon,42.3,-71.0,\n";

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

struct row {
	struct question question;
	int rcode;
	bool aa;
	int scope; // -1: no client subnet in the reply
	const char *answer, *authority, *additional;
};

static void check(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		ldns_pkt *pkt = dig_ask(&row->question);
		char text[2048];

		print_message("   %s %s %s\n", row->question.name, row->question.type, row->question.ecs ? row->question.ecs : "");
		assert_int_equal(ldns_pkt_get_rcode(pkt), row->rcode);
		assert_int_equal(ldns_pkt_aa(pkt), row->aa);
		assert_false(ldns_pkt_tc(pkt));
		dig_describe(ldns_pkt_answer(pkt), text, sizeof(text));
		assert_string_equal(text, row->answer);
		dig_describe(ldns_pkt_authority(pkt), text, sizeof(text));
		assert_string_equal(text, row->authority);
		dig_describe(ldns_pkt_additional(pkt), text, sizeof(text));
		assert_string_equal(text, row->additional);
		assert_int_equal(dig_scope(pkt), row->scope);
		ldns_pkt_free(pkt);
	}
}

#define SOA "edge.example. SOA ns1.edge.example."
#define ROWS(rows) rows, sizeof(rows) / sizeof((rows)[0])

// ---- tests ---------------------------------------------------------------------------------------------------------

static void test_static(void **state)
{
	static const struct row rows[] = {
		{{"www.edge.example", "A"}, 0, true, -1,
		 "www.edge.example. A 192.0.2.80 | www.edge.example. A 192.0.2.81", "", ""},
		{{"WwW.eDgE.eXaMpLe", "TXT"}, 0, true, -1, "WwW.eDgE.eXaMpLe. TXT \"static\"", "", ""},
		{{"www.edge.example", "AAAA"}, 0, true, -1, "", SOA, ""},
		{{"www.edge.example", "A", "10.10.1.0/24"}, 0, true, 0,
		 "www.edge.example. A 192.0.2.80 | www.edge.example. A 192.0.2.81", "", ""},
		{{"edge.example", "SOA"}, 0, true, -1, SOA, "", ""},
		{{"edge.example", "NS"}, 0, true, -1,
		 "edge.example. NS ns1.edge.example. | edge.example. NS ns2.elsewhere.", "", ""},
		{{"nope.edge.example", "A"}, 3, true, -1, "", SOA, ""},
		{{"a.b.c.nope.edge.example", "A", "10.10.1.0/24"}, 3, true, 0, "", SOA, ""},
		{{"below.www.edge.example", "A"}, 3, true, -1, "", SOA, ""},
		{{"ent.edge.example", "A"}, 0, true, -1, "", SOA, ""},
		{{"below.ent.edge.example", "ANY"}, 0, true, -1, "", SOA, ""},
		{{"www.edge.example", "ANY"}, 0, true, -1, "www.edge.example. HINFO \"RFC8482\"", "", ""},
		{{"elsewhere", "A"}, 5, false, -1, "", "", ""},
		{{"example", "A", "10.10.1.0/24"}, 5, false, 0, "", "", ""},
		{{".", "NS"}, 5, false, -1, "", "", ""},
	};

	(void)state;
	check(ROWS(rows));
}

static void test_wildcards(void **state)
{
	static const struct row rows[] = {
		{{"x.wild.edge.example", "A"}, 0, true, -1, "x.wild.edge.example. A 192.0.2.90", "", ""},
		{{"x.y.wild.edge.example", "TXT"}, 0, true, -1, "x.y.wild.edge.example. TXT \"wild\"", "", ""},
		{{"x.wild.edge.example", "AAAA"}, 0, true, -1, "", SOA, ""},
		{{"real.wild.edge.example", "A"}, 0, true, -1, "real.wild.edge.example. A 192.0.2.91", "", ""},
		{{"real.wild.edge.example", "TXT"}, 0, true, -1, "", SOA, ""}, // RFC 4592 section 2.2.1
		{{"x.real.wild.edge.example", "A"}, 3, true, -1, "", SOA, ""},
		{{"wild.edge.example", "A"}, 0, true, -1, "", SOA, ""},
		{{"*.wild.edge.example", "A"}, 0, true, -1, "*.wild.edge.example. A 192.0.2.90", "", ""},
	};

	(void)state;
	check(ROWS(rows));
}

static void test_delegation(void **state)
{
#define GLUE "ns.sub.edge.example. A 192.0.2.53 | ns.sub.edge.example. AAAA 2001:db8::53"
#define CUT "sub.edge.example. NS ns.sub.edge.example. | sub.edge.example. NS ns.other.sub2.edge.example."
	static const struct row rows[] = {
		{{"sub.edge.example", "A"}, 0, false, -1, "", CUT, GLUE},
		{{"sub.edge.example", "NS"}, 0, false, -1, "", CUT, GLUE},
		{{"a.b.sub.edge.example", "A", "10.10.1.0/24"}, 0, false, 0, "", CUT, GLUE},
		{{"ns.sub.edge.example", "A"}, 0, false, -1, "", CUT, GLUE},
		{{"sub.edge.example", "DS"}, 0, true, -1, "sub.edge.example. DS 1", "", ""},
		{{"a.sub.edge.example", "DS"}, 0, false, -1, "", CUT, GLUE},
		// A server whose address is the zone's own data (RFC 1034 section 4.3.2 step 3b: whatever is available).
		{{"x.sib.edge.example", "A"}, 0, false, -1, "", "sib.edge.example. NS ns1.edge.example.",
		 "ns1.edge.example. A 192.0.2.1"},
		// Zones within ours: DS is asked of the zone above, all else of the zone.
		{{"inner.edge.example", "DS"}, 0, true, -1, "", SOA, ""},
		{{"inner.edge.example", "MX"}, 0, true, -1, "", "inner.edge.example. SOA ns1.edge.example.", ""},
		{{"x.inner.edge.example", "DS"}, 3, true, -1, "", "inner.edge.example. SOA ns1.edge.example.", ""},
		{{"inner.sub.edge.example", "DS"}, 0, false, -1, "", CUT, GLUE},
		{{"inner.sub.edge.example", "NS"}, 0, true, -1, "inner.sub.edge.example. NS ns1.edge.example.", "", ""},
		{{"signed.edge.example", "DS"}, 0, true, -1, "signed.edge.example. DS 7", "", ""},
		{{"signed.edge.example", "TXT"}, 0, true, -1, "", "signed.edge.example. SOA ns1.edge.example.", ""},
		// The zone above is elsewhere: what the file says at its own apex is not for us to say.
		{{"edge.example", "DS"}, 0, true, -1, "", SOA, ""},
	};

	(void)state;
	check(ROWS(rows));
}

static void test_chains(void **state)
{
	static const struct row rows[] = {
		{{"alias.edge.example", "A"}, 0, true, -1,
		 "alias.edge.example. CNAME www.edge.example. | www.edge.example. A 192.0.2.80 | www.edge.example. A 192.0.2.81", "",
		 ""},
		{{"alias.edge.example", "CNAME"}, 0, true, -1, "alias.edge.example. CNAME www.edge.example.", "", ""},
		{{"alias.edge.example", "AAAA"}, 0, true, -1, "alias.edge.example. CNAME www.edge.example.", SOA, ""},
		{{"to-nowhere.edge.example", "A"}, 3, true, -1, "to-nowhere.edge.example. CNAME missing.edge.example.", SOA, ""},
		{{"away.edge.example", "A"}, 0, true, -1, "away.edge.example. CNAME host.elsewhere.", "", ""},
		// CNAMEs to an app are the same for all clients, so with a client subnet the chain stops before the app.
		{{"to-app.edge.example", "A"}, 0, true, -1,
		 "to-app.edge.example. CNAME app.edge.example. | app.edge.example. A 203.0.113.10", "", ""},
		{{"to-app.edge.example", "AAAA"}, 0, true, -1,
		 "to-app.edge.example. CNAME app.edge.example. | app.edge.example. AAAA 2001:db8::10", "", ""},
		{{"to-app.edge.example", "A", "10.10.1.0/24"}, 0, true, 0, "to-app.edge.example. CNAME app.edge.example.", "", ""},
		{{"to-app.edge.example", "AAAA", "10.10.1.0/24"}, 0, true, 0, "to-app.edge.example. CNAME app.edge.example.", "",
		 ""},
		{{"to-closed.edge.example", "A"}, 2, false, -1, "", "", ""},
		// Loops stop where they close; no record is sent twice.
		{{"loop1.edge.example", "A"}, 0, true, -1,
		 "loop1.edge.example. CNAME loop2.edge.example. | loop2.edge.example. CNAME loop1.edge.example.", "", ""},
		{{"x.round.edge.example", "A"}, 0, true, -1, "x.round.edge.example. CNAME x.round.edge.example.", "", ""},
		{{"y.round.edge.example", "A"}, 0, true, -1, "y.round.edge.example. CNAME x.round.edge.example.", "", ""},
		{{"x.spin.edge.example", "A", "10.10.1.0/24"}, 0, true, 16, "x.spin.edge.example. CNAME y.spin.edge.example.", "",
		 ""},
	};
	struct question longest = {"chain1.edge.example", "A"};
	ldns_pkt *pkt;

	(void)state;
	check(ROWS(rows));
	pkt = dig_ask(&longest); // the rest is for the resolver to ask
	assert_int_equal(ldns_pkt_get_rcode(pkt), 0);
	assert_int_equal(ldns_pkt_ancount(pkt), 9);
	ldns_pkt_free(pkt);
}

static void test_steered(void **state)
{
	static const struct row rows[] = {
		{{"app.edge.example", "A", "10.10.1.0/24"}, 0, true, 16, "app.edge.example. A 155.146.1.10", "", ""},
		// One decision for A and AAAA: Boston has no AAAA, so there is none.
		{{"app.edge.example", "AAAA", "10.10.1.0/24"}, 0, true, 16, "", SOA, ""},
		{{"app.edge.example", "AAAA", "2001:db8:10::/56"}, 0, true, 48, "", SOA, ""},
		{{"app.edge.example", "A", "198.51.100.0/24"}, 0, true, 1, "app.edge.example. A 203.0.113.10", "", ""},
		{{"app.edge.example", "AAAA", "198.51.100.0/24"}, 0, true, 1, "app.edge.example. AAAA 2001:db8::10", "", ""},
		{{"app.edge.example", "A", "0.0.0.0/0"}, 0, true, 0, "app.edge.example. A 203.0.113.10", "", ""},
		{{"app.edge.example", "A"}, 0, true, -1, "app.edge.example. A 203.0.113.10", "", ""},
		{{"app.edge.example", "TXT", "10.10.1.0/24"}, 0, true, 0, "app.edge.example. TXT \"beside an app\"", "", ""},
		{{"app.edge.example", "MX", "10.10.1.0/24"}, 0, true, 0, "", SOA, ""},
		{{"app.edge.example", "ANY", "10.10.1.0/24"}, 0, true, 0, "app.edge.example. HINFO \"RFC8482\"", "", ""},
		// CNAME targets answer every type, and are followed while they stay with us.
		{{"x.apps.edge.example", "A", "10.10.1.0/24"}, 0, true, 16, "x.apps.edge.example. CNAME bos.elsewhere.", "", ""},
		{{"x.apps.edge.example", "TXT", "198.51.100.0/24"}, 0, true, 1,
		 "x.apps.edge.example. CNAME www.edge.example. | www.edge.example. TXT \"static\"", "", ""},
		{{"apps.edge.example", "A", "10.10.1.0/24"}, 0, true, 0, "", SOA, ""},
		{{"closed.edge.example", "A", "10.10.1.0/24"}, 0, true, 16, "closed.edge.example. A 155.146.1.11", "", ""},
		{{"closed.edge.example", "A", "198.51.100.0/24"}, 2, false, 1, "", "", ""},
		{{"closed.edge.example", "AAAA", "198.51.100.0/24"}, 2, false, 1, "", "", ""},
		{{"sorry.edge.example", "A", "198.51.100.0/24"}, 0, true, 1, "sorry.edge.example. A 192.0.2.200", "", ""},
		{{"sorry.edge.example", "AAAA", "198.51.100.0/24"}, 0, true, 1, "", SOA, ""},
	};
	static const struct row drained[] = {
		{{"app.edge.example", "A", "10.10.1.0/24"}, 0, true, 16, "app.edge.example. A 203.0.113.10", "", ""},
		{{"app.edge.example", "AAAA", "10.10.1.0/24"}, 0, true, 16, "app.edge.example. AAAA 2001:db8::10", "", ""},
	};
	static const struct row without_address[] = {
		{{"app.edge.example", "AAAA", "10.10.1.0/24"}, 0, true, 16, "", SOA, ""},
	};
	uint64_t before;

	(void)state;
	check(ROWS(rows));
	dig.states->octets[0] = TARGET_DRAINED;
	before = dig_handouts(1);
	check(ROWS(drained));
	assert_int_equal(dig_handouts(1), before + 2);
	dig.states->octets[0] = 0;
	before = dig_handouts(0);
	check(without_address, 1); // an answer that holds no target is none of its
	assert_int_equal(dig_handouts(0), before);
}

// Whether it is an app's or not, an absence is kept for the zone's MINIMUM of 60 s; but where steering decided it, no
// longer than the app's TTL of 30 s.
static void test_negative_ttls(void **state)
{
	static const struct {
		struct question question;
		unsigned ttl_s;
	} rows[] = {
		{{"www.edge.example", "AAAA"}, 60},
		{{"nope.edge.example", "AAAA"}, 60},
		{{"app.edge.example", "AAAA", "10.10.1.0/24"}, 30},
		{{"app.edge.example", "MX", "10.10.1.0/24"}, 60}, // no matter which site
		{{"sorry.edge.example", "AAAA", "198.51.100.0/24"}, 60}, // its TTL is above
		{{"mixed.edge.example", "A", "198.51.100.0/24"}, 20},
		{{"mixed.edge.example", "MX", "198.51.100.0/24"}, 20}, // a CNAME for others
		{{"to-mixed.edge.example", "A"}, 20},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ldns_pkt *pkt = dig_ask(&rows[i].question);
		const ldns_rr *soa = ldns_rr_list_rr(ldns_pkt_authority(pkt), 0);

		print_message("   row %zu\n", i);
		assert_int_equal(ldns_pkt_nscount(pkt), 1);
		assert_int_equal(ldns_rr_get_type(soa), LDNS_RR_TYPE_SOA);
		assert_int_equal(ldns_rr_ttl(soa), rows[i].ttl_s);
		ldns_pkt_free(pkt);
	}
}

static void test_truncation(void **state)
{
	// The reply to big.edge.example TXT is 5 x 113 + 34 octets, and 11 with OPT.
	static const struct {
		struct question question;
		bool truncated;
	} rows[] = {
		{{"big.edge.example", "TXT"}, true},
		{{"big.edge.example", "TXT", NULL, 100}, true}, // below 512 counts as 512
		{{"big.edge.example", "TXT", NULL, 609}, true},
		{{"big.edge.example", "TXT", NULL, 610}, false},
		{{"big.edge.example", "TXT", "10.10.1.0/24", 620}, true}, // room is kept for the client subnet
		{{"big.edge.example", "TXT", "10.10.1.0/24", 621}, false},
		{{"big.edge.example", "TXT", NULL, 0, TRANSPORT_TCP}, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ldns_pkt *pkt = dig_ask(&rows[i].question);

		print_message("   row %zu\n", i);
		assert_int_equal(ldns_pkt_tc(pkt), rows[i].truncated);
		assert_int_equal(ldns_pkt_ancount(pkt), rows[i].truncated ? 0 : 5);
		assert_int_equal(dig_scope(pkt), rows[i].question.ecs ? 0 : -1);
		if (rows[i].question.transport == TRANSPORT_UDP)
			assert_true(dig_reply_len <= (rows[i].question.edns_size > 512 ? (size_t)rows[i].question.edns_size : 512));
		ldns_pkt_free(pkt);
	}
}

static void test_options(void **state)
{
	static const uint8_t nsid[] = {0, 3, 0, 0}, keepalive[] = {0, 11, 0, 0}, unknown[] = {0xfd, 0xe9, 0, 2, 1, 2};
	static const struct {
		struct question question;
		unsigned code;
		int len;
	} rows[] = {
		{{"www.edge.example", "A", NULL, 1232, TRANSPORT_UDP, nsid, sizeof(nsid)}, 3, 7},
		{{"www.edge.example", "A", NULL, 1232}, 3, -1}, // only when asked
		{{"www.edge.example", "A", NULL, 1232, TRANSPORT_TCP, keepalive, sizeof(keepalive)}, 11, 2},
		{{"www.edge.example", "A", NULL, 1232, TRANSPORT_UDP, keepalive, sizeof(keepalive)}, 11, -1}, // not over UDP
		{{"www.edge.example", "A", NULL, 1232, TRANSPORT_TCP}, 11, -1},
		{{"www.edge.example", "A", NULL, 1232, TRANSPORT_UDP, unknown, sizeof(unknown)}, 0xfde9, -1},
		{{"elsewhere", "A", NULL, 1232}, 15, 2},                            // EDE 20
		{{"closed.edge.example", "A", "198.51.100.0/24"}, 15, 2 + 47},      // EDE 22 with its text
	};
	static const struct question question = {"app.edge.example", "A", "198.51.100.0/24"};
	static const struct {
		uint8_t state;
		int len;
	} last_resorts[] = {{TARGET_EMPTY, 2 + 44}, {TARGET_EMPTY | TARGET_DOWN, 2 + 44}, {TARGET_DRAINED, 2 + 43},
	                    {TARGET_DRAINED | TARGET_EMPTY, 2 + 43}, {TARGET_DOWN, -1}};

	(void)state;
	for (size_t i = 0; i < sizeof(last_resorts) / sizeof(last_resorts[0]); i++) { // EDE 23 with its text; or fail-open
		memset(dig.states->octets, last_resorts[i].state, dig.view->target_count);
		ldns_pkt *pkt = dig_ask(&question);

		assert_int_equal(dig_option_len(pkt, 15), last_resorts[i].len);
		assert_int_equal(ldns_pkt_get_rcode(pkt), last_resorts[i].len < 0 ? LDNS_RCODE_NOERROR : LDNS_RCODE_SERVFAIL);
		ldns_pkt_free(pkt);
	}
	memset(dig.states->octets, 0, dig.view->target_count);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ldns_pkt *pkt = dig_ask(&rows[i].question);

		print_message("   row %zu\n", i);
		assert_int_equal(dig_option_len(pkt, rows[i].code), rows[i].len);
		ldns_pkt_free(pkt);
	}
}

// Messages that are not questions to be answered, and what becomes of them. -1: silence.
static void test_bad_messages(void **state)
{
	static const uint8_t question[] = "\3www\4edge\7example\0\0\1\0\1"; // with a final zero that does not count
	enum { QUESTION_LEN = sizeof(question) - 1 };
	static const struct {
		uint8_t header[12];
		size_t question_len;
		const char *rest;
		size_t rest_len;
		int rcode;
		bool opt; // in the reply
	} rows[] = {
		{{0x12, 0x67, 0x01, 0, 0, 1}, QUESTION_LEN, "", 0, 0},
		{{0x12, 0x67, 0x81, 0, 0, 1}, QUESTION_LEN, "", 0, -1},          // a response
		{{0x12, 0x67, 0x11, 0, 0, 1}, QUESTION_LEN, "", 0, 4},           // STATUS
		{{0x12, 0x67, 0x29, 0, 0, 1}, QUESTION_LEN, "", 0, 4},           // UPDATE
		{{0x12, 0x67, 0x11, 0, 0, 1, 0, 0, 0, 0, 0, 1}, QUESTION_LEN, "\0\0\x29\4\xd0\0\0\0\0\0\0", 11, 4, true},
		{{0x12, 0x67, 0x31, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 0, "\0\0\x29\4\xd0\0\0\0\0\0\0", 11, 4, true}, // DSO
		{{0x12, 0x67, 0x29, 0, 0, 1, 0, 0, 0, 0, 0, 1}, QUESTION_LEN, "", 0, 4}, // counted, not there
		{{0x12, 0x67, 0x01, 0, 0, 0}, 0, "", 0, 1},                      // no question
		{{0x12, 0x67, 0x01, 0, 0, 2}, QUESTION_LEN, "", 0, 1},           // RFC 9619
		{{0x12, 0x67, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 0, "\0\0\x29\4\xd0\0\0\0\0\0\0", 11, 1, true},
		{{0x12, 0x67, 0x01, 0, 0, 1}, QUESTION_LEN - 1, "", 0, 1},       // cut off
		{{0x12, 0x67, 0x01, 0, 0, 1}, 5, "", 0, 1},
		{{0x12, 0x67, 0x01, 0, 0, 1}, 0, "\xc0\x0c\0\1\0\1", 6, 1},      // a pointer to itself
		{{0x12, 0x67, 0x01, 0, 0, 1}, 0, "\x41x\0\0\1\0\1", 7, 1},       // a label of an unknown kind
		{{0x12, 0x67, 0x01, 0, 0, 1}, QUESTION_LEN, "junk", 4, 0},       // behind what was counted
		{{0x12, 0x67, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 1}, QUESTION_LEN, "\0\0\x29\4\xd0\0\1\0\0\0\0", 11, 16, true}, // BADVERS
		{{0x12, 0x67, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 1}, QUESTION_LEN, "\0\0\x29\4\xd0\0\0\0\0\0\1", 11, 1},
		{{0x12, 0x67, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 1}, QUESTION_LEN, "\1x\0\0\x29\4\xd0\0\0\0\0\0\0", 13, 1},
		{{0x12, 0x67, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 2}, QUESTION_LEN,
		 "\0\0\x29\4\xd0\0\0\0\0\0\0\0\0\x29\4\xd0\0\0\0\0\0\0", 22, 1, true}, // two OPT
		{{0x12, 0x67, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 1}, QUESTION_LEN, "\0\0\xfa\0\xff\0\0\0\0\0\0", 11, 9}, // TSIG
		{{0x12, 0x67, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 1}, QUESTION_LEN, "", 0, 1}, // counted, not there
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t wire[128];
		size_t len = 12;

		print_message("   row %zu\n", i);
		memcpy(wire, rows[i].header, 12);
		memcpy(wire + len, question, rows[i].question_len);
		len += rows[i].question_len;
		memcpy(wire + len, rows[i].rest, rows[i].rest_len);
		len += rows[i].rest_len;

		ldns_pkt *pkt = dig_wire(wire, len, TRANSPORT_UDP);

		int rcode = pkt ? (int)ldns_pkt_get_rcode(pkt) | ldns_pkt_edns_extended_rcode(pkt) << 4 : -1;

		assert_int_equal(rcode, rows[i].rcode);
		if (pkt)
			assert_int_equal(ldns_pkt_edns(pkt), rows[i].opt);
		if (pkt && rows[i].rcode == 16)
			assert_int_equal(ldns_pkt_edns_version(pkt), 0);
		ldns_pkt_free(pkt);
	}
	for (size_t len = 0; len < 12; len++) // shorter than a header
		assert_null(dig_wire((const uint8_t *)"\x12\x67\1\0\0\1\0\0\0\0\0", len, TRANSPORT_UDP));
}

static void test_client_subnets(void **state)
{
	static const struct {
		const char *option;
		size_t len;
		int rcode; // and for 0 the scope
		int scope;
	} rows[] = {
		{"\0\x8\0\x7\0\1\x18\0\x0a\x0a\1", 11, 0, 16},
		{"\0\x8\0\4\0\1\0\0", 8, 0, 0},                          // source 0: the client wants no part in it
		{"\0\x8\0\4\0\2\0\0", 8, 0, 0},
		{"\0\x8\0\4\0\0\0\0", 8, 1, 0},                          // family 0
		{"\0\x8\0\4\0\3\0\0", 8, 1, 0},
		{"\0\x8\0\3\0\1\0", 7, 1, 0},                            // too short to be one
		{"\0\x8\0\0", 4, 1, 0},
		{"\0\x8\0\x6\0\1\x18\0\x0a\x0a", 10, 1, 0},              // an octet short
		{"\0\x8\0\x8\0\1\x18\0\x0a\x0a\1\0", 12, 1, 0},          // one too many
		{"\0\x8\0\x7\0\1\x17\0\x0a\x0a\1", 11, 1, 0},            // a bit past the source length
		{"\0\x8\0\x7\0\1\x18\1\x0a\x0a\1", 11, 1, 0},            // a scope in a query
		{"\0\x8\0\x9\0\1\x21\0\1\2\3\4\0", 13, 1, 0},            // 33 bits of IPv4
		{"\0\x8\0\4\0\1\0\0\0\x8\0\4\0\1\0\0", 16, 1, 0},        // two
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct question question = {"app.edge.example", "A", .options = (const uint8_t *)rows[i].option,
		                            .options_len = rows[i].len};
		ldns_pkt *pkt = dig_ask(&question);

		print_message("   row %zu\n", i);
		assert_int_equal(ldns_pkt_get_rcode(pkt), rows[i].rcode);
		if (rows[i].rcode) {
			assert_int_equal(dig_scope(pkt), -1);
		} else {
			// Echoed octet for octet, but for the scope.
			const uint8_t *echo = ldns_rdf_data(ldns_pkt_edns_data(pkt));

			assert_int_equal(ldns_rdf_size(ldns_pkt_edns_data(pkt)), rows[i].len);
			assert_memory_equal(echo, rows[i].option, 7);
			assert_int_equal(echo[7], rows[i].scope);
			assert_memory_equal(echo + 8, rows[i].option + 8, rows[i].len - 8);
		}
		ldns_pkt_free(pkt);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_static),
		cmocka_unit_test(test_wildcards),
		cmocka_unit_test(test_delegation),
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_steered),
		cmocka_unit_test(test_negative_ttls),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_bad_messages),
		cmocka_unit_test(test_client_subnets),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
