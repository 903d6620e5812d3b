// Cutting JSON documents out of a stream: a table of streams and what comes of them, each divided in every possible
// way; and what is bounded.
#include "lib/skim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ARRAY_LEN(array) (sizeof(array) / sizeof(*(array)))

static const struct skim_limits small = {.text = 8, .nested = 24, .level = 1, .huge = 20, .document = 100, .raw = 400};

#define X10 "xxxxxxxxxx"

static const struct {
	const char *stream, *documents; // a line each
	int result;
} cases[] = {
	{"", "", 0},
	{" \r\n\t", "", 0},
	{"{}", "{}\n", 0},
	{"{}{}\n{\"a\": 1}\n", "{}\n{}\n{\"a\":1}\n", 0},
	{"{ \"a b\" : [ 1 , true ] }", "{\"a b\":[1,true]}\n", 0},
	{"{\"a\":\"}{][\"}", "{\"a\":\"}{][\"}\n", 0},
	{"{\"a\":\"\\\"}\"}", "{\"a\":\"\\\"}\"}\n", 0},
	{"{\"a\":\"\\\\\"}{}", "{\"a\":\"\\\\\"}\n{}\n", 0},
	// Texts at their limit and beyond it, with an escape at the cut, as a key, and at the end.
	{"{\"a\":\"12345678\"}", "{\"a\":\"12345678\"}\n", 0},
	{"{\"a\":\"123456789\"}", "{\"a\":\"\"}\n", 0},
	{"{\"a\":\"" X10 X10 X10 "\\\"" X10 "\",\"b\":2}", "{\"a\":\"\",\"b\":2}\n", 0},
	{"{\"a\":\"1234567\\\"\"}", "{\"a\":\"\"}\n", 0},
	{"{\"" X10 "\":1}", "{\"\":1}\n", 0},
	// What is inside of another and too long; what it is in stays.
	{"{\"a\":[1,2,3],\"b\":2}", "{\"a\":[1,2,3],\"b\":2}\n", 0},
	{"{\"a\":[1111111111,2222222222,[3],{\"}\":3}],\"b\":2}", "{\"a\":null,\"b\":2}\n", 0},
	{"{\"a\":{\"b\":[\"1234567\",\"1234567\",\"1234567\"]}}", "{\"a\":{\"b\":null}}\n", 0},
	{"{\"a\":[\"1234567\",\"1234567\",\"123\"],\"b\":[1]}", "{\"a\":null,\"b\":[1]}\n", 0},
	// Not closed: nothing comes, and nothing is wrong yet.
	{"{\"a\":\"b", "", 0},
	{"{\"a\":{}", "", 0},
	{"[1]", "", SKIM_GARBAGE},
	{"{}7", "{}\n", SKIM_GARBAGE},
	{"\"a\"", "", SKIM_GARBAGE},
	{"}", "", SKIM_GARBAGE},
	{"{\"a\":\"\"}\x01", "{\"a\":\"\"}\n", SKIM_GARBAGE},
};

static int collect(void *ctx, const char *json, size_t len)
{
	fprintf(ctx, "%.*s\n", (int)len, json);
	return 0;
}

// Feeds the stream in pieces of `step` octets, the first of `first`.
static int run(struct skim *skim, const char *stream, size_t first, size_t step, char **ret_documents)
{
	size_t len = strlen(stream), size;
	FILE *file = open_memstream(ret_documents, &size);
	int result = 0;

	skim_begin(skim, &small);
	for (size_t at = 0, part = first; at < len && result == 0; at += part, part = step) {
		if (at + part > len)
			part = len - at;

		char *piece = malloc(part); // its exact size, for AddressSanitizer

		memcpy(piece, stream + at, part);
		result = skim_feed(skim, piece, part, collect, file);
		free(piece);
	}
	fclose(file);
	return result;
}

static void test_streams(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t step = 1; step < strlen(cases[i].stream) + 2; step++)
			for (size_t first = 1; first <= step; first++) {
				struct skim skim;
				char *documents;
				int result = run(&skim, cases[i].stream, first, step, &documents);

				if (result != cases[i].result || strcmp(documents, cases[i].documents) != 0)
					fail_msg("%s in pieces of %zu: %d\n%s", cases[i].stream, step, result, documents);
				free(documents);
				skim_end(&skim);
			}
}

static void test_amid(void **state)
{
	struct skim skim;
	char *documents;

	(void)state;
	assert_int_equal(run(&skim, "{\"a\":", 1, 1, &documents), 0);
	assert_true(skim_amid(&skim));
	free(documents);
	skim_end(&skim);
	assert_int_equal(run(&skim, "{} ", 1, 1, &documents), 0);
	assert_false(skim_amid(&skim));
	free(documents);
	skim_end(&skim);
}

static void test_depth(void **state)
{
	char stream[2 * SKIM_DEPTH_MAX + 8] = "";
	struct skim skim;
	char *documents;

	(void)state;
	for (int depth = 0; depth <= SKIM_DEPTH_MAX; depth++)
		strcat(stream, depth ? "[" : "{");
	assert_int_equal(run(&skim, stream, 1, 1, &documents), SKIM_GARBAGE);
	free(documents);
	skim_end(&skim);
}

static int stop_at_once(void *ctx, const char *json, size_t len)
{
	(void)json, (void)len;
	++*(int *)ctx;
	return 5;
}

static void test_stop(void **state)
{
	struct skim skim;
	int calls = 0;

	(void)state;
	skim_begin(&skim, &small);
	assert_int_equal(skim_feed(&skim, "{}{}", 4, stop_at_once, &calls), 5);
	assert_int_equal(calls, 1);
	skim_end(&skim);
}

// A text, an array and an object without end: memory is bounded, and so is what one document may have.
static void test_endless(void **state)
{
	static const struct skim_limits limits = {
		.text = 100, .nested = 1000, .level = 1, .huge = 5000, .document = 10000, .raw = 1 << 20,
	};
	static const char *const starts[] = {"{\"a\":\"", "{\"a\":[", "{\"a\":{", "{"};
	static const char *const parts[] = {"xxxxxxxx", "1,[],\"\",", "\"a\":\"b\",", "\"a\":[1],"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		struct skim skim;
		int result, calls = 0;
		size_t fed = 0;

		skim_begin(&skim, &limits);
		result = skim_feed(&skim, starts[i], strlen(starts[i]), stop_at_once, &calls);
		for (; result == 0; fed += 8)
			result = skim_feed(&skim, parts[i], 8, stop_at_once, &calls);
		assert_int_equal(result, SKIM_LARGE);
		assert_int_equal(calls, 0);
		assert_true(skim.cap <= 32768);
		assert_int_equal(skim.huge, i < 3); // the last one is the document itself
		assert_true(fed <= limits.raw);
		skim_end(&skim);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams), cmocka_unit_test(test_amid), cmocka_unit_test(test_depth),
		cmocka_unit_test(test_stop),    cmocka_unit_test(test_endless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
