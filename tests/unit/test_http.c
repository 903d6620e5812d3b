// The verdicts of HTTP and TCP probes on servers that behave in every way, and the requests they send.
#include "health/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "health/curl_code.h"
#include "prober.h"
#include "responder.h"

#define HEAD(status) "HTTP/1.1 " status "\r\nServer: test\r\n"
#define OK_REPLY HEAD("200 OK") "Content-Length: 2\r\n\r\nok"

#define LONG_10 "0123456789"
#define LONG_100 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10
#define LONG_1000 LONG_100 LONG_100 LONG_100 LONG_100 LONG_100 LONG_100 LONG_100 LONG_100 LONG_100 LONG_100
#define LONG_10000 \
	LONG_1000 LONG_1000 LONG_1000 LONG_1000 LONG_1000 LONG_1000 LONG_1000 LONG_1000 LONG_1000 LONG_1000
#define LONG_100000 \
	LONG_10000 LONG_10000 LONG_10000 LONG_10000 LONG_10000 LONG_10000 LONG_10000 LONG_10000 LONG_10000 LONG_10000

// One row: what the server does, what the check wants, what comes out.
struct row {
	const char *what;
	struct responder script;
	const char *body;
	uint16_t status[4]; // pairs, 0 ends; none: 200-299
	enum health_layer layer;
	const char *text;   // a part of it
};

static const struct row rows[] = {
	{"plain success", {.reply = OK_REPLY}, NULL, {0}, HEALTH_OK, "HTTP status 200"},
	{"no content", {.reply = HEAD("204 No Content") "\r\n"}, NULL, {0}, HEALTH_OK, "HTTP status 204"},
	{"body until close", {.reply = HEAD("200 OK") "\r\nhello"}, "hello", {0}, HEALTH_OK, "200"},
	{"status", {.reply = HEAD("503 Oops") "Content-Length: 2\r\n\r\nok"}, NULL, {0}, HEALTH_STATUS,
	 "HTTP status 503, expected 200-299"},
	{"status without a body", {.reply = HEAD("500 Oops") "Content-Length: 0\r\n\r\n"}, NULL, {0}, HEALTH_STATUS, "500"},
	{"two ranges, second", {.reply = HEAD("404 No") "Content-Length: 0\r\n\r\n"}, NULL, {200, 299, 404, 404}, HEALTH_OK,
	 "404"},
	{"two ranges, between", {.reply = HEAD("302 No") "Content-Length: 0\r\n\r\n"}, NULL, {200, 299, 404, 404},
	 HEALTH_STATUS, "HTTP status 302, expected 200-299,404"},
	{"range's low end", {.reply = HEAD("201 No") "Content-Length: 0\r\n\r\n"}, NULL, {201, 202}, HEALTH_OK, "201"},
	{"under the low end", {.reply = HEAD("200 No") "Content-Length: 0\r\n\r\n"}, NULL, {201, 202}, HEALTH_STATUS, "200"},
	{"over the high end", {.reply = HEAD("203 No") "Content-Length: 0\r\n\r\n"}, NULL, {201, 202}, HEALTH_STATUS, "203"},
	{"a redirect is an answer", {.reply = HEAD("301 M") "Location: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"}, NULL,
	 {301, 301}, HEALTH_OK, "301"},
	{"interim answers do not count", {.reply = "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"},
	 NULL, {0}, HEALTH_STATUS, "503"},
	{"body", {.reply = OK_REPLY}, "ok", {0}, HEALTH_OK, "200"},
	{"other body", {.reply = OK_REPLY}, "okay", {0}, HEALTH_BODY, "\"okay\" is not in the body"},
	{"no body", {.reply = HEAD("200 OK") "Content-Length: 0\r\n\r\n"}, "ok", {0}, HEALTH_BODY, "is not in the body"},
	{"right body, wrong status", {.reply = HEAD("500 X") "Content-Length: 2\r\n\r\nok"}, "ok", {0}, HEALTH_STATUS, "500"},
	{"across pieces", {.reply = HEAD("200 OK") "Content-Length: 10\r\n\r\nabcneedlez", .piece = 10, .delay_ms = 1}, "needle",
	 {0}, HEALTH_OK, "200"},
	{"across chunks", {.reply = HEAD("200 OK") "Transfer-Encoding: chunked\r\n\r\n4\r\nxnee\r\n3\r\ndle\r\n0\r\n\r\n"},
	 "needle", {0}, HEALTH_OK, "200"},
	{"found in an endless body", {.reply = HEAD("200 OK") "\r\nneedle", .endless = true}, "needle", {0}, HEALTH_OK, "200"},
	{"not found in an endless body", {.reply = HEAD("200 OK") "\r\nhay", .endless = true}, "needle", {0}, HEALTH_BODY,
	 "is not in the body's first 64 KiB"},
	{"an endless body", {.reply = HEAD("200 OK") "\r\nhay", .endless = true}, NULL, {0}, HEALTH_OK, "200"},
	{"an endless body of an error", {.reply = HEAD("500 X") "\r\nhay", .endless = true}, NULL, {0}, HEALTH_STATUS, "500"},
	{"endless interim answers", {.reply = "HTTP/1.1 100 Continue\r\nX: 1\r\n\r\n", .endless = true}, NULL, {0}, HEALTH_HTTP,
	 "header of more than 64 KiB"},
	{"a status line that never ends", {.reply = "HTTP/1.1 200 " LONG_1000, .endless = true}, NULL, {0}, HEALTH_HTTP,
	 "more than 100 KB"},
	{"a header line that never ends", {.reply = HEAD("200 OK") "X: " LONG_100000 LONG_10000, .keep = true}, NULL, {0},
	 HEALTH_HTTP, "more than 100 KB"},
	{"not HTTP", {.reply = "SSH-2.0-OpenSSH_9\r\n"}, NULL, {0}, HEALTH_HTTP, "HTTP: "},
	{"not HTTP, unprintable", {.reply = "HTTP/\x01\x02\xff \r\n\r\n"}, NULL, {0}, HEALTH_HTTP, "HTTP: "},
	{"no status", {.reply = "HTTP/1.1 OK\r\n\r\n"}, NULL, {0}, HEALTH_HTTP, "HTTP: "},
	{"a letter in the status", {.reply = "HTTP/1.1 20x OK\r\n\r\n"}, NULL, {0}, HEALTH_HTTP, "HTTP: "},
	{"second status line broken", {.reply = "HTTP/1.1 103 E\r\n\r\nHTTP/1.1 OK\r\n\r\n"}, NULL, {0}, HEALTH_HTTP, "HTTP: "},
	{"closes without a word", {.reply = ""}, NULL, {0}, HEALTH_HTTP, "HTTP: Empty reply"},
	{"closes in the body", {.reply = HEAD("200 OK") "Content-Length: 9\r\n\r\nab"}, NULL, {0}, HEALTH_HTTP, "HTTP: "},
	{"silent", {.keep = true}, NULL, {0}, HEALTH_TIMEOUT, "within 300 ms: waiting for the response"},
	{"slow byte by byte", {.reply = OK_REPLY, .piece = 1, .delay_ms = 20}, NULL, {0}, HEALTH_TIMEOUT,
	 "reading the response"},
	{"stops in the body", {.reply = HEAD("200 OK") "Content-Length: 9\r\n\r\nab", .keep = true}, NULL, {0}, HEALTH_TIMEOUT,
	 "reading the response"},
};

