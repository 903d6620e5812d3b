// Replies as resolvers and others send them, octet by octet.
#include "resolve/received.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"

static struct wire_name own_name;
static const struct received_zones own = {&own_name, 1};
static char why[RECEIVED_WHY_LEN];

// Reads a reply to a query for `name` with these records, a line each.
static int read_lines(const char *name, enum addr_family family, const char *lines, struct received *received)
{
	char copy[8192], *rest = copy, *line;
	ldns_pkt *reply = ldns_pkt_query_new(ldns_dname_new_frm_str(name), family == ADDR_V4 ? LDNS_RR_TYPE_A : LDNS_RR_TYPE_AAAA,
	                                     LDNS_RR_CLASS_IN, LDNS_QR);
	uint8_t *wire = NULL;
	size_t len = 0;

	snprintf(copy, sizeof(copy), "%s", lines);
	while ((line = strsep(&rest, "\n"))) {
		ldns_rr *rr = NULL;

		if (!*line)
			continue;
		assert_int_equal(ldns_rr_new_frm_str(&rr, line, 0, NULL, NULL), LDNS_STATUS_OK);
		ldns_pkt_push_rr(reply, LDNS_SECTION_ANSWER, rr);
	}
	assert_int_equal(ldns_pkt2wire(&wire, reply, &len), LDNS_STATUS_OK);

	uint8_t *exact = malloc(len); // so that AddressSanitizer sees a read past its end

	memcpy(exact, wire, len);

	int err = received_read(exact, len, family, &own, received, why);

	// No cut of it is read past its end, and none has more than the whole.
	for (size_t cut = 0; cut < len; cut++) {
		struct received part = {.count = 0};
		uint8_t *start = malloc(cut ? cut : 1);
		char ignored[RECEIVED_WHY_LEN];

		memcpy(start, exact, cut);
		assert_true(received_read(start, cut, family, &own, &part, ignored) < 0);
		assert_int_equal(part.count, 0);
		free(start);
	}
	free(exact);
	LDNS_FREE(wire);
	ldns_pkt_free(reply);
	return err;
}

static void assert_address(const struct received *received, size_t i, const char *text)
{
	char buf[ADDR_TEXT_LEN];

	assert_true(i < received->count);
	assert_string_equal(addr_format(&received->addresses[i], buf), text);
}

static void sorts_and_keeps_the_least_ttl(void **state)
{
	struct received received = {.count = 0};

	(void)state;
	assert_int_equal(read_lines("lb.example.net.", ADDR_V4,
	                            "lb.example.net. 60 IN A 192.0.2.9\nLB.example.NET. 30 IN A 192.0.2.1\n"
	                            "lb.example.net. 60 IN A 192.0.2.9\nother.example.net. 1 IN A 192.0.2.77\n"
	                            "lb.example.net. 7 IN TXT \"x\"", &received), E_OK);
	assert_int_equal(received.count, 2);
	assert_address(&received, 0, "192.0.2.1");
	assert_address(&received, 1, "192.0.2.9");
	assert_int_equal(received.ttl_s, 30);
	assert_int_equal(read_lines("lb.example.net.", ADDR_V6, "lb.example.net. 3000000000 IN AAAA 2001:db8::1", &received), E_OK);
	assert_address(&received, 0, "2001:db8::1");
	assert_int_equal(received.ttl_s, 0); // RFC 2181 section 8
}

static void follows_cnames_in_any_order(void **state)
{
	struct received received = {.count = 0};

	(void)state;
	assert_int_equal(read_lines("lb.example.net.", ADDR_V4,
	                            "c.example.net. 60 IN A 192.0.2.1\nb.example.net. 20 IN CNAME C.example.net.\n"
	                            "lb.example.net. 50 IN CNAME b.example.net.\nlb.example.net. 9 IN A 192.0.2.2",
	                            &received), E_OK);
	assert_int_equal(received.count, 1);
	assert_address(&received, 0, "192.0.2.1");
	assert_int_equal(received.ttl_s, 20);
}

static void finds_nothing(void **state)
{
	struct received received = {.count = 5};

	(void)state;
	assert_int_equal(read_lines("lb.example.net.", ADDR_V4, "", &received), E_NOTFOUND);
	assert_int_equal(read_lines("lb.example.net.", ADDR_V4, "lb.example.net. 60 IN CNAME b.example.net.", &received),
	                 E_NOTFOUND);
	assert_int_equal(read_lines("lb.example.net.", ADDR_V4, "other.example.net. 60 IN A 192.0.2.1", &received), E_NOTFOUND);
	assert_int_equal(read_lines("lb.example.net.", ADDR_V4, "lb.example.net. 60 IN AAAA ::1", &received), E_NOTFOUND);
	assert_int_equal(received.count, 5); // untouched
}

