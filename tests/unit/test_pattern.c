// Regular expressions: what they find, what is refused, and that no body can make a search expensive.
#include "base/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static int search(const char *text, const char *octets, size_t len, uint64_t *ret_work)
{
	struct pattern *pattern = NULL;
	char why[PATTERN_WHY_LEN];
	int result;

	if (pattern_new(text, &pattern, why) < 0)
		fail_msg("/%s/ %s", text, why);
	result = pattern_search(pattern, octets, len, ret_work);
	pattern_free(pattern);
	return result;
}

static void finds(void **state)
{
	static const struct {
		const char *text, *subject;
		int result;
	} rows[] = {
		{"ok", "all ok here", E_OK}, {"ok", "OK", E_NOTFOUND}, {"(?i)ok", "OK", E_OK}, {"^ok$", "ok", E_OK},
		{"^ok$", "ok\n", E_OK}, {"^b", "a\nb", E_NOTFOUND}, {"(?m)^b", "a\nb", E_OK}, {"a.b", "a\nb", E_NOTFOUND},
		{"(?s)a.b", "a\nb", E_OK}, {"\"status\":\\s*\"(UP|WARN)\"", "{\"status\": \"WARN\"}", E_OK},
		{"\"status\":\\s*\"(UP|WARN)\"", "{\"status\": \"DOWN\"}", E_NOTFOUND}, {"^(?!.*error)", "no problem", E_OK},
		{"^(?!.*error)", "an error", E_NOTFOUND}, {"", "", E_OK}, {"x", "", E_NOTFOUND}, {"\\xff", "a\xff", E_OK},
		{"^.{2}$", "\xc3\xa4", E_OK}, // octets
		{"(a)(b)(c)", "abc", E_OK},   // more groups than are kept
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (search(rows[i].text, rows[i].subject, strlen(rows[i].subject), NULL) != rows[i].result)
			fail_msg("/%s/ in \"%s\"", rows[i].text, rows[i].subject);
	assert_int_equal(search("b", "a\0b", 3, NULL), E_OK);
}

static void refuses(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"(", "is no regular expression from its character 2 on: missing closing parenthesis, expected one of PCRE2"},
		{"a[", "is no regular expression from its character 3 on: missing terminating ] for character class, expected one of PCRE2"},
		{"(a)\\1", "has a back reference, expected a regular expression without any"},
		{"(?<n>a)(?P=n)", "has a back reference, expected a regular expression without any"},
		{"\\C", "is no regular expression from its character 3 on: using \\C is disabled by the application, expected one of PCRE2"},
		{"(*UTF)a", "is no regular expression from its character 7 on: using UTF is disabled by the application, expected one of PCRE2"},
	};
	struct pattern *pattern = NULL;
	char why[PATTERN_WHY_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(pattern_new(rows[i].text, &pattern, why), E_INVAL);
		assert_string_equal(why, rows[i].why);
	}
	assert_null(pattern_free(pattern));
}

// The work stops at the limit, plus what the last step has passed over.
static void work_is_bounded(void **state)
{
	static const char *const texts[] = {
		"(a+)+$", "(a|aa)+$", "^(a*)*b?$x", "[a]*+[bc]", "(?:a?){20}a{20}b", "(.*)(.*)(.*)(.*)[bc]", "(?s)(.*?,){11}P",
		"(?=(a+))a*b|c", "(a(?1)?)+[xy]", "(?<!b)a+[xy]", "(?:a{1,100}){1,100}[xy]", "(?:(?=a)a)*[xy]",
		"(*NO_START_OPT)(*NO_AUTO_POSSESS)a*[bc]", "(*LIMIT_MATCH=400000000)(a+)+[xy]",
	};
	char *octets = malloc(PATTERN_SUBJECT_MAX);

	(void)state;
	memset(octets, 'a', PATTERN_SUBJECT_MAX);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		uint64_t work = 0;
		int result = search(texts[i], octets, PATTERN_SUBJECT_MAX - 1, &work);

		if (result != E_LIMIT && result != E_NOTFOUND && result != E_OK)
			fail_msg("/%s/: %d after %llu", texts[i], result, (unsigned long long)work);
		assert_true(work <= PATTERN_WORK_MAX + PATTERN_SUBJECT_MAX + 1);
	}
	// What people write costs little more than the body is long.
	uint64_t work = 0;

	assert_int_equal(search("\"status\":\\s*\"(UP|WARN)\"", octets, PATTERN_SUBJECT_MAX, &work), E_NOTFOUND);
	assert_true(work < 2 * PATTERN_SUBJECT_MAX);
	free(octets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds),
		cmocka_unit_test(refuses),
		cmocka_unit_test(work_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
