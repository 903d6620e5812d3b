// Blocks that are kept: of the same size the same one, never one that is in use, and no more than a few.
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "base/recycle.h"

enum { LARGE = 512 << 10, SMALL = 1000, MANY = 40, THREADS = 4, TURNS = 2000 };

// Beside AddressSanitizer none is kept.
static void *expect_same(void *got, const void *before)
{
#ifndef __SANITIZE_ADDRESS__
	assert_ptr_equal(got, before);
#else
	(void)before;
#endif
	assert_non_null(got);
	return got;
}

static void test_kept(void **state)
{
	void *first = recycle_take(LARGE), *second = recycle_take(LARGE + 1), *again;

	(void)state;
	assert_non_null(first);
	assert_ptr_not_equal(first, second);
	assert_int_equal((uintptr_t)first % _Alignof(max_align_t), 0);
	memset(first, 1, LARGE);
	memset(second, 2, LARGE + 1);
	recycle_put(first);
	recycle_put(second);
	again = recycle_take(LARGE + 1);
	first = expect_same(recycle_take(LARGE), first);
	again = expect_same(again, second);
	recycle_put(first);
	recycle_put(again);
	recycle_put(NULL);
	recycle_clear();
	assert_null(recycle_take(SIZE_MAX));
}

// A config that is no more: its blocks make room.
static void test_others(void **state)
{
	void *old[MANY], *block;

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		assert_non_null(old[i] = recycle_take(LARGE + i));
	for (size_t i = 0; i < MANY; i++)
		recycle_put(old[i]);
	for (size_t i = 0; i < MANY; i++) {
		block = recycle_take(2 * LARGE);
		memset(block, 3, 2 * LARGE);
		recycle_put(block);
		recycle_put(expect_same(recycle_take(2 * LARGE), block));
	}
	block = recycle_take(SMALL);
	memset(block, 4, SMALL);
	recycle_put(block);
	recycle_clear();
}

static void *take_turns(void *arg)
{
	unsigned char mark = (unsigned char)(uintptr_t)arg;

	for (size_t i = 0; i < TURNS; i++) {
		size_t size = (128 << 10) + i % 3;
		unsigned char *block = recycle_take(size);

		if (!block)
			return NULL;
		memset(block, mark, 64);
		memset(block + size - 64, mark, 64);
		for (size_t k = 0; k < 64; k++)
			if (block[k] != mark || block[size - 1 - k] != mark)
				return NULL; // another one has it too
		recycle_put(block);
	}
	return arg;
}

static void test_threads(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_turns, (void *)(i + 1)), 0);
	for (uintptr_t i = 0; i < THREADS; i++) {
		void *result;

		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_ptr_equal(result, (void *)(i + 1));
	}
	recycle_clear();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
