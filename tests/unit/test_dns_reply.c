// The query of the DNS probe, and what replies say: every type's text, what is no reply, and every octet less of one.
#include "health/dns_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/attr.h"
#include "base/err.h"
#include "wire/dns.h"
#include "wire/put.h"

#define ID 0x1234

static struct dns_reply_question question_of(uint16_t type)
{
	return (struct dns_reply_question){.name = {"\3app\1x", 7}, .type = type, .id = ID};
}

// A reply with one record, whose owner is a pointer, after one of another type. Returns its length.
static size_t reply(uint8_t *buf, uint16_t flags, uint16_t type, const void *rdata, size_t len)
{
	const struct dns_reply_question question = question_of(type);
	uint8_t *at = buf + dns_reply_query(&question, buf);

	put16(buf + 2, DNS_QR | flags);
	put16(buf + 6, 2);
	at = put_record_start(at, DNS_RESINFO, 60, 3);
	memcpy(at, "\2ab", 3);
	at = put_record_start(at + 3, type, 60, len);
	memcpy(at, rdata, len);
	return (size_t)(at + len - buf);
}

static void query(void **state)
{
	static const uint8_t wanted[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\3app\1x\0\0\x1c\0\1";
	const struct dns_reply_question question = question_of(DNS_AAAA);
	uint8_t buf[DNS_REPLY_QUERY_MAX];

	(void)state;
	assert_int_equal(dns_reply_query(&question, buf), sizeof(wanted) - 1);
	assert_memory_equal(buf, wanted, sizeof(wanted) - 1);
}

static void texts(void **state)
{
	static const struct {
		uint16_t type;
		const char *rdata;
		size_t len;
		const char *text; // NULL: malformed
	} rows[] = {
		{DNS_A, "\xc0\0\2\1", 4, "192.0.2.1"},
		{DNS_A, "\xc0\0\2", 3, NULL},
		{DNS_AAAA, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16, "2001:db8::1"},
		{DNS_AAAA, "\xc0\0\2\1", 4, NULL},
		{DNS_NS, "\3NS1\xc0\x0c", 6, "ns1.app.x"},
		{DNS_CNAME, "\1a\0", 3, "a"},
		{DNS_PTR, "\0", 1, "."},
		{DNS_PTR, "\1a", 2, NULL},
		{DNS_PTR, "\1a\0x", 4, NULL},
		{DNS_NS, "\xc0\xff", 2, NULL},
		{DNS_MX, "\0\x0a\4mail\xc0\x0c", 9, "10 mail.app.x"},
		{DNS_MX, "\0", 1, NULL},
		{DNS_SRV, "\0\0\0\5\x13\xc4\3sip\1x\0", 13, "0 5 5060 sip.x"},
		{DNS_SRV, "\0\0\0\5\x13\xc4\3sip\1x\0", 12, NULL},
		{DNS_TXT, "\2ab\3 cd", 7, "ab cd"},
		{DNS_TXT, "\0", 1, ""},
		{DNS_TXT, "", 0, NULL},
		{DNS_TXT, "\5ab", 3, NULL},
	};
	uint8_t buf[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct dns_reply_question question = question_of(rows[i].type);
		size_t len = reply(buf, 0, rows[i].type, rows[i].rdata, rows[i].len);
		unsigned count = 0;

		assert_true(dns_reply_is_to(buf, len, &question));
		int result = dns_reply_find(buf, len, &question, rows[i].text, &count);

		if (result != (rows[i].text ? E_OK : E_INVAL))
			fail_msg("row %zu: %d", i, result);
		if (!rows[i].text)
			continue;
		assert_int_equal(count, 1);
		assert_int_equal(dns_reply_find(buf, len, &question, "something else", &count), E_NOTFOUND);
		assert_int_equal(dns_reply_find(buf, len, &question, NULL, &count), E_OK);
		for (size_t less = 0; less < len; less++)
			if (dns_reply_is_to(buf, less, &question))
				assert_int_equal(dns_reply_find(buf, less, &question, rows[i].text, &count), E_INVAL);
	}
}

// Whose records count: those of the name asked, and of where its CNAMEs lead.
static void whose_records(void **state)
{
	struct answer {
		uint16_t type;
		const char *owner, *rdata; // names end with their zero
		size_t rdata_len;
	};
	static const struct {
		struct answer answers[3];
		unsigned count;
		int result;
	} rows[] = {
		{{{DNS_A, "\3app\1x", "\xc0\0\2\1", 4}}, 1, E_OK},
		{{{DNS_A, "\3APP\1X", "\xc0\0\2\1", 4}}, 1, E_OK},
		{{{DNS_A, "\3bad\1x", "\xc0\0\2\1", 4}}, 0, E_NOTFOUND},
		{{{DNS_A, "\3bad\1x", "\xc0\0\2\1", 4}, {DNS_A, "\3app\1x", "\xc0\0\2\2", 4}}, 1, E_NOTFOUND},
		{{{DNS_A, "\3app\1x", "\xc0\0\2\2", 4}, {DNS_A, "\3app\1x", "\xc0\0\2\1", 4}}, 2, E_OK},
		{{{DNS_CNAME, "\3app\1x", "\1y", 3}, {DNS_A, "\1y", "\xc0\0\2\1", 4}}, 1, E_OK},
		{{{DNS_CNAME, "\3app\1x", "\1y", 3}, {DNS_CNAME, "\1y", "\1z", 3}, {DNS_A, "\1z", "\xc0\0\2\1", 4}}, 1, E_OK},
		{{{DNS_CNAME, "\3app\1x", "\1y", 3}, {DNS_A, "\3app\1x", "\xc0\0\2\1", 4}}, 0, E_NOTFOUND},
		{{{DNS_A, "\1y", "\xc0\0\2\1", 4}, {DNS_CNAME, "\3app\1x", "\1y", 3}}, 0, E_NOTFOUND}, // as for a stub resolver
		{{{DNS_CNAME, "\1q", "\1y", 3}, {DNS_A, "\1y", "\xc0\0\2\1", 4}}, 0, E_NOTFOUND},
		{{{DNS_CNAME, "\3app\1x", "\1y\0x", 4}, {DNS_A, "\1y", "\xc0\0\2\1", 4}}, 0, E_INVAL},
	};
	const struct dns_reply_question question = question_of(DNS_A);
	uint8_t buf[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t *at = buf + dns_reply_query(&question, buf);
		unsigned count = 0, answers = 0;

		for (; answers < 3 && rows[i].answers[answers].type; answers++) {
			const struct answer *answer = &rows[i].answers[answers];
			size_t len = strlen(answer->owner) + 1;

			memcpy(at, answer->owner, len);
			at = put16(put16(at + len, answer->type), DNS_CLASS_IN);
			at = put16(put16(put16(at, 0), 60), (unsigned)answer->rdata_len);
			memcpy(at, answer->rdata, answer->rdata_len);
			at += answer->rdata_len;
		}
		put16(buf + 2, DNS_QR);
		put16(buf + 6, answers);
		assert_true(dns_reply_is_to(buf, (size_t)(at - buf), &question));
		int result = dns_reply_find(buf, (size_t)(at - buf), &question, "192.0.2.1", &count);

		if (result != rows[i].result || count != rows[i].count)
			fail_msg("row %zu: %d, %u answers", i, result, count);
	}
}

static void what_is_a_reply(void **state)
{
	const struct dns_reply_question question = question_of(DNS_A);
	struct dns_reply_question other;
	uint8_t buf[512];
	size_t len = reply(buf, DNS_TC, DNS_A, "\xc0\0\2\1", 4);

	(void)state;
	assert_true(dns_reply_is_to(buf, len, &question));
	assert_true(dns_reply_is_truncated(buf));
	assert_int_equal(dns_reply_rcode(buf), DNS_NOERROR);
	memcpy(buf + 13, "aPP", 3); // case is ignored
	assert_true(dns_reply_is_to(buf, len, &question));
	other = question;
	other.id++;
	assert_false(dns_reply_is_to(buf, len, &other));
	other = question;
	other.type = DNS_AAAA;
	assert_false(dns_reply_is_to(buf, len, &other));
	other = question;
	other.name.wire[1] = 'b';
	assert_false(dns_reply_is_to(buf, len, &other));
	buf[2] |= 0x08; // another opcode
	assert_false(dns_reply_is_to(buf, len, &question));
	buf[2] = 0; // a query
	assert_false(dns_reply_is_to(buf, len, &question));
	// Without a question: only an error says nothing else.
	memset(buf, 0, DNS_HEADER_LEN);
	put16(put16(buf, ID), DNS_QR | DNS_REFUSED);
	assert_true(dns_reply_is_to(buf, DNS_HEADER_LEN, &question));
	for (unsigned rcode = 0; rcode < 16; rcode++) {
		put16(buf + 2, DNS_QR | rcode);
		assert_int_equal(dns_reply_is_to(buf, DNS_HEADER_LEN, &question), rcode != DNS_NOERROR && rcode != DNS_NXDOMAIN);
		assert_int_equal(dns_reply_rcode(buf), rcode);
	}
	assert_false(dns_reply_is_to(buf, DNS_HEADER_LEN - 1, &question));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(query),
		cmocka_unit_test(texts),
		cmocka_unit_test(whose_records),
		cmocka_unit_test(what_is_a_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
