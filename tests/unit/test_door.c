// What a request over HTTP is read as: heads, paths, fields; and whom tokens let in for what. The sockets: tests/flow/door.py.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/report.h"
#include "control/verbs.h"
#include "door/request.h"
#include "door/route.h"
#include "door/tokens.h"
#include "report_text.h"

#define H "Host: x\r\n"

// ---- heads ----------------------------------------------------------------------------------------------------------

static int read_text(const char *text, struct request *request)
{
	const char *why = NULL;
	size_t len = request_head_len(text, strlen(text));
	int status;

	assert_int_equal(len, strlen(text));
	status = request_read(text, len, request, &why);
	assert_true(status == 0 || (why && *why));
	return status;
}

static void test_heads(void **state)
{
	static const struct {
		int status;
		const char *head;
	} rows[] = {
		{0, "GET / HTTP/1.1\r\n" H "\r\n"},
		{0, "GET /a?b=c HTTP/1.0\r\n\r\n"},
		{0, "BREW /pot HTTP/1.1\r\n" H "\r\n"},
		{0, "POST / HTTP/1.1\r\n" H "content-length: 1048576\r\n\r\n"},
		{0, "GET / HTTP/1.1\r\nhOsT:\r\nX: \t y \t\r\n\r\n"},
		{0, "GET / HTTP/1.1\r\n" H "Cookie: a\r\nCookie: b\r\n\r\n"},
		{400, "\r\n\r\n"},
		{400, "GET\r\n\r\n"},
		{400, "GET /\r\n\r\n"},
		{400, "GET  / HTTP/1.1\r\n" H "\r\n"},
		{400, " GET / HTTP/1.1\r\n" H "\r\n"},
		{400, "GET / HTTP/1.1 \r\n" H "\r\n"},
		{400, "GET http://x/ HTTP/1.1\r\n" H "\r\n"},
		{400, "GET / FTP/1.1\r\n" H "\r\n"},
		{400, "G\x01T / HTTP/1.1\r\n" H "\r\n"},
		{400, "GET /\x7f HTTP/1.1\r\n" H "\r\n"},
		{505, "GET / HTTP/2.0\r\n" H "\r\n"},
		{400, "GET / HTTP/1.1\r\n\r\n"},                                          // without Host
		{400, "GET / HTTP/1.1\r\n" H H "\r\n"},
		{400, "GET / HTTP/1.1\r\n" H "Name : x\r\n\r\n"},                         // a blank before the colon
		{400, "GET / HTTP/1.1\r\n" H " folded\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\n" H "X: a\nY: b\r\n\r\n"},                       // a lone line feed
		{400, "GET / HTTP/1.1\r\n" H ": x\r\n\r\n"},
		{400, "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"},
		{400, "POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n"},
		{400, "POST / HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\n"},
		{400, "POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n"},
		{413, "POST / HTTP/1.1\r\n" H "Content-Length: 1048577\r\n\r\n"},
		{413, "POST / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999999999999999\r\n\r\n"},
		{411, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"},
		{411, "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{417, "POST / HTTP/1.1\r\n" H "Expect: tea\r\n\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct request request;

		print_message("   %.40s\n", rows[i].head);
		assert_int_equal(read_text(rows[i].head, &request), rows[i].status);
	}
	assert_int_equal(request_head_len("GET / HTTP/1.1\r\n\r", 17), 0);
	assert_int_equal(request_head_len("GET / HTTP/1.1\n\n", 16), 0);
}

static void test_fields(void **state)
{
	struct request request;

	(void)state;
	assert_int_equal(read_text("POST /v1/x?a=b?c HTTP/1.1\r\n" H "Authorization: bEARER  tok \r\nConnection: x, CLOSE\r\n"
	                           "Content-Type: Application/JSON ;charset=utf-8\r\nContent-Length: 12\r\n"
	                           "Expect: 100-Continue\r\n\r\n", &request), 0);
	assert_int_equal(request.method, REQUEST_POST);
	assert_true(request_text_is(&request.path, "/v1/x"));
	assert_true(request_text_is(&request.query, "a=b?c"));
	assert_false(request.keeps);
	assert_true(request.continues);
	assert_true(request_is_json(&request));
	assert_int_equal(request.body_len, 12);

	struct request_text token = request_bearer(&request);

	assert_true(request_text_is(&token, "tok"));
	assert_int_equal(read_text("HEAD / HTTP/1.0\r\nAuthorization: Basic dG9r\r\nContent-Type: text/json\r\n\r\n", &request), 0);
	assert_int_equal(request.method, REQUEST_HEAD);
	assert_false(request.keeps);
	assert_null(request_bearer(&request).at);
	assert_null(request.query.at);
	assert_false(request_is_json(&request));
}

static void test_accept(void **state)
{
	static const struct {
		bool openmetrics;
		const char *accept;
	} rows[] = {
		{false, "*/*"},
		{false, "text/plain"},
		{true, "application/openmetrics-text"},
		// As Prometheus 2.42 and 3.0 ask.
		{true, "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
		       "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"},
		{false, "application/openmetrics-text;q=0.2, text/plain;q=0.25"},
		{true, "application/openmetrics-text;q=0.5;version=1, text/plain;q=0.5"},
		{false, "application/openmetrics-text;q=0"},
		{false, ",,;;q=,"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct request request = {.accept = {rows[i].accept, strlen(rows[i].accept)}};

		assert_int_equal(request_wants_openmetrics(&request), rows[i].openmetrics);
	}
}

// ---- paths and fields -----------------------------------------------------------------------------------------------

static void test_paths(void **state)
{
	static const struct {
		enum route_kind kind;
		const char *path, *verb, *method;
	} rows[] = {
		{ROUTE_LIVE, "/livez", NULL, NULL},
		{ROUTE_READY, "/readyz", NULL, NULL},
		{ROUTE_METRICS, "/metrics", NULL, NULL},
		{ROUTE_VERB, "/v1/status", "status", "GET"},
		{ROUTE_VERB, "/v1/check", "check", "GET"},
		{ROUTE_VERB, "/v1/drain", "drain", "POST"},
		{ROUTE_VERB, "/v1/reload", "reload", "POST"},
		{ROUTE_VERB, "/v1/learned/forget", "learned forget", "POST"},
		{ROUTE_VERB, "/v1/learned/", NULL, NULL},
		{ROUTE_VERB, "/v1/drain/", NULL, NULL},
		{ROUTE_VERB, "/v1/%64rain", NULL, NULL},
		{ROUTE_VERB, "/v1/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL, NULL},
		{ROUTE_NONE, "/v1/", NULL, NULL},
		{ROUTE_NONE, "/", NULL, NULL},
		{ROUTE_NONE, "/metrics/", NULL, NULL},
		{ROUTE_NONE, "//metrics", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct request_text path = {rows[i].path, strlen(rows[i].path)};
		const struct verbs_row *verb = NULL;

		assert_int_equal(route_find(&path, &verb), rows[i].kind);
		assert_int_equal(verb != NULL, rows[i].verb != NULL);
		if (!verb)
			continue;
		assert_string_equal(verb->name, rows[i].verb);
		assert_string_equal(route_method(verb), rows[i].method);
	}
}

// The fields that a query or a body makes, as JSON; the error's text where it is refused. The caller's.
static char *fields_of(const char *name, const char *query, const char *body)
{
	const struct verbs_row *verb = verbs_find(name);
	struct request request = {.query = {query, query ? strlen(query) : 0}};
	json_t *refusal = NULL, *fields;
	char *text;

	assert_non_null(verb);
	fields = route_fields(&request, verb, body, body ? strlen(body) : 0, &refusal);
	assert_true(!fields == !!refusal);
	text = fields ? json_dumps(fields, JSON_COMPACT | JSON_SORT_KEYS)
	              : strdup(json_string_value(json_object_get(refusal, "error")));
	json_decref(fields);
	json_decref(refusal);
	return text;
}

static void test_route_fields(void **state)
{
	static const struct {
		const char *verb, *query, *body, *expected; // the beginning of it
	} rows[] = {
		{"status", NULL, NULL, "{}"},
		{"apps", "app=a.b&site=c%2Bd+e&from=17", NULL, "{\"app\":\"a.b\",\"from\":17,\"site\":\"c+d e\"}"},
		{"apps", "from=x", NULL, "{\"from\":\"x\"}"}, // verbs_call() refuses it
		{"apps", "from=99999999999999999999", NULL, "{\"from\":\"99999999999999999999\"}"},
		{"apps", "app=%C3%A4", NULL, "{\"app\":\"\xc3\xa4\"}"},
		{"apps", "app", NULL, "the query is not FIELD=VALUE"},
		{"apps", "app=a&", NULL, "{\"app\":\"a\"}"},
		{"apps", "&app=a", NULL, "the query is not"},
		{"apps", "app=a&app=b", NULL, "apps: 'app' is given twice"},
		{"apps", "app=%", NULL, "the query is not"},
		{"apps", "app=%4", NULL, "the query is not"},
		{"apps", "app=%zz", NULL, "the query is not"},
		{"apps", "app=%00", NULL, "the query is not"},
		{"apps", "app=%ff", NULL, "the query is not UTF-8"},
		{"apps", "%ff=a", NULL, "the query is not UTF-8"},
		{"apps", "verb=drain", NULL, "apps has no field 'verb'"},
		{"drain", NULL, "{\"site\": \"bos\"}", "{\"site\":\"bos\"}"},
		{"reload", NULL, NULL, "{}"},
		{"drain", "site=bos", "{}", "drain takes its fields in the body"},
		{"drain", NULL, "[]", "the body is not one JSON object"},
		{"drain", NULL, "{\"site\"", "the body is not JSON: line 1"},
		{"drain", NULL, "{\"site\":\"a\",\"site\":\"b\"}", "the body is not JSON"},
		{"undrain", NULL, "{\"verb\":\"drain\",\"site\":\"a\"}", "undrain has no field 'verb'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = fields_of(rows[i].verb, rows[i].query, rows[i].body);

		if (strncmp(text, rows[i].expected, strlen(rows[i].expected)) != 0)
			fail_msg("%s: %s, expected %s", rows[i].verb, text, rows[i].expected);
		free(text);
	}
}

// ---- tokens ---------------------------------------------------------------------------------------------------------

static int read_tokens(const char *written, struct report *report, struct tokens **ret_tokens)
{
	char *text = strdup(written);
	int err = tokens_read(text, "/etc/tokens", report, ret_tokens);

	free(text);
	return err;
}

static unsigned scopes(const struct tokens *tokens, const char *token, const char *expected_name)
{
	const char *name = NULL;
	unsigned found = tokens_scopes(tokens, token, strlen(token), &name);

	assert_int_equal(found != 0, expected_name != NULL);
	if (found)
		assert_string_equal(name, expected_name);
	return found;
}

static void test_tokens(void **state)
{
	struct report *report = report_new();
	struct tokens *tokens = NULL;

	(void)state;
	assert_int_equal(read_tokens("# who may\n\n  read\tmonitor 0123456789abcdef\r\noperate sre "
	                             "sha256:f8348e0b1df00833cbbbd08f07abdecc10c0efb78829d7828c62a7f36d0cc549\n"
	                             "report,read agent 0123456789abcdefX", report, &tokens), E_OK);
	assert_true(report_ok(report));
	assert_int_equal(scopes(tokens, "0123456789abcdef", "monitor"), VERBS_READ);
	assert_int_equal(scopes(tokens, "0123456789abcdefX", "agent"), VERBS_READ | VERBS_REPORT);
	assert_int_equal(scopes(tokens, "0123456789abcdefY", NULL), 0);
	assert_int_equal(scopes(tokens, "", NULL), 0);
	assert_int_equal(scopes(tokens, "sha256:f8348e0b1df00833cbbbd08f07abdecc10c0efb78829d7828c62a7f36d0cc549", NULL), 0);
	tokens_free(tokens);
	report_free(report);
	assert_int_equal(tokens_scope_of("operate", 7), VERBS_OPERATE | VERBS_READ);
	assert_int_equal(tokens_scope_of("Operate", 7), 0);
}

static void test_hashed(void **state)
{
	struct report *report = report_new();
	struct tokens *tokens = NULL;

	(void)state;
	// printf 0123456789abcdef | sha256sum
	assert_int_equal(read_tokens("operate sre sha256:9F9F5111F7B27A781F1F1DDDE5EBC2DD2B796BFC7365C9C28B548E564176929F\n", report,
	                             &tokens), E_OK);
	assert_int_equal(scopes(tokens, "0123456789abcdef", "sre"), VERBS_OPERATE | VERBS_READ);
	tokens_free(tokens);
	report_free(report);
}

static bool speaks(const struct tokens *tokens, const char *token, const char *vantage)
{
	return tokens_speaks_for(tokens, token, strlen(token), vantage);
}

// A token in several lines may what any of them says; one without the scope `report` speaks for nobody.
static void test_bound_tokens(void **state)
{
	static const char one[] = "0123456789abcdef", two[] = "0123456789abcdefX", three[] = "0123456789abcdefY";
	struct report *report = report_new();
	struct tokens *tokens = NULL;

	(void)state;
	assert_int_equal(read_tokens("report a 0123456789abcdef vantage=bos-?,cell-*\nreport a 0123456789abcdefX vantage=x\n"
	                             "report a 0123456789abcdefX\nread a 0123456789abcdefY", report, &tokens), E_OK);
	assert_true(speaks(tokens, one, "bos-1") && speaks(tokens, one, "cell-") && speaks(tokens, one, "cell-77"));
	assert_false(speaks(tokens, one, "bos-12") || speaks(tokens, one, "bos-") || speaks(tokens, one, "Bos-1"));
	assert_false(speaks(tokens, one, "x") || speaks(tokens, one, "") || speaks(tokens, one, NULL));
	assert_true(speaks(tokens, two, "anybody") && speaks(tokens, two, NULL));
	assert_false(speaks(tokens, three, "x") || speaks(tokens, "unknown-0123456789", "bos-1"));
	tokens_free(tokens);
	report_free(report);
}

// Every line is reported, and none is quoted: a secret does not get into the log.
static void test_wrong_tokens(void **state)
{
	static const char *const lines[] = {
		"read monitor",       "read monitor 0123456789abcdef more", "write monitor 0123456789abcdef",
		"read x 0123456789abcdef vantage=y", "report x 0123456789abcdef vantage=", "report x 0123456789abcdef vantage=y,",
		"report x 0123456789abcdef vantage=y more", "report x 0123456789abcdef carrier=y",
		"read,, x 0123456789abcdef", "read monitor 0123456789abcde", "read monitor sha256:00",
		"read monitor sha256:zz9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c28b548e564176929f",
		"read aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 0123456789abcdef",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct report *report = report_new();
		struct tokens *tokens = NULL;
		char written[512], *text;

		snprintf(written, sizeof(written), "read ok 0123456789abcdef\n%s\n", lines[i]);
		assert_int_equal(read_tokens(written, report, &tokens), E_INVAL);
		text = report_text(report);
		assert_non_null(strstr(text, "/etc/tokens:2: "));
		assert_null(strstr(text, "0123456789abcde"));
		free(text);
		report_free(report);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heads),  cmocka_unit_test(test_fields),       cmocka_unit_test(test_accept),
		cmocka_unit_test(test_paths),  cmocka_unit_test(test_route_fields), cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_hashed), cmocka_unit_test(test_wrong_tokens), cmocka_unit_test(test_bound_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
