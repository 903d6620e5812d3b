// RDATA by us and by ldns; see oracle.h.
#include "oracle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ldns/ldns.h>

#include "base/attr.h"
#include "zone/rdata.h"

static const struct wire_name origin = {"\7example", 9};

// ---- words ----

void oracle_add_word(struct oracle_words *words, const char *word, size_t len)
{
	assert_true(words->len + len < sizeof(words->text));
	memcpy(words->text + words->len, word, len);
	words->len += len;
	words->text[words->len++] = '\0';
	words->count++;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

// The length of the word at `text`: to a blank that is not in quotes.
static size_t word_len(const char *text)
{
	bool quoted = false;
	size_t len = 0;

	for (; text[len] && (quoted || !is_blank(text[len])); len++) {
		quoted ^= text[len] == '"';
		len += text[len] == '\\' && text[len + 1];
	}
	return len;
}

struct oracle_words oracle_words_of(const char *text)
{
	struct oracle_words words = {.len = 0};

	for (size_t len; *text; text += len + is_blank(text[len])) {
		len = word_len(text);
		if (len > 0)
			oracle_add_word(&words, text, len);
	}
	return words;
}

// With blanks between them.
const char *oracle_text_of(const struct oracle_words *words, char *text)
{
	memcpy(text, words->text, words->len);
	for (size_t i = 0; i + 1 < words->len; i++)
		text[i] = text[i] ? text[i] : ' ';
	text[words->len] = '\0';
	return text;
}

// ---- allocations: none ----

static bool parsing;
static size_t allocations; // while parsing

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) // they have allocators of their own
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
	allocations += parsing;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	allocations += parsing;
	return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	allocations += parsing;
	return __libc_realloc(old, size);
}
#endif

// ---- ours and ldns' ----

uint8_t oracle_ours[ZONE_RDATA_MAX], oracle_theirs[ZONE_RDATA_MAX + 1];
char oracle_why[ZONE_CONVERT_WHY_MAX];

int oracle_parse(uint16_t type, const struct oracle_words *words)
{
	// A copy of its own: what is read behind its end is found by the sanitizer.
	char *copy = malloc(words->len ? words->len : 1);
	size_t len = 0;

	assert_non_null(copy);
	memcpy(copy, words->text, words->len);
	if (words->len == 0)
		*copy = '\0';
	parsing = true;

	int err = zone_rdata_parse(type, copy, words->count, &origin, oracle_ours, &len, oracle_why);

	parsing = false;
	free(copy);
	if (allocations > 0)
		fail_msg("%zu allocations for type %u", allocations, type);
	assert_true(err == 0 || *oracle_why);
	return err < 0 ? ORACLE_REFUSED : (int)len;
}

int oracle_ldns(uint16_t type, const struct oracle_words *words)
{
	if (type == LDNS_RR_TYPE_CERT && words->count > 0 && words->text[strspn(words->text, "0")] == '\0')
		return ORACLE_REFUSED; // as it does, but it then leaks

	char text[ORACLE_TEXT_MAX + 64], *name = ldns_rr_type2str(type);
	ldns_rdf *below = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, origin.len, origin.wire);
	ldns_rr *rr = NULL;
	int len = ORACLE_REFUSED;

	oracle_text_of(words, text + snprintf(text, sizeof(text), ". 0 IN %s ", name));
	if (ldns_rr_new_frm_str(&rr, text, 0, below, NULL) == LDNS_STATUS_OK) {
		ldns_buffer *buffer = ldns_buffer_new(512);

		assert_int_equal(ldns_rr_rdata2buffer_wire(buffer, rr), LDNS_STATUS_OK);
		len = (int)ldns_buffer_position(buffer);
		memcpy(oracle_theirs, ldns_buffer_begin(buffer), (size_t)len);
		ldns_buffer_free(buffer);
	}
	ldns_rr_free(rr);
	ldns_rdf_deep_free(below);
	free(name);
	return len;
}

bool oracle_is_same(int our_len, int their_len)
{
	return our_len == their_len && (our_len < 0 || memcmp(oracle_ours, oracle_theirs, (size_t)our_len) == 0);
}

const char *oracle_hex_of(const uint8_t *wire, int len, char *hex)
{
	size_t at = 0;

	if (len < 0)
		return "refused";
	hex[0] = '\0';
	for (int i = 0; i < len && at + 3 < ORACLE_HEX_MAX; i++)
		at += (size_t)snprintf(hex + at, ORACLE_HEX_MAX - at, "%02x", wire[i]);
	return hex;
}

