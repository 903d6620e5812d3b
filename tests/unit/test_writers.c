// Who can change a file, along its path.
#include "base/writers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "tempdir.h"

enum { PATH_LEN = 2 * TEMPDIR_LEN };

static char root[TEMPDIR_LEN], folder[PATH_LEN], file[PATH_LEN + 8], like[PATH_LEN], link_to[PATH_LEN];

static void write_file(const char *path)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

static int set_up(void **state)
{
	(void)state;
	if (tempdir_make(root) < 0)
		return -1;
	snprintf(folder, sizeof(folder), "%s/d", root);
	snprintf(file, sizeof(file), "%s/f", folder);
	snprintf(like, sizeof(like), "%s/like", root);
	snprintf(link_to, sizeof(link_to), "%s/link", root);
	assert_int_equal(mkdir(folder, 0755), 0);
	write_file(file);
	write_file(like);
	return symlink(file, link_to);
}

static int tear_down(void **state)
{
	(void)state;
	unlink(link_to);
	unlink(file);
	unlink(like);
	return rmdir(folder) < 0 || rmdir(root) < 0;
}

// Checks a path; of one that is good, where it really is must be the file.
static int looked_at(const char *path, const char *why_not)
{
	char why[WRITERS_WHY_LEN] = "", *real = NULL;
	int err = writers_check(path, like, &real, why);

	assert_true((err == E_OK) == (real != NULL));
	if (real)
		assert_string_equal(strrchr(real, '/'), "/f");
	else
		assert_non_null(strstr(why, why_not));
	free(real);
	return err;
}

static void test_modes(void **state)
{
	static const struct {
		mode_t of_folder, of_file;
		int err;
	} rows[] = {
		{0755, 0600, E_OK},     {0755, 0644, E_OK},     {0700, 0600, E_OK},    {01777, 0600, E_OK},
		{0755, 0620, E_INVAL},  {0755, 0602, E_INVAL},  {0775, 0600, E_INVAL}, {0757, 0600, E_INVAL},
		{01777, 0666, E_INVAL}, {0755, 01666, E_INVAL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(chmod(folder, rows[i].of_folder), 0);
		assert_int_equal(chmod(file, rows[i].of_file), 0);
		assert_int_equal(looked_at(file, "others than its owner may write"), rows[i].err);
		assert_int_equal(looked_at(link_to, "others than its owner may write"), rows[i].err);
	}
}

// Root's and the owner's of the config in use are good, nobody else's.
static void test_owners(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(file, 12345, 0), 0);
	assert_int_equal(looked_at(file, "belongs neither to root nor to the owner"), E_INVAL);
	assert_int_equal(chown(like, 12345, 0), 0);
	assert_int_equal(looked_at(file, ""), E_OK);
	assert_int_equal(chown(folder, 54321, 0), 0);
	assert_int_equal(looked_at(file, "belongs neither to root nor to the owner"), E_INVAL);
	assert_int_equal(chown(folder, 0, 0), 0);
	assert_int_equal(chown(file, 0, 0), 0);
	assert_int_equal(looked_at(file, ""), E_OK);
}

static void test_missing(void **state)
{
	char why[WRITERS_WHY_LEN], *real = NULL;

	(void)state;
	assert_int_equal(writers_check("/nowhere/at/all", like, &real, why), E_IO);
	assert_non_null(strstr(why, "No such file"));
	assert_int_equal(writers_check(file, "/nowhere/at/all", &real, why), E_IO);
	assert_null(real);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_modes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_owners, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_missing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
