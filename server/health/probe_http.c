// The HTTP and HTTPS probe: one request, and as many redirects as the check allows. Headers and body are read up to a limit;
// the body is kept only for a regular expression. See probe.h.
#include "health/probe.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/must.h"
#include "base/pattern.h"
#include "health/redirect.h"
#include "health/transfer.h"

_Static_assert((int)TRANSFER_BODY_MAX <= (int)PATTERN_SUBJECT_MAX, "what is read can be searched");
_Static_assert((int)REDIRECT_PATH_MAX <= (int)TRANSFER_PATH_MAX, "a redirect can be followed");

struct http {
	size_t matched, body_len;
	char *body;            // for the regular expression; NULL: none read, or none needed
	size_t body_room;
	unsigned followed;     // redirects
	bool is_get;           // after a redirect that says so
	char *path;            // of the redirect; NULL: the check's
	char *location;        // of the response that is being read; NULL: none
};

static const char *path_of(struct transfer *transfer)
{
	const struct http *http = transfer_state(transfer);

	return http->path ? http->path : transfer_check(transfer)->conf.path;
}

static bool status_expected(const struct config_check *check, long status)
{
	for (size_t i = 0; i < check->expect_status_count; i++)
		if (status >= check->expect_status[2 * i] && status <= check->expect_status[2 * i + 1])
			return true;
	return false;
}

// ---- the request

static int set_method(struct transfer *transfer, enum check_method method)
{
#define METHOD_NAME(name) [CHECK_METHOD_##name] = #name,
	static const char *const names[] = {CHECK_METHODS(METHOD_NAME)};
#undef METHOD_NAME
	CURL *easy = transfer_easy(transfer);

	// The handle has had other requests. The first of these ends all their methods.
	curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
	if (method == CHECK_METHOD_HEAD)
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	if (method == CHECK_METHOD_POST || method == CHECK_METHOD_PUT) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, 0L);
	}
	if (method == CHECK_METHOD_GET || method == CHECK_METHOD_HEAD || method == CHECK_METHOD_POST)
		return E_OK;
	return curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, names[method]) == CURLE_OK ? E_OK : E_NOMEM;
}

// Without a line of its own, libcurl would say that the content, of which there is none, is that of a form.
static int add_headers(struct transfer *transfer)
{
	const struct config_check *check = &transfer_check(transfer)->conf;
	bool has_type = false;
	int err = check->http2 ? E_OK : transfer_add_header(transfer, "Connection: close");

	for (size_t i = 0; i < check->header_count; i++)
		has_type |= strcasecmp(check->headers[i].name, "Content-Type") == 0;
	if (err == E_OK && !has_type)
		err = transfer_add_header(transfer, "Content-Type:");
	return err == E_OK ? transfer_add_configured(transfer) : err;
}

static bool http_is_tls(const struct config_check *check)
{
	return check->type == CHECK_HTTPS;
}

static int http_begin(struct transfer *transfer)
{
	const struct config_check *check = &transfer_check(transfer)->conf;
	struct http *http = transfer_state(transfer);
	long version = CURL_HTTP_VERSION_1_1;

	http->matched = http->body_len = 0;
	if (check->http2)
		version = http_is_tls(check) ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
	if (curl_easy_setopt(transfer_easy(transfer), CURLOPT_HTTP_VERSION, version) != CURLE_OK) {
		errno = EPROTONOSUPPORT; // a libcurl without HTTP/2
		return E_IO;
	}
	if (transfer_set_path(transfer, path_of(transfer)) < 0 || add_headers(transfer) < 0)
		return E_NOMEM;
	return set_method(transfer, http->is_get ? CHECK_METHOD_GET : check->method);
}

static void http_end(struct transfer *transfer)
{
	struct http *http = transfer_state(transfer);

	free(http->body);
	free(http->path);
	free(http->location);
}

// ---- redirects

static bool is_redirect(struct transfer *transfer, const struct http *http)
{
	const struct config_check *check = &transfer_check(transfer)->conf;
	long status = transfer_status(transfer);

	return check->redirects > 0 && !status_expected(check, status) && redirect_is_one(status) && http->location;
}

// Goes where the response leads, or says why not.
static void follow(struct transfer *transfer)
{
	const struct config_check *check = &transfer_check(transfer)->conf;
	struct http *http = transfer_state(transfer);
	const struct redirect_from from = {http_is_tls(check) ? "https" : "http", transfer_host(transfer), check->port,
	                                   path_of(transfer)};
	long status = transfer_status(transfer);
	char *path;
	int err;

	if (http->followed == check->redirects) {
		transfer_decide(transfer, HEALTH_STATUS, "HTTP status %ld after %u redirect%s, which is the limit", status,
		                http->followed, http->followed == 1 ? "" : "s");
		return;
	}
	err = redirect_path(&from, http->location, &path);
	if (err < 0) {
		transfer_decide(transfer, err == E_NOMEM ? HEALTH_LOCAL : HEALTH_STATUS, "HTTP status %ld, %s: \"%.64s\"", status,
		                err == E_LIMIT ? "redirected to another host" : err == E_NOMEM ? "out of memory to follow it"
		                                                                                : "redirected to what is no URL", http->location);
		return;
	}
	free(http->path);
	http->path = path;
	http->followed++;
	http->is_get |= redirect_is_get(status, check->method);
	transfer_again(transfer);
}

// ---- the response

