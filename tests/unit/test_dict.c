// The dictionary of texts: what was added is found, in order, once; whatever its size.
#include "base/dict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void test_all(void **state)
{
	enum { KEYS = 5000, LEN = 12 };
	static char keys[KEYS][LEN];
	struct dict *dict = dict_new();
	size_t count;

	(void)state;
	assert_non_null(dict);
	assert_null(dict_find(dict, ""));
	dict_entries(dict, &count);
	assert_int_equal(count, 0);
	for (size_t i = 0; i < KEYS; i++) {
		snprintf(keys[i], LEN, "k%zu", i * 7);
		assert_null(dict_find(dict, keys[i]));
		assert_int_equal(dict_add(dict, keys[i], i), E_OK);
		assert_int_equal(dict_add(dict, keys[i / 2], 0), E_EXISTS);
	}

	const struct dict_entry *entries = dict_entries(dict, &count);

	assert_int_equal(count, KEYS);
	for (size_t i = 0; i < KEYS; i++) {
		char copy[LEN];

		memcpy(copy, keys[i], LEN);
		assert_ptr_equal(entries[i].key, keys[i]);
		assert_int_equal(dict_find(dict, copy)->value, i);
	}
	assert_null(dict_find(dict, "k1"));
	assert_null(dict_find(dict, "k"));
	assert_int_equal(dict_add(dict, "", 9), E_OK);
	assert_int_equal(dict_find(dict, "")->value, 9);
	assert_null(dict_free(dict));
	assert_null(dict_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
