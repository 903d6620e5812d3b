// Tokens read from files: what is a token, and who else may read it.
#include "base/bearer.h"

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
#include "base/infile.h"
#include "tempdir.h"

static char folder[TEMPDIR_LEN], path[TEMPDIR_LEN + 8];

static int make_folder(void **state)
{
	(void)state;
	if (tempdir_make(folder) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/token", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void write_file(const char *text, size_t len, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void test_first_line(void **state)
{
	static const struct {
		const char *text, *token;
	} files[] = {{"abc", "abc"}, {"abc\n", "abc"}, {"abc\r\nsecond line\n", "abc"}, {"!~\n\x01", "!~"}};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char token[BEARER_MAX + 1], why[INFILE_WHY_LEN];

		write_file(files[i].text, strlen(files[i].text), 0640);
		assert_int_equal(bearer_read(path, token, why), E_OK);
		assert_string_equal(token, files[i].token);
	}
}

static void test_longest(void **state)
{
	char text[BEARER_MAX + 1], token[BEARER_MAX + 1], why[INFILE_WHY_LEN];

	(void)state;
	memset(text, 'x', sizeof(text));
	write_file(text, BEARER_MAX, 0600);
	assert_int_equal(bearer_read(path, token, why), E_OK);
	assert_int_equal(strlen(token), BEARER_MAX);
	write_file(text, BEARER_MAX + 1, 0600);
	assert_int_equal(bearer_read(path, token, why), E_INVAL);
}

static void test_no_token(void **state)
{
	static const char *const files[] = {"", "\nabc", "a b", " abc", "abc\t", "a\x01", "\x7f", "caf\xc3\xa9"};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char token[BEARER_MAX + 1], why[INFILE_WHY_LEN];

		write_file(files[i], strlen(files[i]), 0600);
		assert_int_equal(bearer_read(path, token, why), E_INVAL);
		assert_non_null(strstr(why, "expected a token"));
		assert_true(files[i][0] == '\0' || !strstr(why, files[i])); // it may be a secret all the same
	}
}

static void test_too_large(void **state)
{
	static char text[8192];
	char token[BEARER_MAX + 1], why[INFILE_WHY_LEN];

	(void)state;
	memset(text, '\n', sizeof(text));
	text[0] = 'x';
	write_file(text, sizeof(text), 0600);
	assert_int_equal(bearer_read(path, token, why), E_LIMIT);
}

static void test_modes(void **state)
{
	static const mode_t closed[] = {0600, 0400, 0640, 0660}, open_[] = {0604, 0602, 0601, 0644, 0666};
	char token[BEARER_MAX + 1], why[INFILE_WHY_LEN];
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++) {
		write_file("abc", 3, closed[i]);
		assert_int_equal(bearer_read(path, token, why), E_OK);
	}
	for (size_t i = 0; i < sizeof(open_) / sizeof(open_[0]); i++) {
		write_file("abc", 3, open_[i]);
		assert_int_equal(bearer_read(path, token, why), E_IO);
		assert_non_null(strstr(why, "chmod o-rwx it"));
		assert_int_equal(infile_open(path, &fd, why), E_OK); // what is no secret may be open to all
		assert_int_equal(close(fd), 0);
	}
}

static void test_missing(void **state)
{
	char token[BEARER_MAX + 1], why[INFILE_WHY_LEN];

	(void)state;
	unlink(path);
	assert_int_equal(bearer_read(path, token, why), E_IO);
	assert_non_null(strstr(why, "No such file"));
	assert_int_equal(bearer_read(folder, token, why), E_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_line), cmocka_unit_test(test_longest), cmocka_unit_test(test_no_token),
		cmocka_unit_test(test_too_large),  cmocka_unit_test(test_modes),   cmocka_unit_test(test_missing),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