static void probe_once(struct prober *prober, struct responder *responder)
{
	responder_open(responder, prober->base, "127.0.0.1", 0);
	prober->checks[0].port = responder->port;
	prober_configure(prober);
	assert_int_not_equal(prober_until_settled(prober, 3000), -1);
}

static void every_behaviour_has_its_layer(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct responder responder = row->script;
		int64_t stalled_ms = responder_stalled_ms();
		struct prober prober;

		prober_open(&prober, 1, 1);
		prober.checks[0].expect_body = row->body;
		prober.checks[0].interval_ms = PROBER_PATIENT_MS;
		if (row->layer == HEALTH_TIMEOUT)
			prober.checks[0].timeout_ms = 300; // time enough to get as far as the text says on a busy machine
		if (row->status[0]) {
			prober.checks[0].expect_status = (uint16_t *)row->status;
			prober.checks[0].expect_status_count = row->status[2] ? 2 : 1;
		}
		probe_once(&prober, &responder);

		const struct health_target *target = prober_health(&prober, 0);

		stalled_ms = responder_stalled_ms() - stalled_ms;
		if (target->layer != row->layer || !strstr(target->text, row->text))
			fail_msg("%s: %s: %s", row->what, health_layer_text(target->layer), target->text);
		assert_int_equal(target->up, row->layer == HEALTH_OK);
		assert_int_equal(prober.changes, 1);
		assert_true(target->checked && target->last_probe_s && target->since_s && target->took_us);
		for (const char *at = target->text; *at; at++)
			assert_in_range(*at, 0x20, 0x7e);
		if (row->layer == HEALTH_TIMEOUT)
			assert_in_range(target->took_us, 300000, 330000 + 2000 * stalled_ms);
		responder_close(&responder);
		prober_close(&prober);
	}
}

