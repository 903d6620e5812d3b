// YAML into trees: the result, the positions of its parts, and what is refused.
#include "schema/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/report.h"
#include "report_text.h"
#include "tempdir.h"

// Parses, and compares the tree as compact JSON ("" for none) and the report.
static void check(const char *text, size_t len, const char *json, const char *reported)
{
	struct report *report = report_new();
	struct yaml_tree *tree = NULL;
	int err = yaml_tree_parse("f", text, len, report, &tree);
	char *got = tree ? json_dumps(yaml_tree_root(tree), JSON_COMPACT | JSON_ENCODE_ANY) : strdup("");
	char *lines = report_text(report);

	if (strcmp(got, json) != 0 || strcmp(lines, reported) != 0 || (err == E_OK) != (tree != NULL))
		fail_msg("`%s`:\n%s\n%swanted:\n%s\n%s", text, got, lines, json, reported);
	free(lines);
	free(got);
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
		 "f:3:1: a: duplicate key, expected once\n"},
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
		{"\"", "", "f:1:2: not YAML: found unexpected end of stream (while scanning a quoted scalar on line 1)\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(rows[i].yaml, strlen(rows[i].yaml), rows[i].json, rows[i].reported);
	check("a: \0", 4, "", "f:1:4: not text: control characters are not allowed, expected YAML in UTF-8\n");
}

static void caps(void **state)
{
	char deep[2 * (YAML_DEPTH_MAX + 1)];
	size_t big_len = YAML_BYTES_MAX + 1;
	char *big = malloc(big_len);

	(void)state;
	assert_non_null(big);
	memset(deep, '[', sizeof(deep));
	memset(deep + YAML_DEPTH_MAX, ']', YAML_DEPTH_MAX);
	deep[2 * YAML_DEPTH_MAX] = '\0';

	struct report *report = report_new();
	struct yaml_tree *tree = NULL;

	assert_int_equal(yaml_tree_parse("f", deep, strlen(deep), report, &tree), E_OK);
	tree = yaml_tree_free(tree);
	memset(deep, '[', sizeof(deep));
	check(deep, sizeof(deep), "", "f:1:33: nested more than 32 deep, expected a flatter file\n");

	memset(big, ' ', big_len);
	check(big, big_len, "", "f: larger than 16 MiB, expected a smaller file\n");
	memset(big, 'x', 3 * YAML_NODES_MAX);
	for (size_t i = 0; i < YAML_NODES_MAX; i++)
		big[2 * i] = i ? ',' : '[';
	check(big, 2 * YAML_NODES_MAX, "", "f:1:2097152: more than 1048576 values, expected a smaller file\n");
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
	assert_int_equal(yaml_tree_parse("f", text, strlen(text), report, &tree), E_OK);

	json_t *root = yaml_tree_root(tree), *two = json_object_get(root, "two"), *inner = json_array_get(two, 1);
	json_t *z = json_object_get(inner, "z");

	assert_mark(yaml_tree_key_mark(tree, root, "one"), 1, 1);
	assert_mark(yaml_tree_value_mark(tree, root, "one"), 1, 6);
	assert_mark(yaml_tree_key_mark(tree, root, "two"), 2, 1);
	assert_mark(yaml_tree_item_mark(tree, two, 0), 3, 5);
	assert_mark(yaml_tree_item_mark(tree, two, 1), 4, 5);
	assert_mark(yaml_tree_key_mark(tree, inner, "x"), 4, 6);
	assert_mark(yaml_tree_key_mark(tree, inner, "z"), 5, 6);
	assert_mark(yaml_tree_value_mark(tree, inner, "z"), 5, 9);
	assert_mark(yaml_tree_item_mark(tree, z, 1), 5, 13);
	assert_mark(yaml_tree_value_mark(tree, root, "three"), 6, 8);
	// Missing: the position is that of the file.
	assert_mark(yaml_tree_key_mark(tree, root, "four"), 0, 0);
	assert_mark(yaml_tree_item_mark(tree, z, 2), 0, 0);
	assert_mark(yaml_tree_item_mark(tree, NULL, 0), 0, 0);
	yaml_tree_free(tree);
	report_free(report);
}

static void files(void **state)
{
	char folder[TEMPDIR_LEN], path[2 * TEMPDIR_LEN], wanted[4 * TEMPDIR_LEN];
	struct report *report = report_new();
	struct yaml_tree *tree = NULL;

	(void)state;
	assert_int_equal(tempdir_make(folder), 0);
	snprintf(path, sizeof(path), "%s/a.yaml", folder);

	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs("a: b\n", out);
	fclose(out);
	assert_int_equal(yaml_tree_load(path, report, &tree), E_OK);
	assert_string_equal(json_string_value(json_object_get(yaml_tree_root(tree), "a")), "b");
	assert_string_equal(yaml_tree_file(tree), path);
	tree = yaml_tree_free(tree);
	unlink(path);
	assert_int_equal(yaml_tree_load(path, report, &tree), E_IO);
	assert_int_equal(yaml_tree_load(folder, report, &tree), E_IO);
	assert_null(tree);
	rmdir(folder);

	char *lines = report_text(report);

	snprintf(wanted, sizeof(wanted),
	         "%s: cannot be read: No such file or directory\n%s: cannot be read: Is a directory\n", path, folder);
	assert_string_equal(lines, wanted);
	free(lines);
	report_free(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trees), cmocka_unit_test(refusals), cmocka_unit_test(caps),
		cmocka_unit_test(marks), cmocka_unit_test(files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
