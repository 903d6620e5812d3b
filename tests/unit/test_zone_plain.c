// RDATA of the common types: whatever plain.c accepts, ldns reads in the same way; what is written as people write it, it
// accepts. Words are made up from pieces that are right, nearly right, and hostile.
#include "zone/plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ldns/ldns.h>

#include "zone/rdata.h"

enum { ROUNDS = 400000, WORDS_MAX = 12, TEXT_MAX = 8192 };

static const uint8_t origin[] = "\7example";

static uint64_t rng_state = 88172645463325252u;

static unsigned draw(unsigned below)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return (unsigned)(rng_state % below);
}

struct words {
	char text[TEXT_MAX]; // as struct zone_scan_entry has them
	size_t len, count;
};

static void add_word(struct words *words, const char *word)
{
	size_t len = strlen(word) + 1;

	assert_true(words->len + len <= sizeof(words->text));
	memcpy(words->text + words->len, word, len);
	words->len += len;
	words->count++;
}

static struct words words_of(const char *text)
{
	struct words words = {.len = 0};
	char copy[TEXT_MAX], *rest = NULL;

	snprintf(copy, sizeof(copy), "%s", text);
	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		add_word(&words, word);
	return words;
}

// What ldns makes of it; -1: an error.
static int ldns_parse(uint16_t type, const struct words *words, uint8_t *wire)
{
	char text[TEXT_MAX + 64], *name = ldns_rr_type2str(type), *at;
	ldns_rdf *below = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, sizeof(origin), origin);
	ldns_rr *rr = NULL;
	int len = -1;

	at = text + snprintf(text, sizeof(text), ". 0 IN %s ", name);
	memcpy(at, words->text, words->len);
	for (size_t i = 0; i + 1 < words->len; i++)
		at[i] = at[i] ? at[i] : ' ';
	if (ldns_rr_new_frm_str(&rr, text, 0, below, NULL) == LDNS_STATUS_OK) {
		ldns_buffer *buffer = ldns_buffer_new(512);

		assert_int_equal(ldns_rr_rdata2buffer_wire(buffer, rr), LDNS_STATUS_OK);
		len = (int)ldns_buffer_position(buffer);
		memcpy(wire, ldns_buffer_begin(buffer), (size_t)len);
		ldns_buffer_free(buffer);
	}
	ldns_rr_free(rr);
	ldns_rdf_deep_free(below);
	free(name);
	return len;
}

static uint8_t ours[ZONE_RDATA_MAX], theirs[ZONE_RDATA_MAX + 1];

// Returns whether plain.c accepts it; then ldns must too.
static bool compare(uint16_t type, const struct words *words)
{
	int len = zone_plain_parse(type, words->text, words->count, origin, sizeof(origin), ours, sizeof(ours));

	if (len < 0)
		return false;

	int their_len = ldns_parse(type, words, theirs);

	if (their_len != len || memcmp(ours, theirs, (size_t)len) != 0) {
		char text[TEXT_MAX];

		memcpy(text, words->text, words->len);
		for (size_t i = 0; i + 1 < words->len; i++)
			text[i] = text[i] ? text[i] : ' ';
		fail_msg("type %u `%s`: %d octets, ldns has %d", type, text, len, their_len);
	}
	return true;
}

// The first ones are those that random words make valid data of; it takes more words for the others, or they are not known.
static const uint16_t types[] = {1, 2, 5, 12, 13, 15, 16, 28, 33, 44, 257, 43, 52, 6, 35, 17, 99, 64, 0, 65535};
enum { TYPES = sizeof(types) / sizeof(types[0]), TYPES_HIT = 11 };