static void refused(void **state)
{
	struct responder responder = {0};
	struct prober prober;

	(void)state;
	for (int type = 0; type < 3; type++) {
		prober_open(&prober, 1, 1);
		responder_open(&responder, prober.base, "127.0.0.1", 0);
		responder_close(&responder);
		prober.checks[0].port = responder.port;
		prober.checks[0].type = (enum check_type)type;
		prober_configure(&prober);
		assert_int_not_equal(prober_until_settled(&prober, 1000), -1);
		assert_int_equal(prober_health(&prober, 0)->layer, HEALTH_CONNECT);
		assert_non_null(strstr(prober_health(&prober, 0)->text, "connect to 127.0.0.1@"));
		assert_non_null(strstr(prober_health(&prober, 0)->text, "Connection refused"));
		prober_close(&prober);
	}
}

static void black_hole(void **state)
{
	struct blackhole hole;
	struct prober prober;

	(void)state;
	for (int type = 0; type < 3; type++) {
		prober_open(&prober, 1, 1);
		prober.checks[0].port = blackhole_open(&hole);
		prober.checks[0].timeout_ms = 100;
		prober.checks[0].type = (enum check_type)type;
		prober_configure(&prober);
		assert_int_not_equal(prober_until_settled(&prober, 1000), -1);
		assert_int_equal(prober_health(&prober, 0)->layer, HEALTH_TIMEOUT);
		assert_string_equal(prober_health(&prober, 0)->text, "no success within 100 ms: connecting");
		assert_true(prober_health(&prober, 0)->took_us >= 100000);
		prober_close(&prober);
		blackhole_close(&hole);
	}
}

static void tcp_connects(void **state)
{
	struct responder responder = {.keep = true};
	int64_t stalled_ms = responder_stalled_ms();
	struct prober prober;

	(void)state;
	prober_open(&prober, 1, 1);
	prober.checks[0].type = CHECK_TCP;
	probe_once(&prober, &responder);
	assert_int_equal(prober_health(&prober, 0)->layer, HEALTH_OK);
	assert_true(prober_health(&prober, 0)->up);
	prober_run(&prober, 350); // the connection is closed, not kept
	stalled_ms = responder_stalled_ms() - stalled_ms;
	assert_in_range(responder.accepted, 3, 5 + (stalled_ms + 99) / 100);
	assert_in_range(responder.open, 0, 1);
	responder_close(&responder);
	prober_close(&prober);
}

static bool says(const struct responder *responder, const char *line)
{
	return strstr(responder->request, line) != NULL;
}

static void asks_as_configured(void **state)
{
	static const struct {
		const char *app, *host, *expect;
	} names[] = {
		{"app.example.com", NULL, "\r\nHost: app.example.com\r\n"},
		{"app.example.com", "other.example.net", "\r\nHost: other.example.net\r\n"},
		{"app.example.com", "other.example.net:8443", "\r\nHost: other.example.net:8443\r\n"},
		{"app.example.com", "192.0.2.1", "\r\nHost: 192.0.2.1\r\n"},
		{"app.example.com", "[2001:db8::1]:80", "\r\nHost: [2001:db8::1]:80\r\n"},
	};

	(void)state;
	setenv("http_proxy", "http://127.0.0.1:1/", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct responder responder = {.reply = OK_REPLY};
		const char *kept;
		struct prober prober;

		prober_open(&prober, 1, 1);
		kept = prober.config.apps[0].name;
		prober.config.apps[0].name = names[i].app;
		prober.checks[0].host = names[i].host;
		prober.checks[0].path = "/a/../b?c=d";
		probe_once(&prober, &responder);
		prober.config.apps[0].name = kept;
		assert_true(prober_health(&prober, 0)->up);
		assert_true(says(&responder, "GET /a/../b?c=d HTTP/1.1\r\n"));
		assert_true(says(&responder, names[i].expect));
		assert_true(says(&responder, "\r\nUser-Agent: edgesteer/" PACKAGE_VERSION "\r\n"));
		assert_true(says(&responder, "\r\nConnection: close\r\n"));
		responder_close(&responder);
		prober_close(&prober);
	}
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
}