static void verdict_status(struct transfer *transfer)
{
	const struct config_check *check = &transfer_check(transfer)->conf;
	char ranges[HEALTH_TEXT_LEN] = "";
	size_t at = 0;

	for (size_t i = 0; i < check->expect_status_count && at < sizeof(ranges); i++) {
		unsigned low = check->expect_status[2 * i], high = check->expect_status[2 * i + 1];
		const char *comma = i ? "," : "";

		if (low == high)
			at += (size_t)snprintf(ranges + at, sizeof(ranges) - at, "%s%u", comma, low);
		else
			at += (size_t)snprintf(ranges + at, sizeof(ranges) - at, "%s%u-%u", comma, low, high);
	}
	transfer_decide(transfer, HEALTH_STATUS, "HTTP status %ld, expected %s", transfer_status(transfer), ranges);
}

// Whether the body is as the regular expression wants it; decides if it is not.
static bool search_body(struct transfer *transfer, const char *where)
{
	const struct check *check = transfer_check(transfer);
	const struct http *http = transfer_state(transfer);
	int err = check->pattern ? pattern_search(check->pattern, http->body ? http->body : "", http->body_len, NULL) : E_OK;

	if (err == E_NOTFOUND)
		transfer_decide(transfer, HEALTH_BODY, "/%.64s/ is not %s", check->conf.body, where);
	else if (err == E_LIMIT)
		transfer_decide(transfer, HEALTH_BODY, "/%.64s/ is too much work to look for %s", check->conf.body, where);
	else if (err < 0)
		transfer_decide(transfer, HEALTH_LOCAL, "out of memory to search the body");
	return err == E_OK;
}

// The verdict on a response, complete or read up to TRANSFER_BODY_MAX.
static void verdict_response(struct transfer *transfer)
{
	const struct check *check = transfer_check(transfer);
	const struct http *http = transfer_state(transfer);
	const char *where = http->body_len >= TRANSFER_BODY_MAX ? "in the body's first 64 KiB" : "in the body";

	if (is_redirect(transfer, http))
		follow(transfer);
	else if (!status_expected(&check->conf, transfer_status(transfer)))
		verdict_status(transfer);
	else if (http->matched < check->body.len)
		transfer_decide(transfer, HEALTH_BODY, "\"%.64s\" is not %s", check->body.text, where);
	else if (search_body(transfer, where))
		transfer_decide(transfer, HEALTH_OK, "HTTP status %ld", transfer_status(transfer));
}

static bool is_digits(const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!isdigit((unsigned char)text[i]))
			return false;
	return true;
}

// RFC 9112 section 4; for HTTP/2, libcurl writes one. It accepts "HTTP/nonsense" as status 200.
static bool is_status_line(const char *line, size_t len)
{
	if (len >= 10 && memcmp(line, "HTTP/2 ", 7) == 0)
		return is_digits(line + 7, 3);
	return len >= 12 && memcmp(line, "HTTP/1.", 7) == 0 && is_digits(line + 7, 1) && line[8] == ' ' && is_digits(line + 9, 3);
}

// Keeps the value of the header if it is the one that a redirect has, and its length is one that could be followed.
static void keep_location(struct http *http, const char *line, size_t len)
{
	size_t value_len = 0;
	const char *value = transfer_header_value(line, len, "Location:", &value_len);

	if (value && value_len > 0 && value_len <= REDIRECT_PATH_MAX && !http->location)
		http->location = strndup(value, value_len);
}

static void http_header(struct transfer *transfer, const char *line, size_t len)
{
	const struct config_check *check = &transfer_check(transfer)->conf;
	struct http *http = transfer_state(transfer);

	if (len < 5 || memcmp(line, "HTTP/", 5) != 0) {
		if (check->redirects > 0)
			keep_location(http, line, len);
		return;
	}
	free(http->location); // of an interim response
	http->location = NULL;
	if (!is_status_line(line, len))
		transfer_decide(transfer, HEALTH_HTTP, "HTTP: malformed status line");
	else if (check->http2 && line[5] != '2')
		transfer_decide(transfer, HEALTH_HTTP, "HTTP: the target speaks HTTP/1, expected HTTP/2");
}

// Keeps the octets for the regular expression.
static bool keep_body(struct http *http, const char *octets, size_t len)
{
	if (http->body_len + len > http->body_room) {
		size_t room = http->body_room ? http->body_room * 2 : 4096;
		char *body;

		while (room < http->body_len + len)
			room *= 2;
		body = realloc(http->body, room);
		if (!body)
			return false;
		http->body = body;
		http->body_room = room;
	}
	memcpy(http->body + http->body_len, octets, len);
	return true;
}

static void http_body(struct transfer *transfer, const char *octets, size_t len, bool is_last)
{
	const struct check *check = transfer_check(transfer);
	struct http *http = transfer_state(transfer);
	bool has_needle = check->body.len && needle_feed(&check->body, &http->matched, octets, len);

	if (check->pattern && !keep_body(http, octets, len)) {
		transfer_decide(transfer, HEALTH_LOCAL, "out of memory to keep the body");
		return;
	}
	http->body_len += len;
	if (is_last || !status_expected(&check->conf, transfer_status(transfer)) || (has_needle && !check->pattern))
		verdict_response(transfer);
}

static const struct transfer_kind http_kind = {
	.state_size = sizeof(struct http), .is_tls = http_is_tls, .begin = http_begin, .header = http_header, .body = http_body,
	.complete = verdict_response, .end = http_end,
};

static void *http_open(struct event_base *base)
{
	return transfer_open(base, &http_kind);
}

// The two types differ only in the URL's scheme, which depends on the check.
#define HTTP_PROBE \
	{ \
		.open = http_open, .close = transfer_close, .refresh = transfer_refresh, .start = transfer_start, \
		.cancel = transfer_cancel, .stage = transfer_stage, \
	}

const struct probe_type http_probe = HTTP_PROBE, https_probe = HTTP_PROBE;
