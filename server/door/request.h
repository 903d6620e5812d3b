// The head of an HTTP/1.1 request (RFC 9112): octets in, a struct that points into them out. Pure functions; whatever a
// peer sends ends in a struct whose every field was checked, or in the status to refuse it with.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

enum {
	REQUEST_HEAD_MAX = 8192,    // octets, with the empty line
	REQUEST_BODY_MAX = 1 << 20, // octets
};

enum request_method { REQUEST_GET, REQUEST_HEAD, REQUEST_POST, REQUEST_OTHER };

// A piece of the head; not terminated.
struct request_text {
	const char *at; // NULL: it is not there
	size_t len;
};

struct request {
	enum request_method method;
	struct request_text path;          // as sent, before any "?"; starts with "/"
	struct request_text query;         // as sent, after the "?"
	struct request_text authorization; // of the header field of that name
	struct request_text accept;
	struct request_text content_type;
	size_t body_len;
	bool keeps;     // the connection stays open for another request
	bool continues; // the peer waits for "100 Continue"
};

// Where a head ends: the length with its empty line, 0 while that has not come.
size_t request_head_len(const char *octets, size_t len) PURE;
// Reads a head of `len` octets, as request_head_len() found it. 0, or the HTTP status that it is refused with; *ret_why then
// says why, a constant.
int request_read(const char *head, size_t len, struct request *ret_request, const char **ret_why) MUST_USE;

bool request_text_is(const struct request_text *text, const char *word) PURE;
// Without regard to case, as names of header fields and schemes are.
bool request_text_is_nocase(const struct request_text *text, const char *word) PURE;
// The token of an authorization "Bearer TOKEN"; NULL, it is something else.
struct request_text request_bearer(const struct request *request);
// Whether a body is said to be JSON.
bool request_is_json(const struct request *request) PURE;
// Whether OpenMetrics is asked for rather than Prometheus' text.
bool request_wants_openmetrics(const struct request *request) PURE;
