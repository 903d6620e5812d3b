// What the HTTP probe asks with its options, what it makes of bodies and redirects.
#include "health/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "prober.h"
#include "responder.h"

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define MOVED(status, location) "HTTP/1.1 " status " Moved\r\nLocation: " location "\r\nContent-Length: 4\r\n\r\nmove"

struct row {
	const char *what, *reply;
	enum check_method method;
	const char *body;
	unsigned redirects;
	enum health_layer layer;
	const char *text, *request; // a part of it
	unsigned requests;
};

static const struct row rows[] = {
	{"GET", OK_REPLY, CHECK_METHOD_GET, NULL, 0, HEALTH_OK, "HTTP status 200", "GET /healthz HTTP/1.1\r\n", 1},
	{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", CHECK_METHOD_HEAD, NULL, 0, HEALTH_OK, "200",
	 "HEAD /healthz HTTP/1.1\r\n", 1},
	{"POST", OK_REPLY, CHECK_METHOD_POST, NULL, 0, HEALTH_OK, "200", "POST /healthz HTTP/1.1\r\n", 1},
	{"POST says its length", OK_REPLY, CHECK_METHOD_POST, NULL, 0, HEALTH_OK, "200", "\r\nContent-Length: 0\r\n", 1},
	{"PUT", OK_REPLY, CHECK_METHOD_PUT, NULL, 0, HEALTH_OK, "200", "PUT /healthz HTTP/1.1\r\n", 1},
	{"OPTIONS", OK_REPLY, CHECK_METHOD_OPTIONS, NULL, 0, HEALTH_OK, "200", "OPTIONS /healthz HTTP/1.1\r\n", 1},
	{"a pattern", OK_REPLY, CHECK_METHOD_GET, "^o[k]$", 0, HEALTH_OK, "200", "", 1},
	{"another", OK_REPLY, CHECK_METHOD_GET, "^k", 0, HEALTH_BODY, "/^k/ is not in the body", "", 1},
	{"no body", "HTTP/1.1 204 No\r\n\r\n", CHECK_METHOD_GET, "x", 0, HEALTH_BODY, "/x/ is not in the body", "", 1},
	{"no body is empty", "HTTP/1.1 204 No\r\n\r\n", CHECK_METHOD_GET, "^$", 0, HEALTH_OK, "204", "", 1},
	{"wrong status first", "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nok", CHECK_METHOD_GET, "x", 0, HEALTH_STATUS, "500",
	 "", 1},
	{"no redirect is followed", MOVED("302", "/b"), CHECK_METHOD_GET, NULL, 0, HEALTH_STATUS,
	 "HTTP status 302, expected 200-299", "", 1},
	{"a circle", MOVED("302", "/healthz"), CHECK_METHOD_GET, NULL, 3, HEALTH_STATUS,
	 "HTTP status 302 after 3 redirects, which is the limit", "GET /healthz HTTP/1.1\r\n", 4},
	{"one redirect", MOVED("308", "/b?c"), CHECK_METHOD_GET, NULL, 1, HEALTH_STATUS, "308 after 1 redirect, which is the limit",
	 "GET /b?c HTTP/1.1\r\n", 2},
	{"a POST stays one", MOVED("307", "/b"), CHECK_METHOD_POST, NULL, 1, HEALTH_STATUS, "307 after 1", "POST /b HTTP/1.1\r\n", 2},
	{"a POST becomes a GET", MOVED("303", "/b"), CHECK_METHOD_POST, NULL, 1, HEALTH_STATUS, "303 after 1", "GET /b HTTP/1.1\r\n",
	 2},
	{"another host", MOVED("302", "http://other.example.com/"), CHECK_METHOD_GET, NULL, 5, HEALTH_STATUS,
	 "HTTP status 302, redirected to another host: \"http://other.example.com/\"", "", 1},
	{"no URL", MOVED("302", "http://[::1"), CHECK_METHOD_GET, NULL, 5, HEALTH_STATUS, "redirected to what is no URL", "", 1},
	{"nowhere", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", CHECK_METHOD_GET, NULL, 5, HEALTH_STATUS,
	 "HTTP status 302, expected 200-299", "", 1},
	{"of an interim response", "HTTP/1.1 103 E\r\nLocation: /b\r\n\r\nHTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
	 CHECK_METHOD_GET, NULL, 5, HEALTH_STATUS, "HTTP status 302, expected 200-299", "", 1},
	{"a status that leads nowhere", MOVED("304", "/b"), CHECK_METHOD_GET, NULL, 5, HEALTH_STATUS, "304, expected", "", 1},
	{"HTTP/2 is not there", OK_REPLY, CHECK_METHOD_COUNT, NULL, 0, HEALTH_HTTP, "HTTP: ", "PRI * HTTP/2.0\r\n\r\nSM", 1},
};