void oracle_fail(const char *type, const struct oracle_words *words, int our_len, int their_len)
{
	char text[ORACLE_TEXT_MAX + 1], a[ORACLE_HEX_MAX], b[ORACLE_HEX_MAX];

	fail_msg("%s %s:\n  ours %s (%s)\n  ldns %s", type, oracle_text_of(words, text),
	         oracle_hex_of(oracle_ours, our_len, a), our_len < 0 ? oracle_why : "",
	         oracle_hex_of(oracle_theirs, their_len, b));
}

// ---- samples ----

const struct oracle_sample oracle_samples[] = {
	{"A", "192.0.2.1"},
	{"NS", "ns1"},
	{"NS", "ns1.elsewhere."},
	{"NS", "."},
	{"NS", "a\\.b\\032\\\\.c"},
	{"MD", "a"},
	{"MF", "a"},
	{"CNAME", "@"},
	{"CNAME", "0/25"},
	{"CNAME", "*.a"},
	{"SOA", "ns1 host\\.master 4294967295 1h 15m 1w2d 300"},
	{"MB", "a"},
	{"MG", "a"},
	{"MR", "a"},
	{"PTR", "_x._tcp.A-b"},
	{"HINFO", "\"Intel x86\" \"\""},
	{"HINFO", "a b"},
	{"MINFO", "a b."},
	{"MX", "10 mail"},
	{"MX", "0 ."},
	{"TXT", "\"v=spf1 -all\""},
	{"TXT", "a b \"\""},
	{"TXT", "\"a\"\"b\" c\"d\""},
	{"TXT", "\"\\\"\\\\\\000\\255\" \\097\\b"},
	{"TXT", "a\"b c\"d"},
	{"RP", "host.example. text"},
	{"AFSDB", "1 afs"},
	{"X25", "\"311061700956\""},
	{"ISDN", "\"150862028003217\" \"004\""},
	{"ISDN", "150862028003217"},
	{"RT", "10 relay"},
	{"NSAP", "0x47.0005.80.005a00.0000.0001.e133.ffffff000161.00"},
	{"PX", "10 a b"},
	{"GPOS", "-32.6882 116.8652 10.0"},
	{"AAAA", "2001:db8::1"},
	{"AAAA", "::ffff:192.0.2.1"},
	{"LOC", "42 21 54 N 71 06 18 W -24m 30m"},
	{"LOC", "42 21 43.952 N 71 5 6.344 W -24m 1m 200m"},
	{"LOC", "52 14 05 N 00 08 50 E 10m"},
	{"LOC", "32 7 19 S 116 2 25 E 10m"},
	{"LOC", "42 21 28.764 N 71 00 51.617 W -44m 2000m"},
	{"LOC", "0 N 0 E 0 0.05 0 90000000.00m"},
	{"LOC", "90 S 180 W -100000.00m 0.5m"},
	{"LOC", "90 N 180 E 42849672.95m"},
	{"SRV", "0 65535 443 x.y."},
	{"NAPTR", "100 10 \"u\" \"E2U+sip\" \"!^.*$!sip:info@example.com!\" ."},
	{"NAPTR", "100 10 \"\" \"\" \"/urn:cid:.+@([^\\\\.]+\\\\.)(.*)$/\\\\2/i\" a."},
	{"KX", "1 a"},
	{"CERT", "PKIX 1 RSASHA256 AAAA"},
	{"CERT", "254 65535 1 AQ=="},
	{"DNAME", "a"},
	{"APL", ""},
	{"APL", "1:192.168.32.0/21 !1:192.168.38.0/28"},
	{"APL", "1:224.0.0.0/4 2:FF00:0:0:0:0:0:0:0/8 2:::/0"},
	{"DS", "60485 5 1 2BB183AF5F22588179A53B0A 98631FAD1A292118"},
	{"DS", "60485 ED25519 1 2BB1 83a f"},
	{"SSHFP", "2 1 123456789abcdef67890123456789abcdef67890"},
	{"IPSECKEY", "10 0 2 . AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="},
	{"IPSECKEY", "10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="},
	{"IPSECKEY", "10 2 2 2001:0DB8:0:8002::2000:1 AQNRU3mG"},
	{"IPSECKEY", "10 3 2 mygateway.example.com. AQNRU3mG"},
	{"RRSIG", "A 5 3 86400 20030322173103 20030220173103 2642 example.com. oJB1W6WNGv+ldvQ3WDG0MQkg5IEhjRip8WTr"},
	{"RRSIG", "TYPE1234 RSASHA256 2 300 1000 20240229235959 1 . AAAA"},
	{"RRSIG", "A 8 2 1 20380119031408 21060207062816 1 a AAAA"},
	{"RRSIG", "A 8 2 1 20240301000000 20940301000000 1 a AAAA"},
	{"RRSIG", "A 8 2 1 20001231235959 19700101000000 1 a AAAA"},
	{"NSEC", "host A MX RRSIG NSEC TYPE1234"},
	{"NSEC", "host TYPE65535 URI CAA A A"},
	{"NSEC", "\\000.a A"},
	{"DNSKEY", "256 3 5 AQPSKmynfzW4kyBv015MUG2DeIQ3 Cbl+BBZH4b/0PY1kxkmvHjcZc8no"},
	{"DNSKEY", "257 3 PRIVATEOID AQ=="},
	{"DHCID", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69l OjxfNuVAA2kjEA="},
	{"NSEC3", "1 1 12 aabbccdd 2vptu5timamqttgl4luu9kg21e0aor3s MX RRSIG"},
	{"NSEC3", "1 0 0 - 2VPTU5TIMAMQTTGL4LUU9KG21E0AOR3S"},
	{"NSEC3PARAM", "1 0 12 aabbccdd"},
	{"NSEC3PARAM", "1 0 0 -"},
	{"TLSA", "0 0 1 d2abde240d7cd3ee6b4b28c54df034b9 7983a1d16e8a410e4561cb106618e971"},
	{"TLSA", "dane-ee SPKI SHA2-512 00"},
	{"TLSA", "PrivCert PrivSel PrivMatch 00"},
	{"SMIMEA", "PKIX-TA Cert Full 00ff"},
	{"HIP", "2 200100107B1A74DF365639CC39F1D578 AwEAAbdxyhNuSutc5EMzxTs9LBPCIkOFH8cIvM4p"},
	{"HIP", "2 200100107B1A74DF365639CC39F1D578 AwEAAbdx rvs1.example.com. rvs2"},
	{"TALINK", "a b"},
	{"CDS", "0 0 0 00"},
	{"CDNSKEY", "0 3 0 AA=="},
	{"OPENPGPKEY", "AQID BAUG Bwg="},
	{"CSYNC", "66 3 A NS AAAA"},
	{"ZONEMD", "2018031500 1 1 FEBE3D4CE2EC2FFA4BA99D46CD69D6D29711E55217057BEE"},
	{"SVCB", "1 ."},
	{"SVCB", "0 foo.example.com."},
	{"SVCB", "16 foo.example.com. port=53"},
	{"SVCB", "1 foo.example.com. key667=hello"},
	{"SVCB", "1 foo.example.com. key667=\"hello\\210qoo\""},
	{"SVCB", "1 foo.example.com. key667 key668= key65535"},
	{"SVCB", "1 foo.example.com. ipv6hint=\"2001:db8::1,2001:db8::53:1\""},
	{"SVCB", "1 example.com. ipv6hint=\"2001:db8::198.51.100.100\""},
	{"SVCB", "16 foo.example.org. alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1"},
	{"SVCB", "1 . dohpath=/q{?dns} no-default-alpn alpn=\"h2\""},
	{"HTTPS", "1 . port=\"0443\" ech=AEX+DQBBpQ ipv4hint=192.0.2.1,192.0.2.2"},
	{"HTTPS", "1 . ech=\"AAAAAA==\" alpn=h\\050"},
	{"SPF", "\"v=spf1\" a"},
	{"NID", "10 0014:4fff:ff20:ee64"},
	{"NID", "10 1:2:3:f"},
	{"L32", "10 10.1.2.0"},
	{"L64", "10 2001:0DB8:1140:1000"},
	{"LP", "10 l64-subnet1.example.com."},
	{"EUI48", "00-00-5e-00-53-2a"},
	{"EUI64", "00-00-5E-EF-10-00-00-2A"},
	{"URI", "10 1 \"ftp://ftp1.example.com/public\""},
	{"CAA", "0 issue \"ca1.example.net; account=230123\""},
	{"CAA", "128 TBS \"\""},
};

const size_t oracle_sample_count = ARRAY_LEN(oracle_samples);
