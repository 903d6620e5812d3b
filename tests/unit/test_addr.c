// Prefixes that lie in each other.
#include "base/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"

static struct prefix parsed(const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix, NULL), E_OK);
	return prefix;
}

static void test_overlaps(void **state)
{
	static const struct {
		const char *a, *b;
		bool overlap;
	} pairs[] = {
		{"192.0.2.0/24", "192.0.2.0/24", true},
		{"192.0.2.0/24", "192.0.2.128/25", true},
		{"192.0.2.0/25", "192.0.2.128/25", false},
		{"192.0.2.0/24", "192.0.3.0/24", false},
		{"192.0.2.0/23", "192.0.3.255/32", true},
		{"0.0.0.0/0", "255.255.255.255/32", true},
		{"0.0.0.0/0", "::/0", false},
		{"::/0", "2001:db8::/32", true},
		{"2001:db8::/32", "2001:db8:ffff::1/128", true},
		{"2001:db8::/32", "2001:db9::/32", false},
		{"2001:db8::1/128", "2001:db8::2/128", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct prefix a = parsed(pairs[i].a), b = parsed(pairs[i].b);

		assert_int_equal(prefix_overlaps(&a, &b), pairs[i].overlap);
		assert_int_equal(prefix_overlaps(&b, &a), pairs[i].overlap);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_overlaps)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
