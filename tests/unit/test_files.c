// What is known of each file after loads that were taken and refused.
#include "watch/files.h"

#include <stdlib.h>
#include <string.h>

#include "base/inputs.h"
#include "base/report.h"
#include "treefiles.h"

// A report that read these files: "c" is the config's, "z" a zone's that is not watched, anything else a feed.
static struct report *read_files(const char *names, int64_t version)
{
	struct report *report = report_new();

	assert_non_null(report);
	for (; *names; names++) {
		char path[] = {'/', *names, '\0'};
		struct input input = {.path = path, .watched = *names != 'z',
		                      .kind = *names == 'c' ? INPUT_CONFIG : *names == 'z' ? INPUT_ZONE : INPUT_FEED,
		                      .stamp = {.inode = 1, .size = version}};

		inputs_put(report_inputs(report), &input);
	}
	return report;
}

static struct files *loaded(struct files *before, struct report *report, bool taken, bool config_watched, int64_t now_s)
{
	struct files *files = files_loaded(before, report, taken, config_watched, now_s);

	assert_non_null(files);
	report_free(report);
	files_free(before);
	return files;
}

static void assert_files(const struct files *files, const char *all, const char *watched)
{
	struct inputs *list = files_watched(files);
	char got[64] = "";

	assert_non_null(list);
	for (size_t i = 0; i < inputs_count(files_list(files)); i++)
		strcat(got, inputs_at(files_list(files), i)->path + 1);
	assert_string_equal(got, all);
	got[0] = '\0';
	for (size_t i = 0; i < inputs_count(list); i++)
		strcat(got, inputs_at(list, i)->path + 1);
	assert_string_equal(got, watched);
	inputs_free(list);
}

static void assert_state(const struct files *files, const char *path, int64_t changed_s, int64_t taken_s,
                         int64_t refused_s, const char *why)
{
	int number = inputs_find(files_list(files), path);

	assert_true(number >= 0);

	const struct files_state *state = files_state(files, (size_t)number);

	assert_int_equal(state->changed_s, changed_s);
	assert_int_equal(state->taken_s, taken_s);
	assert_int_equal(state->refused_s, refused_s);
	if (why)
		assert_string_equal(state->why, why);
	else
		assert_null(state->why);
}

static void test_taken(void **state)
{
	struct files *files = loaded(NULL, read_files("cza", 1), true, false, 10);
	struct report *changed = read_files("ax", 2);

	(void)state;
	assert_files(files, "cza", "a");
	assert_state(files, "/a", 0, 10, 0, NULL);
	files_changed(files, report_inputs(changed), 15);
	report_free(changed);
	files = loaded(files, read_files("cab", 2), true, true, 20);
	assert_files(files, "cab", "cab");
	assert_state(files, "/a", 15, 20, 0, NULL);
	assert_state(files, "/b", 0, 20, 0, NULL);
	assert_null(files_free(files));
	assert_null(files_free(NULL));
}

static void test_refused(void **state)
{
	struct files *files = loaded(NULL, read_files("czab", 1), true, false, 10);
	struct report *report = read_files("ca", 2); // z and b were not reached

	(void)state;
	report_warning(report, "/b", 1, 0, "a warning is no error");
	report_error(report, "/odd:name", 0, 0, "is no file of ours");
	report_error(report, "/a", 3, 0, "first");
	report_error(report, "/a", 4, 0, "second");
	inputs_at(report_inputs(report), 0)->stamp.size = 1; // the config had not changed
	inputs_at(report_inputs(report), 1)->watched = false; // a setting of a refused config
	files = loaded(files, report, false, false, 20);
	assert_files(files, "cazb", "ab");
	assert_state(files, "/a", 0, 10, 20, "/a:3: first");
	assert_state(files, "/b", 0, 10, 0, NULL);
	assert_state(files, "/c", 0, 10, 0, NULL);

	// An error that is said elsewhere goes to what has changed.
	report = read_files("cn", 3);
	inputs_at(report_inputs(report), 1)->watched = true;
	report_error(report, "./c", 7, 1, "locate: no");
	files = loaded(files, report, false, false, 30);
	assert_files(files, "cnazb", "nab");
	assert_state(files, "/c", 0, 10, 30, "./c:7:1: locate: no");
	assert_state(files, "/n", 0, 0, 30, "./c:7:1: locate: no");
	assert_state(files, "/a", 0, 10, 20, "/a:3: first");
	files = loaded(files, read_files("cab", 4), true, false, 40);
	assert_files(files, "cab", "ab");
	assert_state(files, "/a", 0, 40, 20, "/a:3: first"); // the last one is still known
	files_free(files);
}

// All of it within a second.
static void test_at_once(void **state)
{
	struct files *files = loaded(NULL, read_files("ca", 1), true, false, 10);
	struct report *report = read_files("ca", 2);

	(void)state;
	report_error(report, "/a", 1, 0, "not YAML");
	files = loaded(files, report, false, false, 10);
	assert_true(files_state(files, 1)->is_refused);
	files = loaded(files, read_files("ca", 3), true, false, 10);
	assert_false(files_state(files, 1)->is_refused);

	// Another one is refused, which says nothing of this one.
	report = read_files("ca", 3);
	inputs_at(report_inputs(report), 0)->stamp.size = 4;
	report_error(report, "/c", 1, 0, "not YAML");
	files = loaded(files, report, false, false, 10);
	assert_true(files_state(files, 0)->is_refused);
	assert_state(files, "/c", 0, 10, 10, "/c:1: not YAML");
	assert_false(files_state(files, 1)->is_refused);
	files_free(files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_taken), cmocka_unit_test(test_refused),
	                                   cmocka_unit_test(test_at_once)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