static void test_usual(void **state)
{
	static const struct {
		uint16_t type;
		const char *text;
	} rows[] = {
		{1, "192.0.2.1"}, {28, "2001:db8::1"}, {28, "::ffff:192.0.2.1"}, {2, "ns1"}, {2, "ns1.elsewhere."}, {2, "."},
		{5, "@"}, {5, "0/25"}, {5, "*.a"}, {12, "_x._tcp.A-b"}, {15, "10 mail"}, {15, "0 ."}, {16, "\"v=spf1 -all\""},
		{16, "a b \"\""}, {33, "0 65535 443 x.y."}, {6, "ns1 host 4294967295 1h 15m 1w 300"},
		{43, "60485 5 1 2BB183AF5F22588179A53B0A 98631FAD1A292118"}, {44, "1 1 00ff"}, {52, "3 1 1 00ff"},
		{257, "0 issue \"ca.example.net\""}, {257, "128 Iodef \"mailto:a@b\""}, {35, "10 20 \"u\" \"E2U+sip\" \"\" x."},
		{13, "a b"}, {13, "\"Intel x86\" \"\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct words words = {.len = 0};
		char piece[64];

		// Strings in quotes are one word.
		for (const char *at = rows[i].text; *at; at += *at == ' ') {
			size_t len = *at == '"' ? (size_t)(strchr(at + 1, '"') - at) + 1 : strcspn(at, " ");

			snprintf(piece, sizeof(piece), "%.*s", (int)len, at);
			add_word(&words, piece);
			at += len;
		}
		if (!compare(rows[i].type, &words))
			fail_msg("type %u `%s` was left to ldns", rows[i].type, rows[i].text);
	}
}

// What ldns is left to judge, or would read differently.
static void test_left(void **state)
{
	static const struct {
		uint16_t type;
		const char *text;
	} rows[] = {
		{1, ""}, {1, "192.0.2"}, {1, "192.0.2.1 x"}, {1, "192.0.2.01"}, {1, "192.0.2.256"}, {28, "2001:db8::1%eth0"},
		{2, "a..b"}, {2, "a\\.b"}, {2, "a\"b"}, {2, ".a"}, {15, "65536 a"}, {15, "-1 a"}, {15, "0x1 a"}, {15, "1"},
		{15, "1h a"}, {16, ""}, {16, "a\\032b"}, {16, "a\"b"}, {16, "\"a"}, {33, "1 2 a"}, {43, "1 1 1 abc"}, {43, "1 1 1"},
		{43, "1 RSASHA1 1 00"}, {6, "a b 1 1x 1 1 1"}, {6, "a b 1h 1 1 1 1"}, {6, "a b 4294967296 1 1 1 1"},
		{257, "256 issue a"}, {257, "0 is-sue a"}, {257, "0 issue"}, {257, "0 issue a"}, {99, "x"}, {65535, "x"}, {1, "\\# 4 C0000201"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct words words = words_of(rows[i].text);

		if (zone_plain_parse(rows[i].type, words.text, words.count, origin, sizeof(origin), ours, sizeof(ours)) >= 0)
			fail_msg("type %u `%s` was accepted", rows[i].type, rows[i].text);
	}
}

static const char *random_word(char *buf)
{
	static const char *const pieces[] = {
		"0", "1", "5", "255", "256", "65535", "65536", "4294967295", "4294967296", "00", "007", "1h", "1W2d", "9999999999w",
		"192.0.2.1", "192.0.2.1.", "1.2.3", "01.2.3.4", "2001:db8::1", "::", "1:2:3:4:5:6:7:8:9", "a", "@", ".", "..", "a.",
		"a.b.c", "*", "*.a.", "0/25", "-", "_tcp", "\"\"", "\"a b\"", "\"", "\"a", "a\"", "\\", "\\065", "a\\.b", "issue",
		"ISSUE", "00ff", "0", "0F0", "zz", "\\#", "ca.example.net", ";", "(", "a;b", "é", "\"a\"b\"", "iodef", "\x01",
	};
	static const char alphabet[] = "abcXYZ019-_./*\"\\@:; ()\x7f\xff\t";

	if (draw(8)) {
		strcpy(buf, pieces[draw(sizeof(pieces) / sizeof(pieces[0]))]);
		if (draw(16) == 0)
			strcat(buf, pieces[draw(sizeof(pieces) / sizeof(pieces[0]))]);
	} else {
		unsigned len = draw(8) ? draw(12) : draw(600);
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
		if (*at == '\\' && at[1]) {
			at++;
			continue;
		}
		if ((unsigned char)*at < 0x20 || *at == 0x7f || (!quoted && strchr(" ();", *at)))
			return false;
		quoted ^= *at == '"';
	}
	return *word && !quoted;
}

static void test_like_ldns(void **state)
{
	size_t accepted[TYPES] = {0};
	char word[1024];

	(void)state;
	for (size_t i = 0; i < ROUNDS; i++) {
		struct words words = {.len = 0};
		unsigned t = draw(TYPES);

		for (unsigned k = draw(draw(4) ? 5 : WORDS_MAX); k > 0; k--)
			if (is_word(random_word(word)))
				add_word(&words, word);
		accepted[t] += compare(types[t], &words);
	}
	for (size_t t = 0; t < TYPES_HIT; t++)
		if (accepted[t] == 0)
			fail_msg("no data of type %u was right", types[t]);
}

// Every field of correct data, spoilt or swapped, which random words seldom come near.
static void test_spoilt(void **state)
{
	static const struct {
		uint16_t type;
		const char *text;
	} rows[] = {
		{6, "ns1 host 1 1h 15m 1w 300"}, {33, "0 5 443 x.y."}, {35, "10 20 \"u\" \"E2U+sip\" \"\" x."}, {43, "60485 5 1 2BB1 83AF"},
		{257, "0 issue \"ca.example.net\""}, {15, "10 mail"}, {52, "3 1 1 00ff"}, {44, "1 1 00ff"},
	};
	char word[1024];

	(void)state;
	for (size_t i = 0; i < ROUNDS; i++) {
		unsigned r = draw(sizeof(rows) / sizeof(rows[0]));
		const struct words right = words_of(rows[r].text);
		struct words words = {.len = 0};
		unsigned spoilt = draw((unsigned)right.count);
		const char *at = right.text;

		for (unsigned k = 0; k < right.count; k++, at += strlen(at) + 1) {
			const char *use = k == spoilt ? random_word(word) : at;

			if (is_word(use))
				add_word(&words, use);
		}
		(void)compare(rows[r].type, &words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usual),
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_like_ldns),
		cmocka_unit_test(test_spoilt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