static void ipv6(void **state)
{
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	bool there = fd >= 0 && bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0;

	(void)state;
	if (fd >= 0)
		close(fd);
	if (!there)
		skip();
	for (int type = CHECK_HTTP; type <= CHECK_TCP; type += CHECK_TCP) {
		struct responder responder = {.reply = OK_REPLY};
		struct prober prober;

		prober_open(&prober, 1, 1);
		prober.checks[0].type = (enum check_type)type;
		assert_int_equal(addr_parse("::1", &prober_target(&prober, 0, 0)->addresses[0]), 0);
		responder_open(&responder, prober.base, "::1", 0);
		prober.checks[0].port = responder.port;
		prober_configure(&prober);
		assert_int_not_equal(prober_until(&prober, true, 1000), -1);
		responder_close(&responder);
		prober_close(&prober);
	}
}

// Without a file descriptor nothing is learned about the target: its state stays, and probing continues afterwards.
static void own_trouble_is_not_the_targets(void **state)
{
	(void)state;
	for (int type = CHECK_HTTP; type <= CHECK_TCP; type += CHECK_TCP) {
		struct responder responder = {.reply = OK_REPLY, .keep = true};
		struct rlimit limit, none;
		struct prober prober;

		prober_open(&prober, 1, 1);
		prober.checks[0].type = (enum check_type)type;
		probe_once(&prober, &responder);
		assert_true(prober_health(&prober, 0)->up);
		prober_run(&prober, 50);
		assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
		none = (struct rlimit){3, limit.rlim_max};
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
		prober_run(&prober, 300);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		assert_int_equal(prober_health(&prober, 0)->layer, HEALTH_LOCAL);
		assert_non_null(strstr(prober_health(&prober, 0)->text, "Too many open files"));
		assert_true(prober_health(&prober, 0)->up);
		assert_int_equal(prober_health(&prober, 0)->streak, 0);
		prober_run(&prober, 150);
		assert_int_equal(prober_health(&prober, 0)->layer, HEALTH_OK);
		responder_close(&responder);
		prober_close(&prober);
	}
}

// Whatever libcurl says, what comes after the first octet of a response is the target's doing; before it, what is known
// to be ours is, and running out of a resource always.
static void every_code_of_libcurl_has_a_layer(void **state)
{
	static const CURLcode ours[] = {CURLE_FAILED_INIT, CURLE_OUT_OF_MEMORY, CURLE_SSL_CACERT_BADFILE, CURLE_NOT_BUILT_IN,
	                                CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT, CURLE_COULDNT_RESOLVE_HOST,
	                                CURLE_BAD_FUNCTION_ARGUMENT, CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_CRL_BADFILE,
	                                CURLE_UNRECOVERABLE_POLL};
	static const CURLcode system[] = {CURLE_COULDNT_CONNECT, CURLE_SEND_ERROR, CURLE_RECV_ERROR};

	(void)state;
	for (int code = 1; code <= CURL_LAST + 10; code++)
		for (int error = 0; error <= ENOMEM; error += ENOMEM) {
			enum health_layer layer = curl_code_layer((CURLcode)code, true, error);

			assert_true(layer != HEALTH_OK && layer != HEALTH_LOCAL && layer < HEALTH_LOCAL);
			assert_int_not_equal(curl_code_layer((CURLcode)code, false, error), HEALTH_OK);
		}
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		assert_int_equal(curl_code_layer(ours[i], false, 0), HEALTH_LOCAL);
	for (size_t i = 0; i < sizeof(system) / sizeof(system[0]); i++) {
		assert_int_equal(curl_code_layer(system[i], false, ENOBUFS), HEALTH_LOCAL);
		assert_int_not_equal(curl_code_layer(system[i], false, ECONNRESET), HEALTH_LOCAL);
	}
	assert_int_equal(curl_code_layer(CURLE_COULDNT_CONNECT, false, ECONNREFUSED), HEALTH_CONNECT);
	assert_int_equal(curl_code_layer(CURLE_OPERATION_TIMEDOUT, true, 0), HEALTH_TIMEOUT);
	assert_int_equal(curl_code_layer(CURLE_PEER_FAILED_VERIFICATION, false, 0), HEALTH_TLS);
	assert_int_equal(curl_code_layer(CURLE_GOT_NOTHING, false, 0), HEALTH_HTTP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_behaviour_has_its_layer),
		cmocka_unit_test(refused),
		cmocka_unit_test(black_hole),
		cmocka_unit_test(tcp_connects),
		cmocka_unit_test(asks_as_configured),
		cmocka_unit_test(ipv6),
		cmocka_unit_test(own_trouble_is_not_the_targets),
		cmocka_unit_test(every_code_of_libcurl_has_a_layer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
