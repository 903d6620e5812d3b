// Interning against a linear search, with few hashes so that many things share one.
#include "base/intern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/hash.h"

enum { VALUES = 4000, ROUNDS = 20000, SEED = 5 };

static bool is_equal(const void *values, uint32_t number, const void *key)
{
	return ((const unsigned *)values)[number] == *(const unsigned *)key;
}

static int64_t find_linearly(const unsigned *values, size_t count, unsigned key)
{
	for (size_t i = 0; i < count; i++)
		if (values[i] == key)
			return (int64_t)i;
	return -1;
}

static void against_linear_search(uint64_t (*hash)(unsigned key))
{
	static unsigned values[VALUES];
	struct intern intern = {0};
	unsigned seed = SEED, key = 0;
	size_t count = 0;

	assert_int_equal(intern_find(&intern, 0, is_equal, values, &key), -1);
	for (unsigned round = 0; round < ROUNDS; round++) {
		key = (unsigned)rand_r(&seed) % VALUES;

		int64_t found = intern_find(&intern, hash(key), is_equal, values, &key);

		assert_int_equal(found, find_linearly(values, count, key));
		if (found < 0) {
			values[count] = key;
			assert_int_equal(intern_add(&intern, hash(key), (uint32_t)count++), E_OK);
		}
	}
	assert_int_equal(intern.count, count);
	assert_true(2 * intern.count <= intern.slot_count);
	intern_wipe(&intern);
	assert_int_equal(intern_find(&intern, hash(key), is_equal, values, &key), -1);
}

static uint64_t good_hash(unsigned key)
{
	return hash_mix(key);
}

static uint64_t poor_hash(unsigned key)
{
	return (uint64_t)(key % 50) << 32;
}

static void test_good_hash(void **state)
{
	(void)state;
	against_linear_search(good_hash);
}

static void test_poor_hash(void **state)
{
	(void)state;
	against_linear_search(poor_hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_hash),
		cmocka_unit_test(test_poor_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
