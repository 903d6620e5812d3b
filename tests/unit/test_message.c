// Replies as the check of delegations reads them. Oracle: ldns, which makes them.
#include "online/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ldns/ldns.h>

#include "base/err.h"
#include "wire/dns.h"
#include "wire/query.h"

enum { ID = 0x1234, HEADER_FLAGS = 2, HEADER_QDCOUNT = 5 };

static struct question question_of(const char *text, uint16_t type, bool recursive)
{
	struct question question = {.type = type, .recursive = recursive};

	assert_int_equal(name_from_text(text, question.name.wire, &question.name.len), E_OK);
	return question;
}

static void push(ldns_pkt *packet, ldns_pkt_section section, const char *text)
{
	ldns_rr *rr;

	assert_int_equal(ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL), LDNS_STATUS_OK);
	assert_true(ldns_pkt_push_rr(packet, section, rr));
}

// A referral, with much that does not belong there.
static uint8_t *make_referral(size_t *ret_len)
{
	ldns_pkt *packet = ldns_pkt_query_new(ldns_dname_new_frm_str("Edge.Test"), LDNS_RR_TYPE_NS, LDNS_RR_CLASS_IN, LDNS_QR);
	uint8_t *wire;

	assert_non_null(packet);
	ldns_pkt_set_id(packet, ID);
	push(packet, LDNS_SECTION_ANSWER, "edge.test. 5 IN SOA ns.edge.test. host.edge.test. 4000000000 1 2 3 4");
	push(packet, LDNS_SECTION_ANSWER, "edge.test. 5 IN TXT \"not wanted\"");
	push(packet, LDNS_SECTION_AUTHORITY, "EDGE.test. 300 IN NS NS1.edge.TEST.");
	push(packet, LDNS_SECTION_AUTHORITY, "other.test. 300 IN NS ns.other.test.");
	push(packet, LDNS_SECTION_AUTHORITY, "edge.test. 301 CH NS ns.chaos.test.");
	push(packet, LDNS_SECTION_AUTHORITY, "edge.test. 60 IN DS 1 8 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
	push(packet, LDNS_SECTION_ADDITIONAL, "ns1.edge.test. 30 IN A 192.0.2.1");
	push(packet, LDNS_SECTION_ADDITIONAL, "ns1.edge.test. 31 IN AAAA 2001:db8::1");
	assert_int_equal(ldns_pkt2wire(&wire, packet, ret_len), LDNS_STATUS_OK);
	ldns_pkt_free(packet);
	return wire;
}

static void test_query(void **state)
{
	uint8_t wire[MESSAGE_QUERY_MAX];
	struct question question = question_of("edge.test", DNS_SOA, true);
	struct query query;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		question.recursive = i == 0;

		size_t len = message_query(&question, ID, wire);

		assert_int_equal(query_read(wire, len, &query), QUERY_OK);
		assert_int_equal(query.flags, i == 0 ? DNS_RD : 0);
		assert_true(query.edns && query.udp_size == 1232 && query.type == DNS_SOA);
		assert_memory_equal(query.name.wire, question.name.wire, question.name.len);
	}
}

static void test_referral(void **state)
{
	const struct question question = question_of("edge.test", DNS_NS, false);
	const struct wire_name server = question_of("ns1.edge.test", DNS_A, false).name;
	struct message message;
	const struct message_record *record;
	size_t len, at = 0;
	uint8_t *wire = make_referral(&len);

	(void)state;
	assert_int_equal(message_read(wire, len, &message), E_OK);
	assert_int_equal(message.count, 6);
	assert_true(!message.authoritative && !message.truncated && message.rcode == DNS_NOERROR);
	record = message_next(&message, MESSAGE_AUTHORITY, DNS_NS, &question.name, &at);
	assert_non_null(record);
	assert_true(message_same_name(&record->name, &server) && record->ttl_s == 300);
	assert_null(message_next(&message, MESSAGE_AUTHORITY, DNS_NS, &question.name, &at));
	at = 0;
	assert_int_equal(message_next(&message, MESSAGE_ANSWER, DNS_SOA, NULL, &at)->serial, 4000000000);
	at = 0;
	assert_non_null(message_next(&message, MESSAGE_AUTHORITY, DNS_DS, &question.name, &at));
	at = 0;
	record = message_next(&message, MESSAGE_ADDITIONAL, DNS_AAAA, &server, &at);
	assert_non_null(record);
	assert_true(record->addr.family == ADDR_V6 && record->addr.bytes[15] == 1 && record->ttl_s == 31);
	at = 0;
	assert_null(message_next(&message, MESSAGE_ANSWER, DNS_A, NULL, &at));
	message_done(&message);
	message_done(&message);
	free(wire);
}