static void refuses_chains(void **state)
{
	struct received received = {.count = 0};
	char lines[1024];
	size_t at = 0;

	(void)state;
	assert_int_equal(read_lines("a.example.net.", ADDR_V4, "a.example.net. 60 IN CNAME b.example.net.\n"
	                            "b.example.net. 60 IN CNAME A.example.net.", &received), E_INVAL);
	assert_non_null(strstr(why, "in a circle through a.example.net"));
	assert_int_equal(read_lines("a.example.net.", ADDR_V4, "a.example.net. 60 IN CNAME x.EDGE.example.com.\n"
	                            "x.edge.example.com. 60 IN A 192.0.2.1", &received), E_INVAL);
	assert_non_null(strstr(why, "leads to x.edge.example.com, in our own zone edge.example.com"));
	for (int count = 8; count <= 9; count++) {
		at = 0;
		for (int i = 0; i < count; i++)
			at += (size_t)snprintf(lines + at, sizeof(lines) - at, "n%d.example.net. 60 IN CNAME n%d.example.net.\n", i, i + 1);
		snprintf(lines + at, sizeof(lines) - at, "n%d.example.net. 60 IN A 192.0.2.1", count);
		assert_int_equal(read_lines("n0.example.net.", ADDR_V4, lines, &received), count == 8 ? E_OK : E_INVAL);
	}
	assert_non_null(strstr(why, "more than 8 CNAMEs"));
}

static void keeps_the_lowest_of_many(void **state)
{
	struct received received = {.count = 0};
	char lines[8192];
	size_t at = 0;

	(void)state;
	for (int i = 99; i >= 0; i--)
		at += (size_t)snprintf(lines + at, sizeof(lines) - at, "m.example.net. 60 IN A 192.0.2.%d\n", i * 7 % 100);
	assert_int_equal(read_lines("m.example.net.", ADDR_V4, lines, &received), E_OK);
	assert_int_equal(received.count, RECEIVED_ADDRESSES_MAX);
	for (size_t i = 0; i < received.count; i++)
		assert_int_equal(received.addresses[i].bytes[3], i);
}

// Names that never end, or end outside of the message.
static void refuses_malformed(void **state)
{
	static const uint8_t header[] = {0, 1, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0};
	static const struct {
		uint8_t octets[40];
		size_t len;
	} rests[] = {
		{{0xc0, 12, 0, 1, 0, 1}, 6},                        // the question's name points to itself
		{{1, 'a', 0xc0, 12, 0, 1, 0, 1}, 8},                // to its beginning
		{{0xc0, 40, 0, 1, 0, 1}, 6},                        // forwards
		{{0x41, 'a', 0, 0, 1, 0, 1}, 7},                    // an unknown kind of label
		{{63, 'a'}, 2},
		{{0, 0, 1, 0, 1, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 1, 2, 3}, 20},    // an A without its last octet
		{{0, 0, 1, 0, 1, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 3, 1, 2, 3}, 20},    // one of three octets
		{{0, 0, 1, 0, 1, 0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 3, 1, 'a', 0xc0}, 20}, // a CNAME that is cut
		{{0, 0, 1, 0, 1, 0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 4, 1, 'a', 0, 0}, 21}, // with an octet too many
	};
	struct received received = {.count = 0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rests); i++) {
		size_t len = sizeof(header) + rests[i].len;
		uint8_t *reply = malloc(len);

		memcpy(reply, header, sizeof(header));
		memcpy(reply + sizeof(header), rests[i].octets, rests[i].len);
		assert_int_equal(received_read(reply, len, ADDR_V4, &own, &received, why), E_INVAL);
		assert_string_equal(why, "the reply is malformed");
		free(reply);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorts_and_keeps_the_least_ttl),
		cmocka_unit_test(follows_cnames_in_any_order),
		cmocka_unit_test(finds_nothing),
		cmocka_unit_test(refuses_chains),
		cmocka_unit_test(keeps_the_lowest_of_many),
		cmocka_unit_test(refuses_malformed),
	};

	must(name_from_text("edge.example.com", own_name.wire, &own_name.len) == E_OK);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