static void probe(const struct row *row, struct responder *responder, struct prober *prober)
{
	prober_open(prober, 1, 1);
	prober->checks[0].method = row->method < CHECK_METHOD_COUNT ? row->method : CHECK_METHOD_GET;
	prober->checks[0].http2 = row->method == CHECK_METHOD_COUNT;
	prober->checks[0].body = row->body;
	prober->checks[0].redirects = row->redirects;
	prober->checks[0].interval_ms = PROBER_PATIENT_MS;
	responder_open(responder, prober->base, "127.0.0.1", 0);
	prober->checks[0].port = responder->port;
	prober_configure(prober);
	assert_int_not_equal(prober_until_settled(prober, PROBER_PATIENT_MS), -1);
}

static void rows_of_options(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct responder responder = {.reply = row->reply};
		struct prober prober;

		probe(row, &responder, &prober);

		const struct health_target *target = prober_health(&prober, 0);

		if (target->layer != row->layer || !strstr(target->text, row->text))
			fail_msg("%s: %s: %s", row->what, health_layer_text(target->layer), target->text);
		if (!strstr(responder.request, row->request) || strstr(responder.request, "Content-Type"))
			fail_msg("%s: %s", row->what, responder.request);
		assert_int_equal(responder.requests, row->requests);
		responder_close(&responder);
		prober_close(&prober);
	}
}

// A redirect that ends well, which takes a server that changes its mind; and a status that is expected is not followed.
static bool is_asked_twice(void *ctx)
{
	struct responder *responder = ctx;

	if (responder->accepted == 2)
		responder->reply = OK_REPLY;
	return responder->requests == 2;
}

static void a_redirect_that_ends_well(void **state)
{
	static uint16_t found[] = {302, 302};
	struct responder responder = {.reply = MOVED("302", "/next")};
	struct prober prober;

	(void)state;
	prober_open_with(&prober, &responder, 1, 1);
	prober.checks[0].redirects = 1;
	prober.checks[0].interval_ms = PROBER_PATIENT_MS;
	prober_configure(&prober);
	assert_int_not_equal(responder_run(prober.base, is_asked_twice, &responder, PROBER_PATIENT_MS), -1);
	assert_int_not_equal(prober_until_settled(&prober, PROBER_PATIENT_MS), -1);
	assert_string_equal(prober_health(&prober, 0)->text, "HTTP status 200");
	if (!strstr(responder.request, "GET /next HTTP/1.1\r\n") || !strstr(responder.request, "\r\nHost: app0.example.com\r\n"))
		fail_msg("%s", responder.request);
	responder.reply = MOVED("302", "/next");
	responder.requests = 0;
	prober.checks[0].expect_status = found;
	prober.checks[0].interval_ms = 100;
	prober_configure(&prober);
	assert_true(prober_until_probed(&prober, 1));
	assert_string_equal(prober_health(&prober, 0)->text, "HTTP status 302");
	prober_close_with(&prober, &responder);
}

static void headers(void **state)
{
	static const struct headers_header mine[] = {{"X-Token", "a b"}, {"User-Agent", "me"}, {"Content-Type", "text/x"}};
	struct responder responder = {.reply = OK_REPLY};
	struct prober prober;

	(void)state;
	prober_open_with(&prober, &responder, 1, 1);
	prober.checks[0].headers = mine;
	prober.checks[0].header_count = 3;
	prober.checks[0].method = CHECK_METHOD_POST;
	prober_configure(&prober);
	assert_int_not_equal(prober_until(&prober, true, PROBER_PATIENT_MS), -1);
	assert_non_null(strstr(responder.request, "\r\nX-Token: a b\r\n"));
	assert_non_null(strstr(responder.request, "\r\nUser-Agent: me\r\n"));
	assert_non_null(strstr(responder.request, "\r\nContent-Type: text/x\r\n"));
	assert_null(strstr(responder.request, "edgesteer"));
	prober_close_with(&prober, &responder);
}

