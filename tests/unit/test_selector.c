// Selectors of sites: how they are written, and which sites they match.
#include "state/selector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/err.h"

static void test_make(void **unused)
{
	static const struct {
		const char *sites, *region, *carrier;
		int err;
		const char *made;
	} rows[] = {
		{"bos", NULL, NULL, E_OK, "bos"},
		{"us-*", NULL, NULL, E_OK, "us-*"},
		{NULL, "us-east-1", NULL, E_OK, "region:us-east-1"},
		{NULL, NULL, "verizon", E_OK, "carrier:verizon"},
		{NULL, "us-east-1", "verizon", E_OK, "region:us-east-1,carrier:verizon"},
		{"a*", "r", "c", E_OK, "a*,region:r,carrier:c"},
		{"a*,region:r", NULL, "c", E_OK, "a*,region:r,carrier:c"},
		{"region:r,carrier:c", NULL, NULL, E_OK, "region:r,carrier:c"},
		{NULL, NULL, NULL, E_INVAL, NULL},
		{"", NULL, NULL, E_INVAL, NULL},
		{NULL, "", NULL, E_INVAL, NULL},
		{NULL, "a,b", NULL, E_INVAL, NULL},
		{NULL, NULL, "a,carrier:b", E_INVAL, NULL},
		{"region:r", "s", NULL, E_INVAL, NULL},
		{"carrier:c", NULL, "d", E_INVAL, NULL},
		{"carrier:c", "r", NULL, E_INVAL, NULL}, // the order is fixed, so that one thing has one name
		{"carrier:c,region:r", NULL, NULL, E_INVAL, NULL},
		{"region:", NULL, NULL, E_INVAL, NULL},
		{"a*,b*", NULL, NULL, E_INVAL, NULL},
	};
	char made[64];

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(selector_make(rows[i].sites, rows[i].region, rows[i].carrier, made, sizeof(made)), rows[i].err);
		if (rows[i].err == E_OK) {
			assert_string_equal(made, rows[i].made);
			assert_true(selector_is_sound(made));
			assert_int_equal(selector_is(made), strcmp(made, "bos") != 0);
		}
	}
	assert_int_equal(selector_make("a*", "region", "carrier", made, 8), E_LIMIT);
	assert_false(selector_is_sound("a*,"));
	assert_false(selector_is_sound("region:a,region:b"));
}

static bool is_verizon(const void *ctx, const char *carrier)
{
	(void)ctx;
	return strcmp(carrier, "verizon") == 0;
}

static void test_match(void **unused)
{
	static const struct {
		const char *selector;
		bool match;
	} rows[] = {
		{"us-east-1-wl1-bos", true}, {"us-east-1-wl1-bo", false}, {"us-east-1-wl1-*", true}, {"*", true}, {"*bos", true},
		{"*nyc", false}, {"us-?ast-*-b?s", true}, {"?", false}, {"region:us-east-1", true}, {"region:us-east", false},
		{"region:us-east-1-wl1-bos", true}, {"carrier:verizon", true}, {"carrier:kddi", false},
		{"us-*,region:us-east-1,carrier:verizon", true}, {"eu-*,region:us-east-1,carrier:verizon", false},
		{"us-*,carrier:kddi", false}, {"region:x,carrier:verizon", false}, {"a*,", false}, {"carrier:", false},
	};
	const struct selector_site site = {"us-east-1-wl1-bos", "us-east-1", is_verizon, NULL};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (selector_matches(rows[i].selector, &site) != rows[i].match)
			fail_msg("%s: expected %d", rows[i].selector, rows[i].match);
}

// Time against a pattern that is made to take long: no more than the product of the lengths.
static void test_long(void **unused)
{
	char pattern[256], name[256];
	const struct selector_site site = {name, "", is_verizon, NULL};

	(void)unused;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 0; i + 3 < sizeof(pattern); i += 2)
		memcpy(pattern + i, "*a", 3);
	memcpy(pattern + sizeof(pattern) - 4, "*b", 3);
	for (int i = 0; i < 1000; i++)
		assert_false(selector_matches(pattern, &site));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_make), cmocka_unit_test(test_match), cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
