// Patterns of names: a table, and time against a pattern that is made to take long.
#include "lib/glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *pattern, *text;
	bool match;
} cases[] = {
	{"", "", true},
	{"", "a", false},
	{"a", "", false},
	{"a", "a", true},
	{"A.b", "a.B", true},
	{"a", "ab", false},
	{"*", "", true},
	{"*", "a.b-c", true},
	{"?", "", false},
	{"?", "a", true},
	{"??", "a", false},
	{"a*", "a", true},
	{"a*", "ba", false},
	{"*.edge.example.com", "shop.edge.example.com", true},
	{"*.edge.example.com", "a.b.edge.example.com", true},
	{"*.edge.example.com", "*.edge.example.com", true},
	{"*.edge.example.com", "edge.example.com", false},
	{"*.edge.example.com", "xedge.example.com", false},
	{"*.edge.example.com", "a.edge.example.com.evil", false},
	{"shop-*.example.com", "*.example.com", false}, // a wildcard is a name like any other
	{"a*b*c", "aXbXbXc", true},
	{"a*b*c", "aXbXbX", false},
	{"**a", "bba", true},
	{"a.c", "abc", false},
	{"[ab]", "a", false},
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (glob_match(cases[i].pattern, cases[i].text) != cases[i].match)
			fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].text);
}

// Exponential matchers do not come back from this.
static void test_time(void **state)
{
	char pattern[256], text[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(pattern) - 2; i += 2)
		memcpy(pattern + i, "*a", 2);
	strcpy(pattern + sizeof(pattern) - 2, "b");
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_false(glob_match(pattern, text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_table), cmocka_unit_test(test_time)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
