// Digests: of octets in pieces, against known ones and OpenSSL in one piece; of configs, as what is the same to a
// daemon and what is not.
#include "base/digest.h"

#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/report.h"
#include "config/config_digest.h"
#include "schema/yaml.h"

static void test_pieces(void **state)
{
	enum { LEN = 20000 };
	static const size_t pieces[] = {1, 7, 4095, 4096, 4097, LEN};
	uint8_t octets[LEN], expected[SHA256_DIGEST_LENGTH], got[DIGEST_OCTETS];
	char text[DIGEST_TEXT_LEN];

	(void)state;
	for (size_t i = 0; i < LEN; i++)
		octets[i] = (uint8_t)(i * 31 + i / 256);
	SHA256(octets, LEN, expected);
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		struct digest *digest = digest_begin();

		assert_non_null(digest);
		for (size_t at = 0; at < LEN; at += pieces[i])
			digest_add(digest, octets + at, at + pieces[i] > LEN ? LEN - at : pieces[i]);
		assert_int_equal(digest_end(digest, got), E_OK);
		assert_memory_equal(got, expected, sizeof(got));
	}
	// FIPS 180-2, of nothing.
	struct digest *digest = digest_begin();

	assert_int_equal(digest_end(digest, got), E_OK);
	assert_string_equal(digest_text(got, text), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

// Of a config as text, the caller's.
static char *digest_of(const char *text)
{
	const struct value_file file = {"test.yaml", "/test.yaml"};
	struct report *report = report_new();
	struct yaml_budget budget = YAML_BUDGET;
	struct yaml_tree *tree = NULL;
	char *buf = calloc(1, DIGEST_TEXT_LEN);

	assert_int_equal(yaml_tree_parse(&file, text, strlen(text), &budget, report, &tree), E_OK);
	assert_true(report_ok(report));
	assert_int_equal(config_digest(yaml_tree_root(tree), buf), E_OK);
	assert_int_equal(strlen(buf), DIGEST_TEXT_LEN - 1);
	yaml_tree_free(tree);
	report_free(report);
	return buf;
}

static void test_configs(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{"a: {b: c}", "# comment\na:\n  b: 'c'", true},
		{"a: 1\nb: 2", "b: 2\na: 1", true}, // sections may be in several files
		{"a: 1", "a: 1\nserver: {listen: x}", true},
		{"a: 1\nserver: {listen: y}", "a: 1\nserver: {listen: x}", true},
		{"a: 1\ninclude: [x]", "a: 1", true},
		{"a: 1", "a: 2", false},
		{"a: 1", "b: 1", false},
		{"a: {x: 1, y: 2}", "a: {y: 2, x: 1}", false}, // the order decides between equals
		{"a: {x: {server: 1}}", "a: {x: {server: 2}}", false},
		{"a: [x, y]", "a: [xy]", false},
		{"a: [x, [y]]", "a: [[x], y]", false},
		{"a: {b: c}", "a: [b, c]", false},
		{"a: bc", "ab: c", false},
		{"a:", "a: ''", false},
		{"a: {b: {}, c: d}", "a: {b: {c: d}}", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *a = digest_of(rows[i].a), *b = digest_of(rows[i].b);

		if ((strcmp(a, b) == 0) != rows[i].same)
			fail_msg("%s | %s", rows[i].a, rows[i].b);
		free(a);
		free(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_pieces), cmocka_unit_test(test_configs)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
