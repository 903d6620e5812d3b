// Learned prefixes as a CSV: rows as a daemon may give them, with names of any octets, are one line each and read back as they
// were, or are a comment. What the reader refuses: tests/flow/transfer.py and fuzz_learned.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "client/json.h"
#include "client/learned_rows.h"

#define X21 "xxxxxxxxxxxxxxxxxxxxx"
#define X63 X21 X21 X21

static const struct {
	const char *carrier, *class_, *sites, *source; // sites: as JSON
	const char *line; // up to the source; NULL: it is a comment
} rows[] = {
	{"verizon", "edge", "[\"a\", \"b\"]", "teller", "192.0.2.0/24,verizon,edge,a;b,teller,"},
	{"", "", "[]", "", "192.0.2.0/24,,,,,"},
	{"a, b", "x\"y", "[\"a b\", \"c,d\"]", "#", "192.0.2.0/24,\"a, b\",\"x\"\"y\",\"a b;c,d\",\"#\","},
	{" blank ", "# no", "[\"\\\"\"]", "", "192.0.2.0/24,\" blank \",\"# no\",\"\"\"\",,"},
	{X63, X63, "[\"" X63 "\", \"b" X21 X21 "\", \"c\", \"d\"]", "",
	 "192.0.2.0/24," X63 "," X63 "," X63 ";b" X21 X21 ";c;d,,"},
	// No reader takes these.
	{"a\n198.51.100.0/24,evil", "", "[]", "", NULL},
	{"a\r\n", "\033[31m", "[]", "", NULL},
	{"caf\xc3\xa9", "", "[]", "", NULL},
	{"", "\xe2\x80\xa8", "[\"a\"]", "", NULL},
	{X63 "x", "", "[]", "", NULL},
	{"", "", "[\"a;b\"]", "", NULL},
	{"", "", "[\"a\", \" b\"]", "", NULL},
	{"", "", "[\"a \"]", "", NULL},
	{"", "", "[\"\"]", "", NULL},
	{"", "", "[\"a\\n198.51.100.0/24,evil\"]", "", NULL},
	{"", "", "[1]", "", NULL},
	{"", "", "[\"a\", \"b\", \"c\", \"d\", \"e\"]", "", NULL},
	{"", "", "[\"" X63 "\", \"" X63 "\", \"" X63 "\", \"" X63 "\", \"" X63 "\"]", "", NULL},
	// The source is read by nobody, and is within its field.
	{"", "", "[\"a\"]", "b\nc,d", "192.0.2.0/24,,,a,\"b?c,d\","},
};

static void refuse_none(void *ctx, size_t line, size_t column, const char *why)
{
	(void)ctx;
	fail_msg("%zu:%zu: %s", line, column, why);
}

static void check_same(const json_t *row, const json_t *again, const char *key)
{
	const json_t *was = json_object_get(row, key);
	bool is_none = json_array_size(was) == 0 && json_string_length(was) == 0;

	assert_true(is_none ? !json_object_get(again, key) : json_equal(was, json_object_get(again, key)));
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = NULL, *line;
		size_t len = 0;
		FILE *out = open_memstream(&text, &len);
		json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:o}", "prefix", "192.0.2.0/24", "carrier", rows[i].carrier, "class",
		                        rows[i].class_, "source", rows[i].source, "sites", json_loads(rows[i].sites, 0, NULL));
		struct client_rows reader;
		json_t *again;

		assert_true(out && row);
		client_rows_header(out);
		assert_int_equal(client_rows_write(out, row), rows[i].line != NULL);
		assert_int_equal(fclose(out), 0);
		line = strchr(text, '\n') + 1;
		assert_ptr_equal(strchr(line, '\n'), text + len - 1);
		assert_int_equal(line[0] == '#', !rows[i].line);
		if (rows[i].line)
			assert_memory_equal(line, rows[i].line, strlen(rows[i].line));
		for (const char *at = text; *at; at++)
			assert_true(*at == '\n' || (unsigned char)*at >= ' ');
		client_rows_begin(&reader, text, len, refuse_none, NULL);
		again = client_rows_next(&reader);
		assert_int_equal(again != NULL, rows[i].line != NULL);
		for (const char *const *key = (const char *const[]){"carrier", "class", "sites", NULL}; again && *key; key++)
			check_same(row, again, *key);
		json_decref(again);
		json_decref(row);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
