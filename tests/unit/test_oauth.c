// The token that is kept: what is taken for one, how long it serves, when another is asked for and when not, and what is
// said of failures. Requests go to a port where nobody listens; replies are handed over.
#include "lib/oauth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tempdir.h"

static char folder[TEMPDIR_LEN], secret[TEMPDIR_LEN + 16];
static struct https *https;
static struct oauth *oauth;
static struct oauth_client client = {.token_url = "https://127.0.0.1:1/token", .id = "id", .secret_file = secret};

static void write_secret(const char *text)
{
	FILE *file = fopen(secret, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(secret, 0600), 0);
}

static unsigned retry_after_s; // of a reply 429

static int setup(void **state)
{
	(void)state;
	retry_after_s = 9;
	write_secret("s");
	https = https_new();
	oauth = oauth_new(https, &client);
	return https && oauth ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	oauth_free(oauth);
	https_free(https);
	return 0;
}

static void reply(int status, const char *body, int64_t now_ms)
{
	const struct https_result result = {.status = status, .retry_after_s = status == 429 ? retry_after_s : 0, .body = body,
	                                    .body_len = strlen(body), .why = status ? NULL : "Connection refused"};

	oauth_take(oauth, &result, now_ms);
}

static enum oauth_state state_at(int64_t now_ms, const char **ret_header, struct verdict *ret_verdict)
{
	unsigned number;

	*ret_header = "";
	return oauth_get(oauth, now_ms, ret_header, &number, ret_verdict);
}

static void test_replies(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum edgesteer_outcome outcome; // FOUND: it is a token
		const char *text;
	} cases[] = {
		{200, "{\"access_token\": \"abc\"}", EDGESTEER_FOUND, "Authorization: Bearer abc"},
		{200, "{\"access_token\": \"abc\", \"token_type\": \"bearer\", \"expires_in\": 3600, \"x\": []}", EDGESTEER_FOUND,
		 "Authorization: Bearer abc"},
		{200, "", EDGESTEER_BROKEN, "the token's reply is not a JSON object"},
		{200, "[\"access_token\"]", EDGESTEER_BROKEN, "the token's reply is not a JSON object"},
		{200, "{}", EDGESTEER_BROKEN, "the token's reply has no `access_token` that can be used"},
		{200, "{\"access_token\": \"\"}", EDGESTEER_BROKEN, "the token's reply has no `access_token` that can be used"},
		{200, "{\"access_token\": \"a b\"}", EDGESTEER_BROKEN, "the token's reply has no `access_token` that can be used"},
		{200, "{\"access_token\": \"a\\r\\nX: y\"}", EDGESTEER_BROKEN,
		 "the token's reply has no `access_token` that can be used"},
		{200, "{\"access_token\": \"abc\", \"token_type\": 7}", EDGESTEER_BROKEN, "the token's `token_type` is not Bearer"},
		{400, "{\"error\": \"invalid_scope\", \"error_description\": \"secret s\"}", EDGESTEER_DENIED,
		 "no token: HTTP status 400: invalid_scope"},
		{401, "{\"error\": \"invalid_client\"}", EDGESTEER_DENIED, "no token: HTTP status 401: invalid_client"},
		{429, "", EDGESTEER_BUSY, "no token: HTTP status 429"},
		{500, "<html>", EDGESTEER_BROKEN, "no token: HTTP status 500"},
		{404, "<html>", EDGESTEER_BROKEN, "no token: HTTP status 404: is `token-url` right?"},
		{0, "", EDGESTEER_BROKEN, "no token: Connection refused"},
	};
	struct verdict verdict;
	const char *header;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		oauth_free(oauth);
		oauth = oauth_new(https, &client);
		reply(cases[i].status, cases[i].body, 1000);
		if (cases[i].outcome == EDGESTEER_FOUND) {
			assert_int_equal(state_at(1001, &header, &verdict), OAUTH_READY);
			assert_string_equal(header, cases[i].text);
		} else {
			assert_int_equal(state_at(1001, &header, &verdict), OAUTH_FAILED);
			assert_int_equal(verdict.outcome, cases[i].outcome);
			assert_string_equal(verdict.text, cases[i].text);
			assert_int_equal(verdict.retry_s, cases[i].status == 429 ? 9 : 0);
		}
	}
}

// Whether a question at that time finds a token, and whether it makes a request: the first and the second letter.
static const char *at(int64_t now_ms)
{
	static char letters[4];
	static const char words[] = {'t', 'w', 'f'};
	const char *header;
	struct verdict verdict;

	letters[0] = words[state_at(now_ms, &header, &verdict)];
	letters[1] = oauth_is_asking(oauth) ? 'a' : '-';
	return letters;
}

