// YAML into trees: the result, the positions of its parts, and what is refused.
#include "schema/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/report.h"
#include "report_text.h"
#include "tempdir.h"

static const struct value_file f = {"f", "/f"};

static json_t *json_of(const struct value *value)
{
	json_t *json = value_is(value, VALUE_MAP)    ? json_object()
	               : value_is(value, VALUE_LIST) ? json_array()
	               : value_is(value, VALUE_TEXT) ? json_string(value->text)
	                                             : json_null();
	size_t count = 0;

	value_foreach (child, value) {
		count++;
		if (value_is(value, VALUE_MAP))
			json_object_set_new(json, child->key, json_of(child));
		else
			json_array_append_new(json, json_of(child));
	}
	assert_int_equal(value_count(value), count);
	return json;
}

// Parses, and compares the tree as compact JSON ("" for none) and the report.
static void check(const char *text, size_t len, const char *json, const char *reported)
{
	struct report *report = report_new();
	struct yaml_tree *tree = NULL;
	int err = yaml_tree_parse(&f, text, len, &YAML_BUDGET, report, &tree);
	json_t *root = tree ? json_of(yaml_tree_root(tree)) : NULL;
	char *got = tree ? json_dumps(root, JSON_COMPACT | JSON_ENCODE_ANY) : strdup("");
	char *lines = report_text(report);

	if (strcmp(got, json) != 0 || strcmp(lines, reported) != 0 || (err == E_OK) != (tree != NULL))
		fail_msg("`%s`:\n%s\n%swanted:\n%s\n%s", text, got, lines, json, reported);
	free(lines);
	free(got);
	json_decref(root);
	yaml_tree_free(tree);
	report_free(report);
}

