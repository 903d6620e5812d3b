// Names: text and wire form by tables and against ldns, reading from a hostile question, hashes of suffixes.
#include "wire/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ldns/ldns.h>

#include "base/err.h"
#include "base/hash.h"

static uint64_t rng_state = 7;

static uint64_t rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state;
}

#define L63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"
#define L61 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg"
#define LONGEST L63 "." L63 "." L63 "." L61 // 64 * 3 + 62 + 1 = 255 octets

static void test_from_text(void **state)
{
	static const struct {
		const char *text, *wire;
		size_t len; // 0: malformed
	} rows[] = {
		{".", "\0", 1},
		{"a", "\1a\0", 3},
		{"a.", "\1a\0", 3},
		{"WwW.Example.COM", "\3WwW\7Example\3COM\0", 17},
		{"*.a", "\1*\1a\0", 5},
		{"_sip._tcp.a", "\4_sip\4_tcp\1a\0", 13},
		{"a\\.b.c", "\3a.b\1c\0", 7},
		{"a\\.", "\2a.\0", 4},
		{"a\\\\.b", "\2a\\\1b\0", 6},
		{"\\000\\255", "\2\0\377\0", 4},
		{"\\065\\a", "\2Aa\0", 4},
		{"\\046.a", "\1.\1a\0", 5},
		{"\303\251", "\2\303\251\0", 4},
		{"", NULL, 0},
		{"..", NULL, 0},
		{".a", NULL, 0},
		{"a..", NULL, 0},
		{"a..b", NULL, 0},
		{"\\", NULL, 0},
		{"a\\", NULL, 0},
		{"\\1", NULL, 0},
		{"\\12", NULL, 0},
		{"\\12x", NULL, 0},
		{"\\256", NULL, 0},
		{"\\999", NULL, 0},
		{L63 "g", NULL, 0},
		{L63 "g.a", NULL, 0},
		{L63 "\\065", NULL, 0},
		{LONGEST "g", NULL, 0},
		{LONGEST "g.", NULL, 0},
		{"a." LONGEST, NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t wire[NAME_WIRE_MAX];
		size_t len = 999;
		int err = name_from_text(rows[i].text, wire, &len);

		if (!rows[i].wire) {
			if (err != E_INVAL || len != 999)
				fail_msg("\"%s\" is taken", rows[i].text);
			continue;
		}
		if (err < 0 || len != rows[i].len || memcmp(wire, rows[i].wire, len) != 0)
			fail_msg("\"%s\": %d, %zu octets", rows[i].text, err, len);
	}
}

static void test_longest_text(void **state)
{
	static const char *const texts[] = {L63, L63 ".", LONGEST, LONGEST "."};
	uint8_t wire[NAME_WIRE_MAX];
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(name_from_text(texts[i], wire, &len), 0);
		assert_int_equal(len, i < 2 ? 65 : 255);
		assert_int_equal(wire[len - 1], 0);
	}

	// 127 labels are 255 octets; 128 are too many.
	char text[2 * 128 + 1];

	for (size_t i = 0; i < 128; i++)
		memcpy(text + 2 * i, "a.", 3);
	assert_int_equal(name_from_text(text, wire, &len), E_INVAL);
	assert_int_equal(name_from_text(text + 2, wire, &len), 0);
	assert_int_equal(len, 255);
	assert_int_equal(name_labels(wire), 127);
	text[255] = '\0'; // without the final dot
	assert_int_equal(name_from_text(text + 2, wire, &len), 0);
	assert_int_equal(len, 255);
}