static void test_is_reply(void **state)
{
	const struct question question = question_of("edge.test", DNS_NS, false), other = question_of("edge.tess", DNS_NS, false),
	                      soa = question_of("edge.test", DNS_SOA, false);
	size_t len;
	uint8_t *wire = make_referral(&len);

	(void)state;
	assert_true(message_is_reply(wire, len, &question, ID)); // in another case
	assert_false(message_is_reply(wire, len, &question, ID + 1));
	assert_false(message_is_reply(wire, len, &other, ID));
	assert_false(message_is_reply(wire, len, &soa, ID));
	for (size_t cut = 0; cut < DNS_HEADER_LEN + question.name.len + 4; cut++)
		assert_false(message_is_reply(wire, cut, &question, ID));
	wire[HEADER_QDCOUNT] = 0;
	assert_false(message_is_reply(wire, len, &question, ID));
	wire[HEADER_FLAGS + 1] |= DNS_REFUSED;
	assert_true(message_is_reply(wire, len, &question, ID)); // refused, without the question
	wire[HEADER_FLAGS] &= 0x7f;
	assert_false(message_is_reply(wire, len, &question, ID));
	free(wire);
}

// Every truncation, every octet changed, and more records than are kept.
static void test_hostile(void **state)
{
	struct message message = {0};
	size_t len, read = 0;
	uint8_t *wire = make_referral(&len);

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *piece = malloc(cut + 1); // so that AddressSanitizer guards its end

		assert_non_null(piece);
		memcpy(piece, wire, cut);
		piece = realloc(piece, cut ? cut : 1);
		if (message_read(piece, cut, &message) == E_OK)
			message_done(&message);
		free(piece);
	}
	for (size_t i = 0; i < 256 * len; i++) {
		const uint8_t was = wire[i / 256];

		wire[i / 256] = (uint8_t)i;
		if (message_read(wire, len, &message) == E_OK) {
			assert_true(message.count <= MESSAGE_RECORDS_MAX);
			message_done(&message);
			read++;
		}
		wire[i / 256] = was;
	}
	assert_true(read > 256);
	free(wire);
}

static void test_many_records(void **state)
{
	enum { RECORDS = 4000, RECORD_LEN = 15 };
	static const uint8_t header[DNS_HEADER_LEN] = {ID >> 8, ID & 0xff, 0x84, 0, 0, 0, RECORDS >> 8, RECORDS & 0xff},
	                     record[RECORD_LEN] = {0, 0, DNS_A, 0, DNS_CLASS_IN, 0, 0, 0, 1, 0, 4, 192, 0, 2, 1};
	const size_t len = sizeof(header) + (size_t)RECORDS * RECORD_LEN;
	uint8_t *wire = malloc(len);
	struct message message;

	(void)state;
	assert_non_null(wire);
	memcpy(wire, header, sizeof(header));
	for (size_t i = 0; i < RECORDS; i++)
		memcpy(wire + sizeof(header) + i * RECORD_LEN, record, RECORD_LEN);
	assert_int_equal(message_read(wire, len, &message), E_OK);
	assert_int_equal(message.count, MESSAGE_RECORDS_MAX);
	assert_true(message.authoritative);
	message_done(&message);
	free(wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_query),   cmocka_unit_test(test_referral),     cmocka_unit_test(test_is_reply),
		cmocka_unit_test(test_hostile), cmocka_unit_test(test_many_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
