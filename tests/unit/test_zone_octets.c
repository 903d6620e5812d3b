// RDATA that is made up: octets as of RFC 3597, which ldns prints and we read back, and words from pieces that are right,
// nearly right, and hostile, which both read.
#include "zone/rdata.h"

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
#include "oracle.h"
#include "zone/mnemonic.h"
#include "zone/scan.h"

enum { ROUNDS = 300000 };

static uint64_t rng_state = 88172645463325252u;

static unsigned draw(unsigned below)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return (unsigned)(rng_state % below);
}

// ---- octets (RFC 3597) ----

static int parse_octets(uint16_t type, const uint8_t *wire, size_t len)
{
	char text[ORACLE_TEXT_MAX];
	size_t at = (size_t)snprintf(text, sizeof(text), "\\# %zu ", len);

	for (size_t i = 0; i < len; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%02x%s", wire[i], draw(4) ? "" : " ");

	const struct oracle_words words = oracle_words_of(text);

	return oracle_parse(type, &words);
}

// What ldns prints of octets, without the owner and so on; the caller's. NULL where it cannot print a key that is missing, or
// an empty value.
static char *print(const char *name, uint16_t type, const uint8_t *wire, size_t len)
{
	uint8_t record[ORACLE_HEX_MAX] = {0, (uint8_t)(type >> 8), (uint8_t)type, 0, 1, 0, 0, 0, 0, (uint8_t)(len >> 8),
	                                  (uint8_t)len};
	size_t at = 0;
	ldns_rr *rr = NULL;

	memcpy(record + 11, wire, len);
	if (ldns_wire2rr(&rr, record, 11 + len, &at, LDNS_SECTION_ANSWER) != LDNS_STATUS_OK)
		fail_msg("%s: ldns refuses %zu octets", name, len);

	char *text = ldns_rr2str(rr), *data = text ? strstr(text, name) : NULL;

	assert_true(data || type == LDNS_RR_TYPE_IPSECKEY);
	if (data && type == LDNS_RR_TYPE_CAA && len == 2u + wire[1])
		data = NULL;
	if (data) {
		char *comment = strstr(data, " ;{");

		*(comment ? comment : data + strcspn(data, "\n")) = '\0';
		data = strdup(data + strlen(name));
	}
	free(text);
	ldns_rr_free(rr);
	return data;
}

// Octets are refused, or ldns prints them as what we read as the same octets.
static void check_octets(const char *name, uint16_t type, const uint8_t *wire, size_t len, bool is_right)
{
	const int our_len = parse_octets(type, wire, len);

	assert_true(our_len >= 0 || !is_right);
	if (our_len < 0)
		return;
	assert_int_equal(our_len, len);
	assert_memory_equal(oracle_ours, wire, len);

	char *data = print(name, type, wire, len);

	if (!data)
		return;

	const struct oracle_words words = oracle_words_of(data);
	const int back_len = oracle_parse(type, &words);

	if (back_len != (int)len || memcmp(oracle_ours, wire, len) != 0)
		fail_msg("%s%s of %zu octets: reads back as %d (%s)", name, data, len, back_len, oracle_why);
	free(data);
}

// Whether ldns prints what it would read: not the families that APL need not know, times before 1970, hashes of any length
// but that of SHA-1, and sizes of 0 in several ways.
static bool is_printed(uint16_t type)
{
	return type != LDNS_RR_TYPE_APL && type != LDNS_RR_TYPE_RRSIG && type != LDNS_RR_TYPE_NSEC3 && type != LDNS_RR_TYPE_LOC;
}

// Whether ldns escapes all that has to be: it does not in names, and not enough in lists of SVCB.
static bool is_escaped(uint16_t type, const uint8_t *wire, size_t len)
{
	const bool has_lists = type == LDNS_RR_TYPE_SVCB || type == LDNS_RR_TYPE_HTTPS;

	return !memchr(wire, '"', len) && (!has_lists || (!memchr(wire, '\\', len) && !memchr(wire, ',', len)));
}

static void test_octets(void **state)
{
	(void)state;
	for (size_t i = 0; i < oracle_sample_count; i++) {
		const uint16_t type = (uint16_t)zone_mnemonic_type(oracle_samples[i].type);
		const struct oracle_words words = oracle_words_of(oracle_samples[i].text);
		const int len = oracle_parse(type, &words);
		uint8_t wire[ORACLE_HEX_MAX];

		assert_true(len >= 0 && len < ORACLE_HEX_MAX / 2);
		memcpy(wire, oracle_ours, (size_t)len);
		for (int cut = 0; cut <= len; cut++)
			check_octets(oracle_samples[i].type, type, wire, (size_t)cut, cut == len);
		for (int round = 0; round < 2000 && len > 0 && is_printed(type); round++) {
			uint8_t spoilt[ORACLE_HEX_MAX];

			memcpy(spoilt, wire, (size_t)len);
			for (unsigned k = 1 + draw(3); k > 0; k--)
				spoilt[draw((unsigned)len)] = (uint8_t)draw(draw(2) ? 4 : 256);
			if (is_escaped(type, spoilt, (size_t)len))
				check_octets(oracle_samples[i].type, type, spoilt, (size_t)len, false);
		}
	}
}

// ---- random texts ----

static const char *random_word(char *buf)
{
	static const char *const pieces[] = {
		"0", "1", "5", "255", "65535", "4294967295", "00", "007", "1h", "1W2d", "192.0.2.1", "192.0.2.1.", "1.2.3", "01.2.3.4",
		"2001:db8::1", "::", "1:2:3:4:5:6:7:8:9", "a", "@", ".", "..", "a.", "a.b.c", "*", "*.a.", "0/25", "-", "_tcp", "\"\"",
		"\"a b\"", "\\", "\\065", "a\\.b", "issue", "00ff", "zz", "AQ==", "AAAA", "AB==", "A===", "é", "20240229235959",
		"2vptu5timamqttgl4luu9kg21e0aor3s", "alpn=h2", "port=1", "ipv4hint=1.2.3.4", "key667=a", "alpn=", "foo", "N", "E", "1m",
		"1:1.2.3.4/8", "!2:::/0", "1:1.2.3/8", "A", "NS", "TYPE7", "RSASHA256", "1:2:3:4", "00-00-5e-00-53-2a", "0x47",
	};
	static const char alphabet[] = "abcXYZ019-_./*\\@:;+=";

	if (draw(8)) {
		strcpy(buf, pieces[draw(ARRAY_LEN(pieces))]);
		if (draw(16) == 0)
			strcat(buf, pieces[draw(ARRAY_LEN(pieces))]);
	} else {
		unsigned len = 1 + (draw(8) ? draw(12) : draw(600));
		bool letters = draw(2);

		for (unsigned i = 0; i < len; i++)
			buf[i] = letters ? (char)('a' + draw(6)) : alphabet[draw(sizeof(alphabet) - 1)];
		buf[len] = '\0';
	}
	return buf;
}

// A word as the scanner can give it: not empty, and with blanks only between quotes.
static bool is_word(const char *word)
{
	bool quoted = false;

	for (const char *at = word; *at; at++) {
		if (*at == '\\') {
			if (!at[1])
				return false;
			at++;
			continue;
		}
		if ((unsigned char)*at < 0x20 || *at == 0x7f || (!quoted && strchr(" ();", *at)))
			return false;
		quoted ^= *at == '"';
	}
	return *word && !quoted;
}

// The words of a sample, one or two of which are spoilt, missing, or too many.
static struct oracle_words spoil(const struct oracle_words *right)
{
	struct oracle_words words = {.len = 0};
	unsigned spoilt = right->count ? draw((unsigned)right->count) : 0;
	const char *at = right->text;
	char word[1024];

	for (size_t k = 0; k < right->count; k++, at = zone_scan_after(at)) {
		bool replace = k == spoilt || draw(8) == 0;
		const char *use = replace ? random_word(word) : at;

		if ((replace && draw(8) == 0) || !is_word(use))
			continue;
		oracle_add_word(&words, use, strlen(use));
	}
	if (draw(8) == 0 && is_word(random_word(word)))
		oracle_add_word(&words, word, strlen(word));
	return words;
}

static bool any_word(const struct oracle_words *words, bool (*is)(const char *word))
{
	const char *at = words->text;

	for (size_t i = 0; i < words->count; i++, at = zone_scan_after(at))
		if (is(at))
			return true;
	return false;
}

static bool is_origin_to_ldns(const char *word)
{
	return strncmp(word, "@.", 2) == 0 || strncmp(word, "\\@", 2) == 0;
}

static bool has_quote(const char *word)
{
	return strchr(word, '"');
}

static bool is_odd_prefix(const char *word)
{
	const char *slash = strchr(word, '/'), *family = word + (*word == '!');

	if (strspn(family, "12") != 1 || family[1] != ':')
		return true;
	return slash && (slash[1 + strspn(slash + 1, "0123456789")] || strtoul(slash + 1, NULL, 10) > 32);
}

// Whether that we refuse what ldns takes is one of the differences above.
static bool is_refused_rightly(uint16_t type, const struct oracle_words *words, int their_len)
{
	// ldns wraps around, and takes signs and units without a number.
	if (strstr(oracle_why, " is not in 0..") || strstr(oracle_why, "expected a time"))
		return true;
	if (strstr(oracle_why, "expected a domain name"))
		return any_word(words, has_quote);
	if (strstr(oracle_why, "expected pairs of hexadecimal digits") || strstr(oracle_why, "hexadecimal digits after 0x"))
		return their_len > 0 && (oracle_theirs[their_len - 1] & 15) == 0;
	if (strstr(oracle_why, "expected a prefix"))
		return any_word(words, is_odd_prefix);
	if (strstr(oracle_why, "expected a hash in base32hex") || strstr(oracle_why, "expected a salt"))
		return true; // ldns skips what is none; what is too long is nothing
	if (strstr(oracle_why, "not a value of this key"))
		return any_word(words, has_quote);
	if (strncmp(oracle_why, "-: expected ", 12) == 0 || strncmp(oracle_why, "0: expected base64", 18) == 0)
		return true; // ldns takes 0, or nothing
	return strstr(oracle_why, "expected record types") || strstr(oracle_why, "expected a record type") ||
	       strstr(oracle_why, "(RFC 9460") || (strstr(oracle_why, "empty") && type == LDNS_RR_TYPE_URI);
}

// The same for what we accept.
static bool is_accepted_rightly(uint16_t type, const struct oracle_words *words, int their_len)
{
	switch (type) {
	case LDNS_RR_TYPE_URI:
	case LDNS_RR_TYPE_CAA: return their_len < 0; // a string without quotes
	case LDNS_RR_TYPE_CSYNC: return words->count == 2;
	case LDNS_RR_TYPE_CERT: return their_len < 0 && oracle_ours[0] == 0 && oracle_ours[1] == 0; // type 0
	case LDNS_RR_TYPE_NSEC3: return their_len < 0; // hashes of other lengths than those of SHA-1
	default: return any_word(words, is_origin_to_ldns);
	}
}

static void test_spoilt(void **state)
{
	size_t right = 0;

	(void)state;
	for (size_t i = 0; i < ROUNDS; i++) {
		const struct oracle_sample *sample = &oracle_samples[draw((unsigned)oracle_sample_count)];
		const uint16_t type = (uint16_t)zone_mnemonic_type(sample->type);
		const struct oracle_words whole = oracle_words_of(sample->text), words = spoil(&whole);

		// What ldns takes for a number in these is too much to list.
		if (type == LDNS_RR_TYPE_LOC || type == LDNS_RR_TYPE_IPSECKEY || type == LDNS_RR_TYPE_HIP)
			continue;

		const int our_len = oracle_parse(type, &words), their_len = oracle_ldns(type, &words);

		right += our_len >= 0;
		if (!oracle_is_same(our_len, their_len) && !(our_len < 0 ? is_refused_rightly(type, &words, their_len)
		                                                  : is_accepted_rightly(type, &words, their_len)))
			oracle_fail(sample->type, &words, our_len, their_len);
	}
	assert_true(right > ROUNDS / 10);
}

// Locations as they are written in full.
static void test_locations(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		char text[256];
		const unsigned size = draw(2) ? draw(90000000) : draw(100);

		snprintf(text, sizeof(text), "%u %u %u.%03u %c %u %u %u.%03u %c %s%u.%02um %u.%02um %u%s %u.%um", draw(90), draw(60),
		         draw(60), draw(1000), draw(2) ? 'N' : 'S', draw(180), draw(60), draw(60), draw(1000), draw(2) ? 'E' : 'W',
		         draw(2) ? "-" : "", draw(100000), draw(100), size, draw(100), draw(90000000), draw(2) ? "m" : "", draw(100),
		         draw(10));

		const struct oracle_words words = oracle_words_of(text);
		const int our_len = oracle_parse(LDNS_RR_TYPE_LOC, &words), their_len = oracle_ldns(LDNS_RR_TYPE_LOC, &words);

		if (our_len != 16 || !oracle_is_same(our_len, their_len))
			oracle_fail("LOC", &words, our_len, their_len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_octets),
		cmocka_unit_test(test_spoilt),
		cmocka_unit_test(test_locations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