static void trees(void **state)
{
	static const struct {
		const char *yaml, *json;
	} rows[] = {
		{"", "null"},
		{"# only a comment\n", "null"},
		{"~", "null"},
		{"a: 1\nb: [x, 'y', \"z\"]\n", "{\"a\":\"1\",\"b\":[\"x\",\"y\",\"z\"]}"},
		{"z: 1\na: 2\nm: 3\n", "{\"z\":\"1\",\"a\":\"2\",\"m\":\"3\"}"},
		{"a:\n  - b: off\n  - 0123\n  - 1.50\n", "{\"a\":[{\"b\":\"off\"},\"0123\",\"1.50\"]}"},
		{"a: null\nb: ~\nc:\nd: \"null\"\ne: ''\n", "{\"a\":null,\"b\":null,\"c\":null,\"d\":\"null\",\"e\":\"\"}"},
		{"{\"a\": {\"b\": [1, true, null, \"\\u00e9\"]}}", "{\"a\":{\"b\":[\"1\",\"true\",null,\"\xc3\xa9\"]}}"},
		{"a: |\n  two\n  lines\n", "{\"a\":\"two\\nlines\\n\"}"},
		{"\xef\xbb\xbf" "a: b\n", "{\"a\":\"b\"}"},
		{"--- \na: b\n...\n", "{\"a\":\"b\"}"},
		{"a:\t[1,\n\t2]\t# a tab that does not indent\n", "{\"a\":[\"1\",\"2\"]}"},
		{"just text", "\"just text\""},
		{"null: 1", "{\"null\":\"1\"}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(rows[i].yaml, strlen(rows[i].yaml), rows[i].json, "");
}

static void refusals(void **state)
{
	static const struct {
		const char *yaml, *json, *reported;
	} rows[] = {
		// The tree continues past these.
		{"a: 1\nb: 2\na: {c: [3]}\n", "{\"a\":\"1\",\"b\":\"2\"}",
		 "f:3:1: a: duplicate key, expected once: it is on line 1 already\n"},
		{"a: &x 1\nb: *x\n", "{\"a\":\"1\",\"b\":null}",
		 "f:1:4: anchors and aliases are not supported, expected the value itself\n"
		 "f:2:4: anchors and aliases are not supported, expected the value itself\n"},
		{"a: !!int 5\nb: !x [1]\n", "{\"a\":\"5\",\"b\":[\"1\"]}",
		 "f:1:4: tags are not supported, expected a plain value\nf:2:4: tags are not supported, expected a plain value\n"},
		{"a: 1\n---\na: 2\n", "{\"a\":\"1\"}", "f:2:1: a second document starts here, expected one per file\n"},
		{"a: 1\n'': 2\n", "{\"a\":\"1\",\"\":\"2\"}", "f:2:1: an empty key, expected a name\n"},
		// And not past these.
		{"? [a]\n: b\n", "", "f:1:3: a mapping or list in place of a key, expected text\n"},
		{"&k a: 1\n? *k\n: 2\n", "",
		 "f:1:1: anchors and aliases are not supported, expected the value itself\n"
		 "f:2:3: anchors and aliases are not supported, expected the value itself\n"},
		{"a: \"x\\0y\"\n", "", "f:1:4: a zero octet in a text, expected none\n"},
		{"a: [1, 2\nb: 3\n", "",
		 "f:2:2: not YAML: did not find expected ',' or ']' (while parsing a flow sequence on line 1)\n"},
		{"a: 1\n  b: 2\n", "", "f:2:4: not YAML: mapping values are not allowed in this context, expected `key: value`, indented as "
		 "its neighbours are\n"},
		{"a:\n\t- b\n", "", "f:2:1: a tab cannot indent YAML: use spaces\n"},
		{"\xc3\xa9:\n  b: 1\n  \tc: 2\n", "", "f:3:3: a tab cannot indent YAML: use spaces\n"},
		{"a: b\n\tc: d\n", "", "f:2:1: a tab cannot indent YAML: use spaces\n"},
		{"a: |\n\tb\n", "", "f:2:1: a tab cannot indent YAML: use spaces\n"},
		{"a: >\n b\r\n\tc: d\n", "", "f:3:1: a tab cannot indent YAML: use spaces\n"},
		{"\ta: [b\n", "", "f:1:1: a tab cannot indent YAML: use spaces\n"},
		{"a: 1\n\tb @\n", "", "f:2:1: a tab cannot indent YAML: use spaces\n"},
		{"a: @b\n", "",
		 "f:1:4: not YAML: found character that cannot start any token (while scanning for the next token on line "
		 "1), expected text that begins with it in quotes\n"},
		{"a: [2001:db8::]\n", "",
		 "f:1:14: not YAML: found unexpected ':' (while scanning a plain scalar on line 1), expected text with it in "
		 "quotes\n"},
		{"a:\n  b: 1\n c: 2\n", "",
		 "f:3:2: not YAML: did not find expected key (while parsing a block mapping on line 1), expected `key: value`, "
		 "indented as its neighbours are\n"},
		{"a: 1\n<<<<<<< ours\nb: 2\n", "",
		 "f:3:1: not YAML: could not find expected ':' (while scanning a simple key on line 2), expected `key: value`\n"},
		{"a: b\nc\xc3\xa9: \xff\n", "", "f:2:5: not text: invalid leading UTF-8 octet, expected YAML in UTF-8\n"},
		{"a: \xc3(\n", "", "f:1:5: not text: invalid trailing UTF-8 octet, expected YAML in UTF-8\n"},
		{"a: \x01\n", "", "f:1:4: not text: control characters are not allowed, expected YAML in UTF-8\n"},
		{"{", "", "f:2:1: not YAML: did not find expected node content (while parsing a flow node on line 2)\n"},
		{"\"", "", "f:1:2: not YAML: found unexpected end of stream (while scanning a quoted scalar on line 1)\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(rows[i].yaml, strlen(rows[i].yaml), rows[i].json, rows[i].reported);
	check("a: \0", 4, "", "f:1:4: not text: control characters are not allowed, expected YAML in UTF-8\n");
}

static void caps(void **state)
{
	char deep[2 * (YAML_DEPTH_MAX + 1)], wanted[100];
	char *big = calloc(2, YAML_NODES_MAX);

	(void)state;
	assert_non_null(big);
	memset(deep, '[', sizeof(deep));
	memset(deep + YAML_DEPTH_MAX, ']', YAML_DEPTH_MAX);
	deep[2 * YAML_DEPTH_MAX] = '\0';

	struct report *report = report_new();
	struct yaml_tree *tree = NULL;

	assert_int_equal(yaml_tree_parse(&f, deep, strlen(deep), &YAML_BUDGET, report, &tree), E_OK);
	tree = yaml_tree_free(tree);
	memset(deep, '[', sizeof(deep));
	check(deep, sizeof(deep), "", "f:1:33: nested more than 32 deep, expected a flatter file\n");

	check("", (size_t)YAML_BYTES_MAX + 1, "", "f: cannot be read: larger than 256 MiB, with the files before this one\n"); // and is not looked at
	memset(big, 'x', 2 * (size_t)YAML_NODES_MAX);
	for (size_t i = 0; i < YAML_NODES_MAX; i++)
		big[2 * i] = i ? ',' : '[';
	snprintf(wanted, sizeof(wanted), "f:1:%d: more than %d values, with the files before this one, expected fewer\n", 2 * YAML_NODES_MAX,
	         YAML_NODES_MAX);
	check(big, 2 * (size_t)YAML_NODES_MAX, "", wanted);
	report_free(report);
	free(big);
}

static void assert_mark(struct mark mark, size_t line, size_t column)
{
	assert_string_equal(mark.file, "f");
	assert_int_equal(mark.line, line);
	assert_int_equal(mark.column, column);
}

static void marks(void **state)
{
	static const char text[] = "one: 1\ntwo:\n  - a\n  - {x: yes,\n     z: [p, q]}\nthree: 'drei'\n";
	struct report *report = report_new();
	struct yaml_tree *tree;

	(void)state;
	assert_int_equal(yaml_tree_parse(&f, text, strlen(text), &YAML_BUDGET, report, &tree), E_OK);

	const struct value *root = yaml_tree_root(tree), *two = value_get(root, "two"), *inner = two->first->next;
	const struct value *z = value_get(inner, "z");

	assert_mark(value_key_mark(value_get(root, "one")), 1, 1);
	assert_mark(value_mark(value_get(root, "one")), 1, 6);
	assert_mark(value_key_mark(two), 2, 1);
	assert_mark(value_mark(two->first), 3, 5);
	assert_mark(value_mark(inner), 4, 5);
	assert_mark(value_key_mark(value_get(inner, "x")), 4, 6);
	assert_mark(value_key_mark(z), 5, 6);
	assert_mark(value_mark(z), 5, 9);
	assert_mark(value_mark(z->first->next), 5, 13);
	assert_mark(value_mark(value_get(root, "three")), 6, 8);
	assert_null(value_get(root, "four"));
	assert_null(z->first->next->next);
	assert_null(value_mark(NULL).file);
	yaml_tree_free(tree);
	report_free(report);
}

static void write_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void files(void **state)
{
	char folder[TEMPDIR_LEN], path[2 * TEMPDIR_LEN], wanted[6 * TEMPDIR_LEN];
	struct report *report = report_new();
	struct yaml_tree *tree = NULL;
	const struct value_file file = {"name", path}, directory = {"folder", folder};

	(void)state;
	assert_int_equal(tempdir_make(folder), 0);
	snprintf(path, sizeof(path), "%s/a.yaml", folder);
	write_file(path, "a: b\n");
	assert_int_equal(yaml_tree_load(&file, &YAML_BUDGET, report, &tree), E_OK);
	assert_string_equal(value_text(value_get(yaml_tree_root(tree), "a")), "b");
	assert_string_equal(value_mark(yaml_tree_root(tree)).file, "name");
	tree = yaml_tree_free(tree);
	unlink(path);
	assert_int_equal(yaml_tree_load(&file, &YAML_BUDGET, report, &tree), E_IO);
	assert_int_equal(yaml_tree_load(&directory, &YAML_BUDGET, report, &tree), E_IO);
	assert_int_equal(mkfifo(path, 0600), 0); // nobody ever writes into it
	assert_int_equal(yaml_tree_load(&file, &YAML_BUDGET, report, &tree), E_IO);
	assert_null(tree);
	unlink(path);
	rmdir(folder);

	char *lines = report_text(report);

	snprintf(wanted, sizeof(wanted),
	         "name: cannot be read: No such file or directory\nfolder: cannot be read: Is a directory\n"
	         "name: cannot be read: not a regular file\n");
	assert_string_equal(lines, wanted);
	free(lines);
	report_free(report);
}

static double cpu_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// 400,000 keys in one mapping take well under a second; the bound is for sanitizers and for what quadratic would be.
static void many_keys(void **state)
{
	enum { KEYS = 400000, KEY_LEN = 16 };
	char *text = malloc(KEYS * KEY_LEN + 1), *to = text;
	struct report *report = report_new();
	struct yaml_tree *tree = NULL;

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < KEYS; i++)
		to += snprintf(to, KEY_LEN, "key%d: x\n", i);

	double start_s = cpu_s();

	assert_int_equal(yaml_tree_parse(&f, text, (size_t)(to - text), &YAML_BUDGET, report, &tree), E_OK);
	assert_true(cpu_s() - start_s < 20);
	assert_int_equal(value_count(yaml_tree_root(tree)), KEYS);
	assert_true(report_ok(report));
	yaml_tree_free(tree);
	report_free(report);
	free(text);
}

// What was read counts for what is read next, but not what was refused.
static void budget(void **state)
{
	static const struct {
		const char *text, *reported;
		size_t octets, nodes; // left behind it
	} rows[] = {
		{"[a, b]", "", 14, 7},
		{"[a", "f:2:1: not YAML: did not find expected ',' or ']' (while parsing a flow sequence on line 1)\n", 14, 7},
		{"{a: [b, c]}", "", 3, 3},
		{"a: b", "f: cannot be read: larger than 256 MiB, with the files before this one\n", 3, 3},
		{"[a]", "", 0, 1},
		{"", "", 0, 0},
		{"", "f: more than 8388608 values, with the files before this one, expected fewer\n", 0, 0},
	};
	struct yaml_budget left = {20, 10};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct report *report = report_new();
		struct yaml_tree *tree = NULL;
		int err = yaml_tree_parse(&f, rows[i].text, strlen(rows[i].text), &left, report, &tree);
		char *lines = report_text(report);

		assert_string_equal(lines, rows[i].reported);
		assert_int_equal(err == E_OK, *lines == '\0');
		assert_int_equal(left.octets, rows[i].octets);
		assert_int_equal(left.nodes, rows[i].nodes);
		yaml_tree_free(tree);
		free(lines);
		report_free(report);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trees), cmocka_unit_test(refusals), cmocka_unit_test(caps),
		cmocka_unit_test(marks), cmocka_unit_test(files), cmocka_unit_test(many_keys),
		cmocka_unit_test(budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
