// What is shown of text that anybody may have written.
#include "base/clean.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"

static const struct {
	const char *text, *shown;
} rows[] = {
	{"", ""},
	{"plain text, `quoted` 100 %", "plain text, `quoted` 100 %"},
	{"\xc3\xa9t\xc3\xa9 \xe6\x9d\xb1\xe4\xba\xac \xf0\x9f\x98\x80", "\xc3\xa9t\xc3\xa9 \xe6\x9d\xb1\xe4\xba\xac \xf0\x9f\x98\x80"},
	// Control characters: C0, DEL, C1.
	{"a\033[31mb\r\n\tc\001", "a?[31mb???c?"},
	{"a\177b", "a?b"},
	{"\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", "???\xc2\xa0"},
	// Separators of lines, and direction: marks, embeddings, overrides, isolates.
	{"\xe2\x80\xa8\xe2\x80\xa9", "??"},
	{"\xd8\x9c|\xe2\x80\x8e|\xe2\x80\x8f|\xe2\x80\xaa|\xe2\x80\xae|\xe2\x81\xa6|\xe2\x81\xa9", "?|?|?|?|?|?|?"},
	{"\xe2\x80\x8d\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa", "\xe2\x80\x8d\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa"}, // next to them
	// Not UTF-8: lone and missing continuations, overlong forms, surrogates, too large.
	{"\x80 \xff \xfe \xc3", "? ? ? ?"},
	{"\xc3(", "?("},
	{"\xe6\x9d", "??"},
	{"\xc0\x80 \xc1\xbf", "?? ??"},
	{"\xe0\x80\xaf", "???"},
	{"\xed\xa0\x80", "???"},
	{"\xf4\x90\x80\x80", "????"},
	{"\xf8\x88\x80\x80\x80", "?????"},
	{"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char copy[64], own[64];

		assert_int_equal(clean_copy(copy, sizeof(copy), rows[i].text), strlen(rows[i].text));
		assert_string_equal(copy, rows[i].shown);
		strcpy(own, rows[i].text);
		assert_ptr_equal(clean_text(own), own);
		assert_string_equal(own, rows[i].shown);
	}
}

// What does not fit is cut between characters, and the caller sees how much was taken.
static void test_cut(void **state)
{
	char buf[6];

	(void)state;
	assert_int_equal(clean_copy(buf, 1, "a"), 0);
	assert_string_equal(buf, "");
	assert_int_equal(clean_copy(buf, sizeof(buf), "abcd\xc3\xa9"), 4);
	assert_string_equal(buf, "abcd");
	assert_int_equal(clean_copy(buf, sizeof(buf), "\xe2\x80\xae" "bcdef"), 7);
	assert_string_equal(buf, "?bcde");
}

// Octets of all kinds: what comes out is shown as it is.
static void test_any(void **state)
{
	uint64_t rng = 88172645463325252u;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char text[24], once[24], twice[24];
		size_t len = (size_t)round % sizeof(text);

		for (size_t i = 0; i < len; i++) {
			rng ^= rng << 13;
			rng ^= rng >> 7;
			rng ^= rng << 17;
			text[i] = (char)(rng >> 32 | 1);
		}
		text[len] = '\0';
		assert_int_equal(clean_copy(once, sizeof(once), text), strlen(text));
		clean_copy(twice, sizeof(twice), once);
		assert_string_equal(twice, once);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_cut), cmocka_unit_test(test_any)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
