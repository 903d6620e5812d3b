// RDATA of all types: we make the same of a text as ldns does, octet by octet; where we do not, a row says so and why.
#include "zone/rdata.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "oracle.h"
#include "zone/mnemonic.h"

static void test_samples(void **state)
{
	(void)state;
	for (size_t i = 0; i < oracle_sample_count; i++) {
		const int type = zone_mnemonic_type(oracle_samples[i].type);
		const struct oracle_words words = oracle_words_of(oracle_samples[i].text);

		assert_true(type >= 0);

		const int our_len = oracle_parse((uint16_t)type, &words), their_len = oracle_ldns((uint16_t)type, &words);

		if (our_len < 0 || !oracle_is_same(our_len, their_len))
			oracle_fail(oracle_samples[i].type, &words, our_len, their_len);
	}
}

// ---- where ldns differs ----

// What we make of a text; NULL: we refuse it. ldns refuses it, or takes it, or makes something else of it.
static const struct difference {
	const char *type, *text, *hex;
	const char *reason;
} differences[] = {
	{"NS", "\"a\"", NULL, "quotes are for strings (RFC 1035 section 5.1); ldns makes them part of the name"},
	{"NS", "@.foo.", "014003666f6f00", "only @ alone is the origin (RFC 1035 section 5.1)"},
	{"NS", "\\@", "0140076578616d706c6500", "an escaped @ has no meaning of its own (RFC 1035 section 5.1)"},
	{"MX", "65536 a", NULL, "16 bits (RFC 1035 section 3.3.9); ldns wraps around"},
	{"MX", "-1 a", NULL, "16 bits (RFC 1035 section 3.3.9); ldns wraps around"},
	{"MX", "10 \\#", "000a0123076578616d706c6500", "only first it starts octets (RFC 3597 section 5)"},
	{"TLSA", "256 1 1 00", NULL, "8 bits (RFC 6698 section 2.1.1); ldns wraps around"},
	{"SOA", "a b 4294967296 1 1 1 1", NULL, "32 bits (RFC 1035 section 3.3.13)"},
	{"SOA", "a b 1 1h30 4294967296 1 1", NULL, "32 bits (RFC 1035 section 3.3.13); ldns wraps around"},
	{"SOA", "a b 1 d 1+ -1h 1", NULL, "not numbers (RFC 1035 section 5.1); ldns takes 0, 1 and 1h"},
	{"NSAP", "0x47a", NULL, "an octet has two digits (RFC 1706 section 7); ldns appends a zero"},
	{"DS", "1 5 1 abc", NULL, "an octet has two digits (RFC 4034 section 5.3); ldns appends a zero"},
	{"SSHFP", "1 1 0", NULL, "an octet has two digits (RFC 4255 section 3.2); ldns appends a zero"},
	{"LOC", "1 2 3 N 4 E 0m", "001216138038cef880dbba0000989680", "0 by default (RFC 1876 section 3); ldns keeps the latitude's"},
	{"LOC", "0 N 0 E 10.129m", "00121613800000008000000000989a74", "centimetres (RFC 1876 section 2); ldns rounds up"},
	{"LOC", "42 N 71 W", NULL, "the altitude is not optional (RFC 1876 section 3)"},
	{"LOC", "42N 71W 0", NULL, "directions are tokens of their own (RFC 1876 section 3)"},
	{"LOC", "200 N 4 E 0m", NULL, "0 to 90 degrees (RFC 1876 section 3)"},
	{"LOC", "1 60 N 4 E 0m", NULL, "0 to 59 minutes (RFC 1876 section 3)"},
	{"LOC", "0 N 0 E 0m 0.123m", "00111613800000008000000000989680", "centimetres (RFC 1876 section 3); ldns takes 1.23 m"},
	{"APL", "1:192.0.2.0/33", NULL, "at most 32 bits (RFC 3123 section 4.1)"},
	{"APL", "2:::/256", NULL, "at most 128 bits (RFC 3123 section 4.2); ldns wraps around"},
	{"APL", "1x:192.0.2.0/24", NULL, "the family is a number (RFC 3123 section 5)"},
	{"IPSECKEY", "256 1 2 192.0.2.38 AQNR", NULL, "8 bits (RFC 4025 section 2.1); ldns wraps around"},
	{"IPSECKEY", "10 3 2 gw AQNR", "0a0302026777076578616d706c6500010351", "relative to the origin (RFC 1035 section 5.1)"},
	{"IPSECKEY", "10 1 0 192.0.2.38", "0a0100c0000226", "the key may be missing (RFC 4025 section 3.1)"},
	{"KEY", "49152 3 0", "c0000300", "the key may be missing (RFC 2535 section 3.1.2)"},
	{"RRSIG", "FOO 8 2 300 1 1 1 . AAAA", NULL, "no such type (RFC 4034 section 3.2); ldns takes 0"},
	{"RRSIG", "A 8 2 1 4294967296 1 1 . AAAA", NULL, "32 bits (RFC 4034 section 3.1.5); ldns wraps around"},
	{"RRSIG", "A 8 2 1 20300231000000 1 1 . AAAA", NULL, "no such day (RFC 4034 section 3.2)"},
	{"NSEC", "b FOO", NULL, "no such type (RFC 4034 section 4.2); ldns takes 0"},
	{"CSYNC", "66 3", "000000420003", "the bitmap may be empty (RFC 7477 section 2.1.1.2.1)"},
	{"EUI48", "0-0-5e-0-53-2a", NULL, "six times two digits (RFC 7043 section 3.2)"},
	{"EUI64", "0-0-5e-0-53-2a-0-0", NULL, "eight times two digits (RFC 7043 section 4.2)"},
	{"DHCID", "-", NULL, "not base64 (RFC 4701 section 3.2); ldns takes it for nothing"},
	{"SOA", "a b 1 - 1 1 1", NULL, "not a number (RFC 1035 section 5.1); ldns takes 0"},
	{"NSEC3", "1 0 0 - 00", "01000000000100", "hashes of any length (RFC 5155 section 3.3)"},
	{"NSEC3", "1 0 0 - ipv4hint=1.2.3.4", NULL, "not base32hex (RFC 5155 section 3.3)"},
	{"CERT", "0 1 1 AAAA", "0000000101000000", "a number is not refused (RFC 4398 section 2.2)"},
	{"URI", "1 2 \"\"", NULL, "the target is not empty (RFC 7553 section 4.4)"},
	{"URI", "1 2 abc", "00010002616263", "a string need not be in quotes (RFC 1035 section 5.1)"},
	{"CAA", "0 issue a", "0005697373756561", "a string need not be in quotes (RFC 8659 section 4.1.1)"},
	{"SVCB", "1 . alpn", NULL, "needs a value (RFC 9460 section 7.1.1)"},
	{"SVCB", "1 . port", NULL, "needs a value (RFC 9460 section 7.2)"},
	{"SVCB", "1 . port=70000", NULL, "16 bits (RFC 9460 section 7.2); ldns wraps around"},
	{"SVCB", "1 . ipv4hint", NULL, "needs a value (RFC 9460 section 7.3)"},
	{"SVCB", "1 . no-default-alpn", NULL, "needs alpn (RFC 9460 section 7.1.1)"},
	{"SVCB", "1 . port=53 port=53", NULL, "keys are not repeated (RFC 9460 section 2.1)"},
	{"SVCB", "1 . port=53 port=54", NULL, "keys are not repeated (RFC 9460 section 2.1)"},
	{"SVCB", "1 . alpn=h2\"\"", NULL, "quotes are around a value (RFC 9460 appendix A)"},
	{"SVCB", "1 . key00667=a", NULL, "no leading zeros (RFC 9460 section 2.1)"},
	{"SVCB", "1 . key1=\\002h2", "00010000010003026832", "the value of keyNNNNN is octets (RFC 9460 section 2.1)"},
	{"SVCB", "1 . alpn=\"f\\\\\\\\oo\\\\,bar,h2\"", "0001000001000c08665c6f6f2c626172026832", "escaped once more (RFC 9460 A.1)"},
	{"SVCB", "1 . alpn=f\\\\\\092oo\\092,bar,h2", "0001000001000c08665c6f6f2c626172026832", "the same"},
	{"SVCB", "1 . echconfig=AAAA", NULL, "the key is ech (RFC 9460 section 14.3.2)"},
	{"SVCB", "1 . mandatory=port,port port=1", NULL, "no key twice (RFC 9460 section 8)"},
	{"SVCB", "1 . mandatory=alpn", NULL, "only keys that are there (RFC 9460 section 8)"},
	{"SVCB", "1 . mandatory=mandatory", NULL, "not itself (RFC 9460 section 8)"},
};

