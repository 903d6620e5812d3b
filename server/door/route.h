// From a request to what it asks for: one of the plain paths, or a verb with its fields. Pure but for the JSON that it
// makes. Called by door.c and by its fuzz target.
#pragma once

#include <jansson.h>

#include "base/attr.h"
#include "door/request.h"

struct verbs_row;

enum route_kind {
	ROUTE_LIVE,    // /livez: the main loop turns
	ROUTE_READY,   // /readyz: queries are answered
	ROUTE_METRICS, // /metrics
	ROUTE_VERB,    // /v1/VERB
	ROUTE_NONE,
};

// What a path is. For ROUTE_VERB the verb is in *ret_verb, which is NULL when there is none of that name.
enum route_kind route_find(const struct request_text *path, const struct verbs_row **ret_verb);
// "GET" or "POST".
const char *route_method(const struct verbs_row *verb);

// The verb's request: from the query of a GET, from the body (`body_len` octets) of a POST. Owned by the caller. NULL: the
// request is wrong, and *ret_refusal is the reply (NULL: out of memory). Fields are not checked beyond their form.
json_t *route_fields(const struct request *request, const struct verbs_row *verb, const char *body, size_t body_len,
                     json_t **ret_refusal) MUST_USE;