static void test_lifetime(void **state)
{
	(void)state;
	assert_string_equal(at(1000), "wa"); // none yet
	assert_string_equal(at(1001), "wa");
	oauth_free(oauth);
	oauth = oauth_new(https, &client);
	reply(200, "{\"access_token\": \"a\", \"expires_in\": 100}", 0);
	assert_string_equal(at(79999), "t-");
	assert_string_equal(at(80000), "ta"); // early
	assert_string_equal(at(99999), "ta");
	assert_string_equal(at(100000), "wa");
	// The same token again, of which the same end holds.
	reply(200, "{\"access_token\": \"a\", \"expires_in\": 100}", 90000);
	assert_string_equal(at(99999), "ta");
	assert_string_equal(at(100000), "wa");
	// Another.
	reply(200, "{\"access_token\": \"b\", \"expires_in\": 100}", 95000);
	assert_string_equal(at(194999), "ta");
	// Numbers that are none, and those that are too large.
	reply(200, "{\"access_token\": \"c\", \"expires_in\": -5}", 200000);
	assert_string_equal(at(200999), "ta");
	assert_string_equal(at(201000), "wa");
	reply(200, "{\"access_token\": \"d\", \"expires_in\": 1e300}", 300000);
	assert_string_equal(at(300000 + 86399 * 1000), "ta");
	assert_string_equal(at(300000 + 86400 * 1000), "wa");
	reply(200, "{\"access_token\": \"e\"}", 0);
	assert_string_equal(at(299999), "ta");
	assert_string_equal(at(300000), "wa");
}

static void test_failures(void **state)
{
	static const int64_t pauses_ms[] = {1000, 2000, 4000, 8000, 16000, 16000};
	int64_t now_ms = 10000;

	(void)state;
	for (size_t i = 0; i < sizeof(pauses_ms) / sizeof(*pauses_ms); i++) {
		reply(500, "", now_ms);
		assert_string_equal(at(now_ms + pauses_ms[i] - 1), "f-");
		now_ms += pauses_ms[i] * 2;
	}
	reply(429, "", now_ms); // it said 9 s
	assert_string_equal(at(now_ms + 8999), "f-");
	retry_after_s = UINT32_MAX; // a hundred years: an hour
	reply(429, "", now_ms);
	assert_string_equal(at(now_ms + 3599999), "f-");
	assert_string_equal(at(now_ms + 3600000), "wa");
}

static void test_files(void **state)
{
	struct verdict verdict;
	const char *header;

	(void)state;
	reply(429, "", 0); // 9 s
	assert_string_equal(at(10), "f-");
	write_secret("longer"); // other credentials are tried at once
	assert_string_equal(at(500), "f-"); // no look yet
	assert_string_equal(at(1011), "wa");
	oauth_free(oauth);
	oauth = oauth_new(https, &client);
	assert_int_equal(chmod(secret, 0644), 0);
	assert_int_equal(state_at(0, &header, &verdict), OAUTH_FAILED);
	assert_non_null(strstr(verdict.text, "open to everybody"));
	assert_null(strstr(verdict.text, "longer"));
	assert_int_equal(chmod(secret, 0600), 0);
}

static void test_refused(void **state)
{
	unsigned first, second;
	struct verdict verdict;
	const char *header;

	(void)state;
	reply(200, "{\"access_token\": \"a\"}", 100000);
	assert_int_equal(oauth_get(oauth, 100001, &header, &first, &verdict), OAUTH_READY);
	assert_true(oauth_refused(oauth, first, 100002));
	assert_true(oauth_refused(oauth, first, 100003)); // of questions that were under way with it
	assert_string_equal(at(100004), "wa");
	reply(200, "{\"access_token\": \"a\"}", 100005); // the same: it serves all the same
	assert_int_equal(oauth_get(oauth, 100006, &header, &second, &verdict), OAUTH_READY);
	assert_int_not_equal(first, second);
	assert_true(oauth_refused(oauth, first, 100007));
	assert_string_equal(at(100008), "ta"); // still asking, by the first refusal
	assert_false(oauth_refused(oauth, second, 100009)); // just now
	assert_true(oauth_refused(oauth, second, 110003));
}

// A session, begun with a token.
static void test_session(void **state)
{
	static const struct oauth_client user = {.token_url = "https://127.0.0.1:1/login", .id = "user", .secret_file = secret,
	                                         .session_header = "X-Session: "};
	static const char *const odd[] = {"{\"access_token\": \"abc\"}", "{\"sessionToken\": \"a\\r\\nX: y\"}", "[]"};
	struct oauth *session = oauth_new_session(https, &user, oauth);
	struct https_result result = {.status = 200, .body = "{\"sessionToken\": \"abc\"}", .body_len = 23};
	struct verdict verdict;
	const char *header;
	unsigned number;

	(void)state;
	assert_non_null(session);
	reply(200, "{\"access_token\": \"a\"}", 100000);
	assert_int_equal(oauth_get(session, 100001, &header, &number, &verdict), OAUTH_WAITING);
	oauth_take(session, &result, 100002);
	assert_int_equal(oauth_get(session, 100003, &header, &number, &verdict), OAUTH_READY);
	assert_string_equal(header, "X-Session: abc");
	assert_true(oauth_refused(session, number, 100004));
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		result.body = odd[i];
		result.body_len = strlen(odd[i]);
		oauth_take(session, &result, 120000);
		assert_int_equal(oauth_get(session, 120001, &header, &number, &verdict), OAUTH_WAITING); // it is asking still
		assert_string_equal(at(120001), "t-");
	}
	// What is refused with 401 is the token that it was asked for with.
	result = (struct https_result){.status = 401, .body = "{\"errorCode\": \"X.Y\"}", .body_len = 20};
	oauth_take(session, &result, 120002);
	assert_string_equal(at(120003), "wa");
	oauth_free(session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_replies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lifetime, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_session, setup, teardown),
	};

	if (tempdir_make(folder) < 0)
		return 1;
	snprintf(secret, sizeof(secret), "%s/secret", folder);

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	unlink(secret);
	rmdir(folder);
	return failed;
}