static void test_to_text(void **state)
{
	static const struct {
		const char *wire, *text;
		size_t len;
	} rows[] = {
		{"\0", ".", 1},
		{"\3WwW\1a\0", "WwW.a", 7},
		{"\3a.b\0", "a\\.b", 5},
		{"\2\0\377\0", "\\000\\255", 4},
		{"\2 ~\0", "\\032~", 4},
		{"\10\"();@$\\x\0", "\\\"\\(\\)\\;\\@\\$\\\\x", 10},
		{"\1\177\0", "\\127", 3},
	};
	char buf[NAME_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(name_to_text((const uint8_t *)rows[i].wire, rows[i].len, buf), rows[i].text);

	// The longest text there is: 250 octets in four labels, each as \DDD.
	uint8_t wire[NAME_WIRE_MAX] = {0};
	struct name name;

	wire[0] = wire[64] = wire[128] = 63;
	wire[192] = 61;
	assert_int_equal(name_read(wire, sizeof(wire), &name), 0);
	assert_int_equal(name.len, 255);
	assert_int_equal(strlen(name_to_text(wire, 255, buf)), 250 * 4 + 3);
}

// ---- against ldns ----

// A random valid name, of any octets or of letters only.
static size_t random_name(uint8_t *wire)
{
	size_t at = 0, target = 1 + rng() % NAME_WIRE_MAX, largest = rng() % 4 ? 1 + rng() % 10 : NAME_LABEL_MAX;
	bool any = rng() % 2;

	while (at + 2 < target) {
		size_t len = 1 + rng() % largest;

		if (at + 1 + len + 1 > target)
			len = target - at - 2;
		if (len == 0)
			break;
		wire[at++] = (uint8_t)len;
		for (; len > 0; len--)
			wire[at++] = any ? (uint8_t)rng() : (uint8_t)("aZ.-_*\\\"0"[rng() % 9]);
	}
	wire[at++] = 0;
	return at;
}

static void test_text_against_ldns(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint8_t wire[NAME_WIRE_MAX], back[NAME_WIRE_MAX];
		char text[NAME_TEXT_MAX];
		size_t len = random_name(wire), back_len = 0;

		// What we write, ldns and we read back.
		name_to_text(wire, len, text);

		ldns_rdf *read = ldns_dname_new_frm_str(text);

		assert_non_null(read);
		assert_int_equal(ldns_rdf_size(read), len);
		assert_memory_equal(ldns_rdf_data(read), wire, len);
		ldns_rdf_deep_free(read);
		assert_int_equal(name_from_text(text, back, &back_len), 0);
		assert_int_equal(back_len, len);
		assert_memory_equal(back, wire, len);

		// What ldns writes, we read.
		ldns_rdf *name = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, len, wire);
		ldns_buffer *buffer = ldns_buffer_new(2 * NAME_TEXT_MAX);

		assert_int_equal(ldns_rdf2buffer_str_dname(buffer, name), LDNS_STATUS_OK);
		ldns_buffer_write_u8(buffer, 0);
		assert_int_equal(name_from_text((const char *)ldns_buffer_begin(buffer), back, &back_len), 0);
		assert_int_equal(back_len, len);
		assert_memory_equal(back, wire, len);
		ldns_buffer_free(buffer);
		ldns_rdf_deep_free(name);
	}
}

// Random texts, mostly malformed: ldns and we agree on what is a name, and on which.
static void test_random_text_against_ldns(void **state)
{
	static const char alphabet[] = "aB.\\.0129-";
	size_t good = 0;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		char text[16];
		size_t text_len = 1 + rng() % (sizeof(text) - 1), len = 0;
		uint8_t wire[NAME_WIRE_MAX];

		for (size_t j = 0; j < text_len; j++)
			text[j] = alphabet[rng() % (sizeof(alphabet) - 1)];
		text[text_len] = '\0';

		ldns_rdf *read = ldns_dname_new_frm_str(text);
		int err = name_from_text(text, wire, &len);

		if ((err == 0) != (read != NULL))
			fail_msg("\"%s\": %d, ldns %s it", text, err, read ? "takes" : "refuses");
		if (read) {
			good++;
			assert_int_equal(len, ldns_rdf_size(read));
			assert_memory_equal(wire, ldns_rdf_data(read), len);
		}
		ldns_rdf_deep_free(read);
	}
	assert_true(good > 10000);
}

// ---- reading a question ----

