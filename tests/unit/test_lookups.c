// What plugins that look clients up make of replies: of Verizon's service, of CAMARA's APIs and of a program. Bodies are
// those of the documentation, and wrong ones; the flow tests have the rest.
#include "lib/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "camara/camara.h"
#include "exec/reply.h"
#include "fakehost.h"
#include "verizon-eds/eds.h"

extern const struct edgesteer_plugin edgesteer_plugin_exec;

static const struct fakehost_pair sites[] = {
	{"LASVEGAS_NV_WL", "las"}, {"AWS/UK-SOUTH", "lon"}, {"AWS/f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "man"},
	{"a.example.com", "bos"}, {"198.51.100.1", "nyc"}, {"2001:db8::1", "atl"}, {NULL, NULL},
};

static const char *const outcomes[] = {"found", "not-found", "busy", "denied", "timeout", "broken", "unasked"};

// "found a,b", "broken: TEXT".
static const char *describe(const struct verdict *verdict)
{
	static char text[1024];
	size_t len = (size_t)snprintf(text, sizeof(text), "%s", outcomes[verdict->outcome]);

	for (size_t i = 0; i < verdict->site_count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? "," : " ", verdict->sites[i]);
	if (*verdict->text)
		snprintf(text + len, sizeof(text) - len, ": %s", verdict->text);
	return text;
}

struct row {
	int kind; // of the API or the mode
	int status;
	const char *body, *expected;
};

#define ZONE(name, id) \
	"{\"edgeCloudZoneId\": \"" id "\", \"edgeCloudZoneName\": \"" name "\", \"edgeCloudProvider\": \"AWS\"}"
#define LONDON ZONE("UK-SOUTH", "6f4fae-7dec")
#define MANCHESTER ZONE("x", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6")

static const struct row eds_rows[] = {
	{0, 200, "{\"serviceEndpoints\": [{\"ern\": \"us-east-1-wl1-bos-wlz-1\", \"serviceEndpoint\": {\"port\": 1}}]}",
	 "found us-east-1-wl1-bos-wlz-1"},
	{0, 200, "{\"serviceEndpoints\": [{\"ern\": \"5x4VBwmfZbzSL3\"}, {\"ern\": \"LASVEGAS_NV_WL\"}]}",
	 "found 5x4VBwmfZbzSL3,las"},
	{0, 200, "{\"serviceEndpoints\": []}", "not-found: the list is empty"},
	{0, 200, "{\"MECPlatforms\": []}", "broken: the reply has no list `serviceEndpoints`"},
	{0, 200, "{\"serviceEndpoints\": [\"a\"]}", "broken: no entry of `serviceEndpoints` has an `ern`"},
	{0, 200, "", "broken: the reply has no list `serviceEndpoints`"},
	{1, 200, "{\"MECPlatforms\": [{\"ern\": \"a\", \"zone\": null, \"status\": \"inactive\"}, {\"ern\": \"b\", \"status\": 7}]}",
	 "found b"},
	{1, 200, "{\"MECPlatforms\": [{\"ern\": \"a\", \"status\": \"inactive\"}]}", "not-found: the list is empty"},
	{0, 404, "{\"error\": \"no UE\"}", "not-found: HTTP status 404: no UE"},
	{0, 404, "{\"message\": \"no UE\"}", "not-found: HTTP status 404: no UE"},
	{0, 404, "not here", "broken: HTTP status 404: is `base-url` right?"},
	{0, 400, "{\"message\": \"key 0123456789abcdef0123456789abcdef0 is bad\"}", "broken: HTTP status 400: key ? is bad"},
	{0, 400, "{\"message\": \"a\\nb\\u00e9\"}", "broken: HTTP status 400: a?b??"},
	{0, 400, "{\"message\": 7}", "broken: HTTP status 400"},
	{0, 401, "{}", "denied: HTTP status 401"},
	{0, 302, "{\"message\": \"x\"}", "broken: HTTP status 302: redirects are not followed"},
	{0, 0, "", "broken: no reply"},
};

static const struct row camara_rows[] = {
	{CAMARA_SIMPLE, 200, LONDON, "found lon"},
	{CAMARA_SIMPLE, 200, "[" MANCHESTER "]", "found man"},
	{CAMARA_SIMPLE_V1, 200, "[" ZONE("eu-west-2-wl1-man-wlz-1", "1") "]", "found eu-west-2-wl1-man-wlz-1"},
	{CAMARA_SIMPLE_V1, 200, "[]", "not-found: no zone, or none that is active"},
	{CAMARA_SIMPLE, 200, "7", "broken: the reply has no zone"},
	{CAMARA_SIMPLE, 200, "{}", "broken: the reply names no zone"},
	{CAMARA_SIMPLE, 200, "{\"edgeCloudZoneName\": \"x\", \"edgeCloudProvider\": []}", "broken: the reply names no zone"},
	{CAMARA_OPTIMAL, 200, "{\"edgeCloudZones\": [" MANCHESTER ", " LONDON "]}", "found man,lon"},
	{CAMARA_OPTIMAL, 200, "{\"edgeCloudZones\": [{\"edgeCloudZoneName\": \"x\", \"edgeCloudProvider\": \"y\", \"status\": "
	 "\"inactive\"}]}", "not-found: no zone, or none that is active"},
	{CAMARA_OPTIMAL, 200, "[" LONDON "]", "broken: the reply has no edgeCloudZones"},
	{CAMARA_ENDPOINTS, 200, "{\"applicationEndpoints\": [{\"port\": 1, \"edgeCloudZone\": " LONDON "}, {\"fqdn\": "
	 "\"a.example.com\"}, {\"ipv4Addresses\": [\"192.0.2.1\", \"198.51.100.1\"]}, {\"ipv6Addresses\": [\"2001:db8::1\"]}]}",
	 "found lon,bos,nyc,atl"},
	{CAMARA_ENDPOINTS, 200, "{\"applicationEndpoints\": [{\"fqdn\": \"b.example.com\", \"ipv4Addresses\": [7, {}]}]}",
	 "broken: the reply names no zone, and no endpoint that `sites` has"},
	{CAMARA_SIMPLE, 404, "{\"code\": \"IDENTIFIER_NOT_FOUND\"}", "not-found: HTTP status 404: IDENTIFIER_NOT_FOUND"},
	{CAMARA_SIMPLE, 404, "{\"code\": \"NO_ROUTE\"}", "broken: HTTP status 404: NO_ROUTE"},
	{CAMARA_SIMPLE, 422, "{\"code\": \"NOT_FOUND\"}", "broken: HTTP status 422: NOT_FOUND"},
	{CAMARA_SIMPLE, 422, "{\"code\": \"UNNECESSARY_IDENTIFIER\"}", "denied: HTTP status 422: UNNECESSARY_IDENTIFIER"},
	{CAMARA_SIMPLE, 429, "{\"code\": \"QUOTA_EXCEEDED\"}", "busy: HTTP status 429: QUOTA_EXCEEDED"},
};

static void check_row(const struct row *row, void (*read)(void *ctx, const struct https_result *result, struct verdict *ret),
                      void *ctx)
{
	const struct https_result result = {.status = row->status, .body = row->body, .body_len = strlen(row->body),
	                                    .fault = row->status ? HTTPS_NONE : HTTPS_BROKEN};
	struct verdict verdict = {.outcome = EDGESTEER_BROKEN};

	read(ctx, &result, &verdict);
	assert_string_equal(describe(&verdict), row->expected);
}

static void test_replies(void **state)
{
	struct fakehost host;

	(void)state;
	fakehost_begin(&host, NULL, sites);
	for (size_t i = 0; i < sizeof(eds_rows) / sizeof(*eds_rows); i++) {
		struct eds eds = {.host = &host.lent, .platforms = eds_rows[i].kind == 1, .take = VERDICT_SITES_MAX};

		check_row(&eds_rows[i], eds_read, &eds);
	}
	for (size_t i = 0; i < sizeof(camara_rows) / sizeof(*camara_rows); i++) {
		struct camara camara = {.host = &host.lent, .api = (enum camara_api)camara_rows[i].kind};

		check_row(&camara_rows[i], camara_read, &camara);
	}
	fakehost_end(&host);
}

static void test_program(void **state)
{
	static const struct {
		const char *line, *expected; // "ID FINDING", or what is wrong
	} rows[] = {
		{"{\"id\": 7, \"sites\": [\"a\", \"b\", \"a\", \"c\", \"d\", \"e\"]}", "7 found a,b,c,d"},
		{"{\"id\": 7, \"sites\": \"a\", \"carrier\": \"verizon\", \"class\": null, \"lifetime\": 3600}", "7 found a"},
		{"{\"id\": 7, \"sites\": []}", "7 not-found"},
		{"{\"id\": 7}", "7 not-found"},
		{"{\"id\": -1, \"outcome\": \"busy\", \"retry\": 2.5}", "-1 busy"},
		{"{\"id\": 7, \"outcome\": \"broken\", \"text\": \"a\\nb\"}", "7 broken: a?b"},
		{"{}", "expected an object with the `id` of a question, such as {\"id\": 7, \"sites\": [\"us-east-1\"]}"},
		{"[7]", "expected an object with the `id` of a question, such as {\"id\": 7, \"sites\": [\"us-east-1\"]}"},
		{"{\"id\": 7.5}", "expected an object with the `id` of a question, such as {\"id\": 7, \"sites\": [\"us-east-1\"]}"},
		{"{\"id\": 7, \"sites\": 7}", "`sites` is neither a text nor a list of texts"},
		{"{\"id\": 7, \"sites\": [null]}", "`sites` is neither a text nor a list of texts"},
		{"{\"id\": 7, \"outcome\": \"good\"}", "`outcome` is none of found, not-found, busy, denied, timeout, broken and unasked"},
		{"{\"id\": 7, \"carrier\": 7}", "`carrier` is not a name of up to 63 octets"},
		{"{\"id\": 7, \"class\": \"a b\"}", "`class` is not a name of up to 63 octets"},
		{"{\"id\": 7, \"lifetime\": -1}", "`lifetime` is not a number of seconds, 0 to 2592000"},
		{"{\"id\": 7, \"retry\": 1e9}", "`retry` is not a number of seconds, 0 to 2592000"},
		{"{\"id\": 7, \"site\": \"a\"}", "unknown key `site`, or not of its type; expected id, sites, carrier, class, lifetime, "
		 "outcome, retry or text"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		json_t *json = json_loads(rows[i].line, JSON_DECODE_ANY, NULL);
		char why[REPLY_WHY_SIZE] = "", got[1100];
		struct verdict verdict;
		json_int_t id;

		assert_non_null(json);
		if (reply_read(json, &id, &verdict, why) == 0)
			snprintf(got, sizeof(got), "%lld %s", (long long)id, describe(&verdict));
		else
			snprintf(got, sizeof(got), "%s", why);
		assert_string_equal(got, rows[i].expected);
		json_decref(json);
	}
}

static void test_quote(void **state)
{
	char buf[VERDICT_QUOTE_SIZE], text[400];

	(void)state;
	assert_string_equal(verdict_quote(buf, ""), "");
	assert_string_equal(verdict_quote(buf, " a  b "), " a  b ");
	memset(text, 'x', sizeof(text));
	text[32] = '\0';
	assert_string_equal(verdict_quote(buf, text), text);
	text[32] = 'x';
	text[33] = '\0';
	assert_string_equal(verdict_quote(buf, text), "?");
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 10 == 9 ? ' ' : 'x';
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(strlen(verdict_quote(buf, text)), 70); // words stay whole
}

static void test_urls(void **state)
{
	static const char *const good[] = {"https://a", "https://a.example.com:8443/b/c-d_e/v0.1", "https://[::1]:1/",
	                                   "https://127.0.0.1/%20"};
	static const char *const bad[] = {"", "https://", "http://a", "HTTPS://a", "https:///a", "https://:1/", "https://a@b/",
	                                  "https://a/?b", "https://a/#b", "https://a b", "https://a\n", "https://\xc3\xa9/"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(https_url_is_good(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(https_url_is_good(bad[i]));
}

// A plugin on its thread: questions in, answers out, and the end with questions under way.
static void test_thread(void **state)
{
	static const struct fakehost_pair options[] = {
		{"command", "[\"/bin/sed\", \"-u\", \"s/,.address.:.\\\\([^\\\"]*\\\\).*/,\\\"sites\\\":\\\"at-\\\\1\\\"}/\"]"},
		{NULL, NULL},
	};
	struct edgesteer_question question = {
		.size = sizeof(question), .family = 4, .address = {192, 0, 2, 1}, .prefix_length = 24, .deadline_ms = INT64_MAX,
	};
	struct fakehost host;
	char *answers;

	(void)state;
	fakehost_begin(&host, options, NULL);
	assert_int_equal(fakehost_look_up(&host, &edgesteer_plugin_exec), 0);
	for (question.id = UINT64_MAX; question.id > UINT64_MAX - 3; question.id--, question.address[3]++)
		fakehost_ask(&host, &question);
	for (int i = 0; i < 1000 && fakehost_answer_count(&host) < 3; i++)
		usleep(10000);
	fakehost_ask(&host, &question);
	assert_int_equal(fakehost_stop(&host), 0);
	answers = fakehost_answers(&host);
	assert_memory_equal(answers, "18446744073709551615 found at-192.0.2.1\n18446744073709551614 found at-192.0.2.2\n"
	                             "18446744073709551613 found at-192.0.2.3\n", 120);
	assert_string_equal(host.reports, "");
	free(answers);
	fakehost_end(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_program),
		cmocka_unit_test(test_quote),
		cmocka_unit_test(test_thread),
		cmocka_unit_test(test_urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
