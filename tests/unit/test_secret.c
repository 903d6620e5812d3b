// Files with tokens and keys: what is read, what is refused and why, and that a change is noticed.
#include "lib/secret.h"

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

#include "tempdir.h"

static char folder[TEMPDIR_LEN], path[TEMPDIR_LEN + 16];

static void write_file(const char *text, size_t len, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static const struct {
	const char *text;
	mode_t mode;
	bool shared;
	const char *token, *why; // one of them
} cases[] = {
	{"abc.def", 0600, false, "abc.def", NULL},
	{"  abc\r\n\n", 0640, false, "abc", NULL},
	{"abc", 0644, false, NULL, "open to everybody on this machine (mode 0644): chmod o= it"},
	{"abc", 0602, false, NULL, "open to everybody on this machine (mode 0602): chmod o= it"},
	{"abc", 0644, true, "abc", NULL},
	{"", 0600, false, NULL, "empty"},
	{" \n", 0600, false, NULL, "empty"},
	{"a b", 0600, false, NULL, "not a token: it has blanks or control characters"},
	{"a\r\nX-Other: b", 0600, false, NULL, "not a token: it has blanks or control characters"},
	{"a\x7f", 0600, false, NULL, "not a token: it has blanks or control characters"},
};

static void test_table(void **state)
{
	char token[SECRET_MAX_LEN + 1], buf[128];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		write_file(cases[i].text, strlen(cases[i].text), cases[i].mode);

		const char *why = secret_read_token(path, cases[i].shared, token, buf);

		if (cases[i].why) {
			assert_non_null(why);
			assert_string_equal(why, cases[i].why);
		} else {
			assert_null(why);
			assert_string_equal(token, cases[i].token);
		}
	}
}

static void test_files(void **state)
{
	char *token = malloc(SECRET_MAX_LEN + 1), *large = malloc(SECRET_MAX_LEN + 1), buf[128];

	(void)state;
	memset(large, 'a', SECRET_MAX_LEN + 1);
	write_file(large, SECRET_MAX_LEN, 0600);
	assert_null(secret_read_token(path, false, token, buf));
	assert_int_equal(strlen(token), SECRET_MAX_LEN);
	write_file(large, SECRET_MAX_LEN + 1, 0600);
	assert_string_equal(secret_read_token(path, false, token, buf), "too long");
	assert_null(secret_fault(path, buf));
	assert_string_equal(secret_read_token(folder, false, token, buf), "Is a directory");
	unlink(path);
	assert_string_equal(secret_read_token(path, false, token, buf), "No such file or directory");
	assert_string_equal(secret_fault(path, buf), "No such file or directory");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_string_equal(secret_read_token(path, false, token, buf), "not a regular file");
	assert_string_equal(secret_fault(path, buf), "not a regular file");
	unlink(path);
	// Whatever their modes.
	assert_string_equal(secret_fault("/dev/null", buf), "not a regular file");
	assert_string_equal(secret_fault("/usr", buf), "Is a directory");
	assert_string_equal(secret_fault(folder, buf), "Is a directory");
	free(token);
	free(large);
}

static void test_faults(void **state)
{
	static const struct {
		const char *text, *token, *key; // what is wrong with it as the one and as the other
	} rows[] = {
		{"a token\n", "not a token: it has blanks or control characters", "has no private key in PEM, or an encrypted one"},
		{"token\n", NULL, "has no private key in PEM, or an encrypted one"},
		{"", "empty", "has no private key in PEM, or an encrypted one"},
		{"-----BEGIN PRIVATE KEY-----\nMIG\n", "not a token: it has blanks or control characters", NULL},
		{"-----BEGIN EC PARAMETERS-----\n-----BEGIN EC PRIVATE KEY-----\nMIG\n",
	     "not a token: it has blanks or control characters", NULL},
		{"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIG\n", "not a token: it has blanks or control characters",
	     "has no private key in PEM, or an encrypted one"},
		{"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nMIG\n",
	     "not a token: it has blanks or control characters", "has no private key in PEM, or an encrypted one"},
		{"-----BEGIN CERTIFICATE-----\nMIG\n", "not a token: it has blanks or control characters",
	     "has no private key in PEM, or an encrypted one"},
	};
	char buf[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *token, *key;

		write_file(rows[i].text, strlen(rows[i].text), 0600);
		token = secret_token_fault(path, buf);
		key = secret_key_fault(path, buf);
		assert_true(!token == !rows[i].token && !key == !rows[i].key);
		if (token)
			assert_string_equal(token, rows[i].token);
		if (key)
			assert_string_equal(key, rows[i].key);
	}
	assert_int_equal(chmod(path, 0604), 0);
	assert_non_null(strstr(secret_key_fault(path, buf), "open to everybody"));
	unlink(path);
	assert_string_equal(secret_token_fault(path, buf), "No such file or directory");
	assert_string_equal(secret_key_fault(path, buf), "No such file or directory");
}

static void test_octets(void **state)
{
	char octets[8], buf[128];
	size_t len = 99;
	unsigned char *room = secret_room_new(10000);

	(void)state;
	write_file("a b\n\0c", 6, 0600); // as they are
	assert_null(secret_read(path, false, octets, sizeof(octets), &len, buf));
	assert_int_equal(len, 6);
	assert_memory_equal(octets, "a b\n\0c", 6);
	assert_null(secret_read(path, false, octets, 6, &len, buf));
	len = 99;
	assert_string_equal(secret_read(path, false, octets, 5, &len, buf), "too long");
	assert_int_equal(chmod(path, 0644), 0);
	assert_non_null(strstr(secret_read(path, false, octets, sizeof(octets), &len, buf), "open to everybody"));
	assert_int_equal(len, 99);
	unlink(path);
	assert_non_null(room);
	for (size_t i = 0; i < 10000; i++)
		assert_int_equal(room[i], 0);
	memset(room, 1, 10000);
	secret_room_free(room, 10000);
	secret_room_free(NULL, 10000);
}

static void test_stamp(void **state)
{
	(void)state;
	assert_int_equal(secret_stamp(NULL), 0);
	assert_int_equal(secret_stamp(path), 0);
	write_file("a", 1, 0600);

	uint64_t first = secret_stamp(path);

	assert_int_not_equal(first, 0);
	assert_int_equal(secret_stamp(path), first);
	write_file("ab", 2, 0600);
	assert_int_not_equal(secret_stamp(path), first);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_octets),
		cmocka_unit_test(test_stamp),
	};

	if (tempdir_make(folder) < 0)
		return 1;
	snprintf(path, sizeof(path), "%s/token", folder);

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	rmdir(folder);
	return failed;
}