static void test_read(void **state)
{
	static const struct {
		const char *wire;
		size_t avail;
		int labels; // -1: malformed
		const char *text;
	} rows[] = {
		{"\0", 1, 0, "."},
		{"\0garbage", 8, 0, "."},
		{"\3WwW\7eXample\0\0\1", 15, 2, "www.example"},
		{"\1@\1[\1`\1{\0", 9, 4, "\\@.[.`.{"},
		{"\1\301\0", 3, 1, "\\193"}, // not a letter of ASCII
		{"", 0, -1, NULL},
		{"\1", 1, -1, NULL},
		{"\1a", 2, -1, NULL},
		{"\1a\3b", 4, -1, NULL},
		{"\1a\2bc", 5, -1, NULL},
		{"\300\014", 2, -1, NULL},
		{"\1a\300\000", 4, -1, NULL},
		{"\100a", 2, -1, NULL},
		{"\200a", 2, -1, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t *exact = malloc(rows[i].avail + !rows[i].avail); // for AddressSanitizer
		char buf[NAME_TEXT_MAX];
		struct name name;

		memcpy(exact, rows[i].wire, rows[i].avail);

		int err = name_read(exact, rows[i].avail, &name);

		assert_int_equal(err, rows[i].labels < 0 ? E_INVAL : 0);
		if (err == 0) {
			assert_int_equal(name.labels, rows[i].labels);
			assert_string_equal(name_to_text(name.wire, name.len, buf), rows[i].text);
		}
		free(exact);
	}
}

static void test_read_limits(void **state)
{
	uint8_t wire[512];
	struct name name;

	(void)state;
	memset(wire, 1, sizeof(wire)); // labels of one octet, not terminated
	assert_int_equal(name_read(wire, sizeof(wire), &name), E_INVAL);
	wire[254] = 0;
	assert_int_equal(name_read(wire, sizeof(wire), &name), 0);
	assert_int_equal(name.len, 255);
	assert_int_equal(name.labels, 127);
	for (unsigned i = 0; i <= 127; i++)
		assert_int_equal(name.offset[i], 2 * i);
	assert_int_equal(name_read(wire, 254, &name), E_INVAL);
	wire[254] = 1;
	wire[256] = 0; // 257 octets
	assert_int_equal(name_read(wire, sizeof(wire), &name), E_INVAL);

	memset(wire, 'x', sizeof(wire));
	wire[0] = wire[64] = wire[128] = 63;
	wire[192] = 61;
	wire[254] = 0;
	assert_int_equal(name_read(wire, sizeof(wire), &name), 0);
	assert_int_equal(name.len, 255);
	wire[192] = 62; // 256 octets
	wire[255] = 0;
	assert_int_equal(name_read(wire, sizeof(wire), &name), E_INVAL);
	for (unsigned len = 64; len < 255; len++) { // followed by as many octets, and terminated
		memset(wire, 0, sizeof(wire));
		wire[0] = (uint8_t)len;
		assert_int_equal(name_read(wire, sizeof(wire), &name), E_INVAL);
	}
}

// Every truncation of every random name is refused; the complete name is read, folded and found label by label.
// Compressed names: pointers lead backwards, so that names end, and there are no more of them than labels can be.
static void test_unpack(void **state)
{
	static const struct {
		const char *message;
		size_t len, at;
		const char *name; // NULL: malformed
		size_t end;
	} rows[] = {
		{"\1A\2bC\0", 6, 0, "a.bc", 6},
		{"\0", 1, 0, ".", 1},
		{"x\1a\0\1b\xc0\1y", 9, 4, "b.a", 8},
		{"\1a\0\1b\xc0\0\1c\xc0\3", 11, 7, "c.b.a", 11},
		{"\1a\0\xc0\0\xc0\3", 7, 5, "a", 7},
		{"", 0, 0, NULL, 0},
		{"\1a", 2, 0, NULL, 0},
		{"\2a\0", 3, 0, NULL, 0},
		{"\1a\xc0", 3, 0, NULL, 0},
		{"\1a\xc0\0", 4, 0, NULL, 0},     // to itself
		{"\1a\xc0\4\1b\0", 7, 0, NULL, 0}, // forwards
		{"\1a\0\100x", 5, 3, NULL, 0},      // neither a label nor a pointer
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wire_name name;
		char text[NAME_TEXT_MAX];
		size_t at = rows[i].at;
		int err = name_unpack((const uint8_t *)rows[i].message, rows[i].len, &at, &name);

		if (err != (rows[i].name ? E_OK : E_INVAL))
			fail_msg("row %zu: %d", i, err);
		if (err == E_OK) {
			assert_string_equal(name_to_text(name.wire, name.len, text), rows[i].name);
			assert_int_equal(at, rows[i].end);
		}
	}
}

static void test_unpack_limits(void **state)
{
	uint8_t message[1 + 4 * (NAME_LABELS_MAX + 1)] = {1, 'a', 0};
	struct wire_name name;
	size_t at, len = 3;

	(void)state;
	for (unsigned pointers = 1; pointers <= NAME_LABELS_MAX + 1; pointers++) {
		size_t to = pointers == 1 ? 0 : len - 2;

		message[len] = (uint8_t)(0xc0 | to >> 8);
		message[len + 1] = (uint8_t)to;
		at = len;
		len += 2;
		assert_int_equal(name_unpack(message, len, &at, &name), pointers <= NAME_LABELS_MAX ? E_OK : E_INVAL);
	}
	// The longest name, with a pointer for each of its labels.
	len = 0;
	message[len++] = 0;
	for (unsigned labels = 1; labels <= NAME_LABELS_MAX + 1; labels++) {
		size_t to = labels == 1 ? 0 : len - 4;

		at = len;
		memcpy(message + len, (const uint8_t[]){1, 'a', (uint8_t)(0xc0 | to >> 8), (uint8_t)to}, 4);
		len += 4;
		assert_int_equal(name_unpack(message, len, &at, &name), labels <= NAME_LABELS_MAX ? E_OK : E_INVAL);
		assert_true(labels > NAME_LABELS_MAX || (name.len == 2 * labels + 1 && at == len));
	}
}

static void test_read_random(void **state)
{
	(void)state;
	for (int i = 0; i < 2000; i++) {
		uint8_t wire[NAME_WIRE_MAX], lower[NAME_WIRE_MAX];
		size_t len = random_name(wire);
		struct name name;

		for (size_t cut = 0; cut < len; cut++)
			assert_int_equal(name_read(wire, cut, &name), E_INVAL);
		assert_int_equal(name_read(wire, len, &name), 0);
		assert_int_equal(name.len, len);
		assert_int_equal(name.labels, name_labels(wire));

		ldns_rdf *rdf = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, len, wire);

		ldns_dname2canonical(rdf);
		assert_int_equal(name.labels, ldns_dname_label_count(rdf));
		assert_memory_equal(name.wire, ldns_rdf_data(rdf), len);
		ldns_rdf_deep_free(rdf);
		memcpy(lower, wire, len);
		name_fold(lower, len);
		assert_memory_equal(name.wire, lower, len);
		for (unsigned from = 0; from <= name.labels; from++) {
			const uint8_t *suffix = name.wire + name.offset[from];
			size_t suffix_len = (size_t)name.len - name.offset[from];

			assert_int_equal(name_labels(suffix), name.labels - from);
			assert_true(name_suffix_hash(&name, from) == name_hash(suffix, suffix_len));
			assert_true(name_ends_with(name.wire, name.len, suffix, suffix_len));
			if (from > 0)
				assert_false(name_ends_with(suffix, suffix_len, name.wire, name.len));
		}
	}
}

