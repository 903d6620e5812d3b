// Where redirects lead: to the same scheme and host, whatever a target writes.
#include "health/redirect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static void locations(void **state)
{
	static const struct {
		const char *scheme, *host, *location;
		int result;
		const char *path;
	} rows[] = {
		{"http", "app.x", "/b", E_OK, "/b"},
		{"http", "app.x", "b?c=d", E_OK, "/a/b?c=d"},
		{"http", "app.x", "?c", E_OK, "/a/x?c"},
		{"http", "app.x", "../../..", E_OK, "/"},
		{"http", "app.x", "http://app.x", E_OK, "/"},
		{"http", "app.x", "http://APP.X/b#f", E_OK, "/b"},
		{"http", "app.x", "http://app.x:80/b", E_OK, "/b"},
		{"http", "app.x", "http://app.x:8080/b", E_OK, "/b"},
		{"http", "app.x", "http://app.x:8081/b", E_LIMIT, NULL},
		{"http", "app.x:81", "http://app.x:81/b", E_OK, "/b"},
		{"http", "app.x:81", "http://app.x/b", E_OK, "/b"},
		{"http", "app.x:81", "http://app.x:82/b", E_LIMIT, NULL},
		{"http", "app.x", "//app.x/b", E_OK, "/b"},
		{"http", "app.x", "//other.x/b", E_LIMIT, NULL},
		{"http", "app.x", "https://app.x/b", E_LIMIT, NULL},
		{"https", "app.x", "http://app.x/b", E_LIMIT, NULL},
		{"https", "app.x", "https://app.x:443/b", E_OK, "/b"},
		{"https", "app.x", "https://app.x:80/b", E_LIMIT, NULL},
		{"http", "app.x", "http://app.x.evil.x/b", E_LIMIT, NULL},
		{"http", "app.x", "http://app.x@evil.x/b", E_LIMIT, NULL},
		{"http", "app.x", "http://u:p@app.x/b", E_OK, "/b"}, // the path is all that is used
		{"http", "app.x", "file:///etc/passwd", E_LIMIT, NULL},
		{"http", "app.x", "gopher://app.x/", E_LIMIT, NULL},
		{"http", "app.x", "http://app.x:99999/", E_INVAL, NULL},
		{"http", "app.x", "http://[::1", E_INVAL, NULL},
		{"http", "app.x", "/a\x01", E_INVAL, NULL},
		{"http", "192.0.2.1", "http://192.0.2.1/b", E_OK, "/b"},
		{"http", "[2001:db8::1]", "http://[2001:DB8::1]/b", E_OK, "/b"},
		{"http", "[2001:db8::1]:81", "http://[2001:db8::2]:81/b", E_LIMIT, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct redirect_from from = {rows[i].scheme, rows[i].host, 8080, "/a/x?q"};
		char *path = NULL;
		int result = redirect_path(&from, rows[i].location, &path);

		if (result != rows[i].result || (path && strcmp(path, rows[i].path) != 0))
			fail_msg("%s at %s: %d %s", rows[i].location, rows[i].host, result, path ? path : "");
		free(path);
	}
}

static void length(void **state)
{
	const struct redirect_from from = {"http", "app.x", 80, "/"};
	char location[REDIRECT_PATH_MAX + 2], *path = NULL;

	(void)state;
	memset(location, 'a', sizeof(location));
	location[0] = '/';
	location[REDIRECT_PATH_MAX + 1] = '\0';
	assert_int_equal(redirect_path(&from, location, &path), E_INVAL);
	location[REDIRECT_PATH_MAX] = '\0';
	assert_int_equal(redirect_path(&from, location, &path), E_OK);
	assert_string_equal(path, location);
	free(path);
}

static void methods(void **state)
{
	static const long codes[] = {301, 302, 303, 307, 308};

	(void)state;
	for (long status = 100, i = 0; status < 600; status++) {
		bool is_one = i < 5 && codes[i] == status;

		i += is_one;
		assert_int_equal(redirect_is_one(status), is_one);
	}
	for (size_t i = 0; i < 5; i++) {
		assert_false(redirect_is_get(codes[i], CHECK_METHOD_GET));
		assert_false(redirect_is_get(codes[i], CHECK_METHOD_HEAD));
		assert_int_equal(redirect_is_get(codes[i], CHECK_METHOD_PUT), codes[i] == 303);
		assert_int_equal(redirect_is_get(codes[i], CHECK_METHOD_POST), codes[i] <= 303);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(locations),
		cmocka_unit_test(length),
		cmocka_unit_test(methods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
