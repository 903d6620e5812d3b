// The streaming search against memmem, over random texts of two letters cut at random.
#include "health/needle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

static void equals_memmem(void **state)
{
	(void)state;
	srand(1);
	for (int round = 0; round < 20000; round++) {
		struct arena *arena = arena_new(1 << 20);
		struct needle needle;
		char text[16] = "", hay[64];
		size_t text_len = 1 + (size_t)rand() % 8, len = (size_t)rand() % sizeof(hay), matched = 0;
		bool found = false;

		for (size_t i = 0; i < text_len; i++)
			text[i] = (char)('a' + rand() % 2);
		for (size_t i = 0; i < len; i++)
			hay[i] = (char)('a' + rand() % 2);
		assert_int_equal(needle_make(arena, text, &needle), 0);
		for (size_t at = 0, step; at < len; at += step) {
			step = 1 + (size_t)rand() % 9;
			if (step > len - at)
				step = len - at;
			found = needle_feed(&needle, &matched, hay + at, step);
			assert_int_equal(found, memmem(hay, at + step, text, text_len) != NULL);
		}
		arena_free(arena);
	}
}

static void none_and_too_long(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	struct needle needle;
	char *text = malloc(NEEDLE_MAX_LEN + 2);

	(void)state;
	assert_int_equal(needle_make(arena, NULL, &needle), 0);
	assert_int_equal(needle.len, 0);
	memset(text, 'x', NEEDLE_MAX_LEN + 1);
	text[NEEDLE_MAX_LEN + 1] = '\0';
	assert_int_equal(needle_make(arena, text, &needle), E_LIMIT);
	text[NEEDLE_MAX_LEN] = '\0';
	assert_int_equal(needle_make(arena, text, &needle), 0);
	free(text);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_memmem),
		cmocka_unit_test(none_and_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