// Every octet in every place of a word and of what is left behind words.
static void test_fold(void **state)
{
	(void)state;
	for (size_t len = 1; len <= 20; len++)
		for (size_t at = 0; at < len; at++)
			for (unsigned octet = 0; octet < 256; octet++) {
				uint8_t folded[20], expected[20];

				memset(folded, octet % 2 ? 0xff : 'M', len);
				memset(expected, octet % 2 ? 0xff : 'm', len);
				folded[at] = (uint8_t)octet;
				expected[at] = (uint8_t)(octet >= 'A' && octet <= 'Z' ? octet + 32 : octet);
				name_fold(folded, len);
				assert_memory_equal(folded, expected, len);
			}
}

// Clients are shared among sites by it, so it stays as it is: words, then what is left, least octet first.
static void test_hash(void **state)
{
	uint8_t octets[40];

	(void)state;
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)rng();
	for (size_t len = 0; len <= sizeof(octets); len++) {
		uint64_t expected = 5 ^ (len * 0x9e3779b97f4a7c15u);

		for (size_t at = 0; at <= len; at += 8) {
			uint64_t word = 0;

			for (size_t i = at; i < len && i < at + 8; i++)
				word |= (uint64_t)octets[i] << 8 * (i - at);
			expected = (expected ^ word) * 0x9fb21c651e98df25u;
			expected ^= expected >> (at + 8 <= len ? 32 : 29);
		}
		assert_true(hash_bytes(5, octets, len) == expected);
	}
}

static void test_ends_with(void **state)
{
	static const struct {
		const char *name, *suffix;
		bool expected;
	} rows[] = {
		{"a.example", "example", true}, {"example", "example", true}, {"example", ".", true}, {".", ".", true},
		{".", "example", false}, {"xexample", "example", false}, {"a.examplx", "example", false},
		{"example", "a.example", false}, {"a\\007example", "example", false}, {"b.a.example", "a.example", true},
		{"b.c.example", "a.example", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t name[NAME_WIRE_MAX], suffix[NAME_WIRE_MAX];
		size_t len, suffix_len;

		assert_int_equal(name_from_text(rows[i].name, name, &len), 0);
		assert_int_equal(name_from_text(rows[i].suffix, suffix, &suffix_len), 0);
		assert_int_equal(name_ends_with(name, len, suffix, suffix_len), rows[i].expected);
	}
}

// The hash distinguishes names that differ in one octet, and includes the length.
static void test_hash_differs(void **state)
{
	uint8_t wire[NAME_WIRE_MAX];

	(void)state;
	for (int i = 0; i < 2000; i++) {
		size_t len = random_name(wire), at = rng() % len;
		uint64_t hash = name_hash(wire, len);

		assert_true(hash == name_hash(wire, len));
		assert_true(len == 1 || hash != name_hash(wire, len - 1));
		wire[at] ^= (uint8_t)(1 << rng() % 8);
		assert_true(hash != name_hash(wire, len));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_text),
		cmocka_unit_test(test_longest_text),
		cmocka_unit_test(test_to_text),
		cmocka_unit_test(test_text_against_ldns),
		cmocka_unit_test(test_random_text_against_ldns),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_limits),
		cmocka_unit_test(test_unpack),
		cmocka_unit_test(test_unpack_limits),
		cmocka_unit_test(test_read_random),
		cmocka_unit_test(test_fold),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_ends_with),
		cmocka_unit_test(test_hash_differs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
