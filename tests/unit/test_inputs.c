// Lists of files: each path once with its first stamp; stamps tell whether a file is another one.
#include "base/inputs.h"

#include <stdlib.h>
#include <string.h>

#include "treefiles.h"

static void test_list(void **state)
{
	struct inputs *inputs = inputs_new();
	struct treefiles tree;
	char long_path[INPUTS_PATH_MAX + 2];

	(void)state;
	assert_non_null(inputs);
	treefiles_make(&tree);
	treefiles_write(&tree, "a", "1");
	inputs_add(inputs, treefiles_path(&tree, "a"));
	inputs_section(inputs, INPUT_FEED, true);
	inputs_add(inputs, treefiles_path(&tree, "missing"));
	inputs_add(inputs, "relative");
	memset(long_path, 'x', sizeof(long_path));
	long_path[0] = '/';
	long_path[sizeof(long_path) - 1] = '\0';
	inputs_add(inputs, long_path);
	assert_int_equal(inputs_count(inputs), 2);
	assert_int_equal(inputs_at(inputs, 0)->kind, INPUT_CONFIG);
	assert_false(inputs_at(inputs, 0)->watched);
	assert_int_equal(inputs_at(inputs, 0)->stamp.size, 1);
	assert_int_equal(inputs_at(inputs, 1)->kind, INPUT_FEED);
	assert_true(inputs_at(inputs, 1)->watched);
	assert_true(inputs_same_stamp(&inputs_at(inputs, 1)->stamp, &(struct input_stamp){0}));
	// Again: it has changed since it was read first, and now it is watched.
	treefiles_write(&tree, "a", "22");
	inputs_add(inputs, treefiles_path(&tree, "a"));
	assert_int_equal(inputs_count(inputs), 2);
	assert_int_equal(inputs_at(inputs, 0)->stamp.size, 1);
	assert_true(inputs_at(inputs, 0)->watched);
	assert_int_equal(inputs_find(inputs, tree.path), 0);
	assert_int_equal(inputs_find(inputs, "/elsewhere"), -1);
	assert_null(inputs_free(inputs));
	assert_null(inputs_free(NULL));
	treefiles_end(&tree);
}

static void test_cap(void **state)
{
	struct inputs *inputs = inputs_new();
	char path[32];

	(void)state;
	assert_non_null(inputs);
	for (int i = 0; i <= INPUTS_MAX; i++) {
		snprintf(path, sizeof(path), "/%d", i);
		inputs_put(inputs, &(struct input){.path = path});
	}
	assert_int_equal(inputs_count(inputs), INPUTS_MAX);
	assert_int_equal(inputs_find(inputs, path), -1);
	inputs_free(inputs);
}

static void test_stamps(void **state)
{
	struct treefiles tree;
	struct input_stamp first, now;

	(void)state;
	treefiles_make(&tree);
	treefiles_write(&tree, "a", "1");
	first = inputs_stamp(treefiles_path(&tree, "a"), false);
	now = inputs_stamp(tree.path, false);
	assert_true(inputs_same_stamp(&first, &now));
	treefiles_write(&tree, "b", "1"); // as long, perhaps as old
	treefiles_rename(&tree, "b", "a");
	now = inputs_stamp(tree.path, false);
	assert_false(inputs_same_stamp(&first, &now));
	first = inputs_stamp(treefiles_path(&tree, "*"), true);
	treefiles_replace(&tree, "a", "2");
	now = inputs_stamp(treefiles_path(&tree, "*"), true);
	assert_true(inputs_same_stamp(&first, &now)); // its names are the same
	treefiles_rename(&tree, "a", "c");
	now = inputs_stamp(treefiles_path(&tree, "*"), true);
	assert_false(inputs_same_stamp(&first, &now));
	treefiles_end(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_list), cmocka_unit_test(test_cap), cmocka_unit_test(test_stamps)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