// Whether our result is the octets written as `hex`, or a refusal where it is NULL.
static bool is_hex(int len, const char *hex)
{
	char text[ORACLE_HEX_MAX];

	return hex ? len >= 0 && strcmp(oracle_hex_of(oracle_ours, len, text), hex) == 0 : len < 0;
}

static void test_differences(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(differences); i++) {
		const struct difference *row = &differences[i];
		const uint16_t type = (uint16_t)zone_mnemonic_type(row->type);
		const struct oracle_words words = oracle_words_of(row->text);
		const int our_len = oracle_parse(type, &words), their_len = oracle_ldns(type, &words);

		if (!is_hex(our_len, row->hex) || oracle_is_same(our_len, their_len))
			oracle_fail(row->type, &words, our_len, their_len);
	}
}

// What neither takes.
static void test_refused(void **state)
{
	static const struct oracle_sample rows[] = {
		{"A", "192.0.2.01"}, {"A", "1.2.3"}, {"A", "\"192.0.2.1\""}, {"AAAA", "2001:db8::1%eth0"}, {"NS", "a..b"}, {"NS", ".a"},
		{"MX", "1"}, {"MX", "1h a"}, {"MX", "0x1 a"}, {"HINFO", "a"}, {"HINFO", "a b c"}, {"TXT", ""}, {"TXT", "a\\09"},
		{"TXT", "\\256"}, {"SOA", "a b 1h 1 1 1 1"}, {"SOA", "a b 1 1x 1 1 1"}, {"DS", "1 5 1"}, {"DS", "1 5 1 ab zz"},
		{"DNSKEY", "1 3 8 AAAA===="}, {"DNSKEY", "1 3 8 AB=="}, {"DNSKEY", "1 3 8 AA"}, {"DNSKEY", "1 3 8 A=AA"}, {"DNSKEY", "1 3 8"},
		{"RRSIG", "A 8 2 1 20240001000000 1 1 . AAAA"}, {"RRSIG", "A 8 2 1 20241301000000 1 1 . AAAA"},
		{"RRSIG", "A 8 2 1 20240101240000 1 1 . AAAA"}, {"RRSIG", "A 8 2 1 20240101006000 1 1 . AAAA"},
		{"RRSIG", "A 8 2 1 19690101000000 1 1 . AAAA"}, {"NSEC3", "1 0 10 abc 2vptu5timamqttgl4luu9kg21e0aor3s A"},
		{"CAA", "0 is-sue \"a\""}, {"CAA", "0 issue"}, {"APL", "3:x/1"}, {"APL", "1:192.0.2/24"}, {"APL", "192.0.2.0/24"},
		{"LOC", "1 N"}, {"LOC", "N 1 E 0"}, {"EUI48", "00-00-5e-00-53"}, {"EUI48", "00-00-5e-00-53-2a-00"}, {"NID", "1 1:2:3"},
		{"NSAP", "47"}, {"SVCB", "1"}, {"SVCB", "1 . alpn=h2,,h3"}, {"SVCB", "1 . alpn="}, {"SVCB", "1 . port="}, {"SVCB", "1 . foo=1"},
		{"SVCB", "1 . ech=AAAAA"}, {"SVCB", "1 . ech="}, {"SVCB", "1 . ipv6hint=1.2.3.4"}, {"SVCB", "1 . key65536=a"},
		{"SVCB", "1 . alpn=\"h2\"h3"}, {"SVCB", "1 . no-default-alpn=1 alpn=h2"}, {"SVCB", "1 . \"alpn=h2\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const uint16_t type = (uint16_t)zone_mnemonic_type(rows[i].type);
		const struct oracle_words words = oracle_words_of(rows[i].text);
		const int our_len = oracle_parse(type, &words), their_len = oracle_ldns(type, &words);

		if (our_len >= 0 || their_len >= 0)
			oracle_fail(rows[i].type, &words, our_len, their_len);
	}
}

// Types that not every ldns knows, and the test vectors of RFC 9460 appendix D that go with them.
static void test_beyond_ldns(void **state)
{
	static const struct {
		const char *type, *text, *hex;
	} rows[] = {
		{"NINFO", "a \"b c\"", "016103622063"},
		{"RKEY", "0 3 5 AQPS", "000003050103d2"},
		{"AVC", "\"app-class:OAM\"", "0d6170702d636c6173733a4f414d"},
		{"RESINFO", "qnamemin exterr=15,16-18", "08716e616d656d696e0f6578746572723d31352c31362d3138"},
		{"AMTRELAY", "10 0 1 203.0.113.15", "0a01cb00710f"},
		{"AMTRELAY", "10 0 2 2001:db8::15", "0a0220010db8000000000000000000000015"},
		{"AMTRELAY", "128 1 3 amtrelays.example.com.", "808309616d7472656c617973076578616d706c6503636f6d00"},
		{"AMTRELAY", "128 1 0 .", "8080"},
		{"AMTRELAY", "128 1 0 a", NULL},
		{"AMTRELAY", "128 2 1 192.0.2.1", NULL},
		{"AMTRELAY", "128 1 4 .", NULL},
		{"AMTRELAY", "128 1 128 .", NULL},
		{"IPSECKEY", "128 129 0 192.0.2.1", NULL},
		{"RRSIG", "A 8 2 1 21000301000000 1 1 . AAAA", "0001080200000001f4d41f8000000001000100000000"}, // no leap year
		{"TYPE65280", "a", NULL},
		{"TYPE65280", "", NULL},
		{"SVCB", "1 foo.example.com. key667", "000103666f6f076578616d706c6503636f6d00029b0000"},
		{"SVCB", "1 foo key123=", "000103666f6f076578616d706c6500007b0000"},
		{"SVCB", "1 foo no-default-alpn=abc alpn=h2", NULL},
		{"SVCB", "1 . key4=\\192\\000\\002\\001", "00010000040004c0000201"},
		{"SVCB", "1 . key4=abc", NULL},
		{"SVCB", "1 . foo=1", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct oracle_words words = oracle_words_of(rows[i].text);
		const int our_len = oracle_parse((uint16_t)zone_mnemonic_type(rows[i].type), &words);

		if (!is_hex(our_len, rows[i].hex))
			oracle_fail(rows[i].type, &words, our_len, ORACLE_REFUSED);
	}
}

// What is said of an error: the word, and what should be there.
static void test_reasons(void **state)
{
	static const struct {
		const char *type, *text, *oracle_why;
	} rows[] = {
		{"A", "192.0.2.256", "192.0.2.256: expected an IPv4 address"},
		{"A", "", "the data ends where there should be an IPv4 address"},
		{"A", "192.0.2.1 192.0.2.2", "192.0.2.2: more than data of this type has"},
		{"MX", "mail", "mail: expected a number from 0 to 65535"},
		{"MX", "10", "the data ends where there should be a domain name"},
		{"MX", "65536 a", "65536 is not in 0..65535"},
		{"MX", "10 a..b", "a..b: expected a domain name"},
		{"SOA", "a b 1 1x", "1x: expected a time in seconds, or such as 1h30m"},
		{"DS", "1 RSASHA 1 00", "RSASHA: expected a number or name of an algorithm"},
		{"DNSKEY", "1 3 8 AQI= Aw==", "Aw==: expected base64"},
		{"LOC", "42 N 181 W 0", "181: expected degrees from 0 to 180, minutes and seconds from 0, E or W"},
		{"LOC", "42 N 71 W", "the data ends where there should be an altitude from -100000.00 to 42849672.95 m"},
		{"IPSECKEY", "10 4 2 . AAAA", "4 is no type of a gateway or relay, which are 0 to 3"},
		{"HTTPS", "1 . aplpn=h2", "aplpn: unknown key, did you mean `alpn`?"},
		{"HTTPS", "1 . key65536=1", "key65536: unknown key, expected a name or keyNNNNN"},
		{"HTTPS", "1 . ipv4hint=::1", "ipv4hint=::1: not a value of this key"},
		{"HTTPS", "1 . port=1 port=1", "a key is given twice (RFC 9460 section 2.1)"},
		{"TYPE65280", "a", "data of this type is accepted only in RFC 3597 form (\\# LENGTH HEX)"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct oracle_words words = oracle_words_of(rows[i].text);

		assert_int_equal(oracle_parse((uint16_t)zone_mnemonic_type(rows[i].type), &words), ORACLE_REFUSED);
		assert_string_equal(oracle_why, rows[i].oracle_why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_differences),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_beyond_ldns),
		cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