// The handles go from one probe to the next: nothing of the one before is left.
static void nothing_is_left_behind(void **state)
{
	static const struct headers_header mine[] = {{"X-Token", "a"}};
	struct responder responder = {.reply = OK_REPLY};
	struct prober prober;

	(void)state;
	prober_open_with(&prober, &responder, 1, 1);
	prober.checks[0].headers = mine;
	prober.checks[0].header_count = 1;
	prober.checks[0].method = CHECK_METHOD_PUT;
	prober_configure(&prober);
	assert_int_not_equal(prober_until(&prober, true, PROBER_PATIENT_MS), -1);
	assert_non_null(strstr(responder.request, "PUT /"));
	for (enum check_method method = 0; method < CHECK_METHOD_COUNT; method++) {
		prober.checks[0].header_count = 0;
		prober.checks[0].method = method;
		responder.reply = method == CHECK_METHOD_HEAD ? "HTTP/1.1 200 OK\r\n\r\n" : OK_REPLY;
		prober_configure(&prober);
		assert_true(prober_until_probed(&prober, 2));
		assert_string_equal(prober_health(&prober, 0)->text, "HTTP status 200");
		assert_null(strstr(responder.request, "X-Token"));
		assert_int_equal(!strstr(responder.request, "PUT /"), method != CHECK_METHOD_PUT);
	}
	prober_close_with(&prober, &responder);
}

// The limit of the body: what is behind it is not looked at.
static void first_octets_of_a_body(void **state)
{
	enum { LIMIT = 64 << 10 };
	static const char head[] = "HTTP/1.1 200 OK\r\n\r\n";
	char *reply = malloc(sizeof(head) + LIMIT + 16);

	(void)state;
	for (int behind = 0; behind < 2; behind++) {
		struct responder responder = {.reply = reply};
		struct prober prober;
		size_t len = sizeof(head) - 1;

		memcpy(reply, head, len);
		memset(reply + len, '.', LIMIT + 8);
		memcpy(reply + len + LIMIT - 2 + behind, "ok", 2);
		reply[len + LIMIT + 8] = '\0';
		prober_open_with(&prober, &responder, 1, 1);
		prober.checks[0].body = "o[k]";
		prober_configure(&prober);
		assert_int_not_equal(prober_until_settled(&prober, PROBER_PATIENT_MS), -1);
		assert_string_equal(prober_health(&prober, 0)->text,
		                    behind ? "/o[k]/ is not in the body's first 64 KiB" : "HTTP status 200");
		prober_close_with(&prober, &responder);
	}
	free(reply);
}

static void too_much_work(void **state)
{
	static char reply[20000] = "HTTP/1.1 200 OK\r\n\r\n";
	struct responder responder = {.reply = reply};
	struct prober prober;

	(void)state;
	memset(reply + strlen(reply), 'a', sizeof(reply) - 1 - strlen(reply));
	prober_open_with(&prober, &responder, 1, 1);
	prober.checks[0].body = "(a+)+[xy]";
	prober_configure(&prober);
	assert_int_not_equal(prober_until_settled(&prober, PROBER_PATIENT_MS), -1);
	assert_int_equal(prober_health(&prober, 0)->layer, HEALTH_BODY);
	assert_string_equal(prober_health(&prober, 0)->text, "/(a+)+[xy]/ is too much work to look for in the body");
	prober_close_with(&prober, &responder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_of_options),
		cmocka_unit_test(a_redirect_that_ends_well),
		cmocka_unit_test(headers),
		cmocka_unit_test(nothing_is_left_behind),
		cmocka_unit_test(first_octets_of_a_body),
		cmocka_unit_test(too_much_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
