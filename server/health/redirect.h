// Where a redirect leads, as far as a probe follows it: to the host that was asked. For probe_http.c. What a target sends
// is anybody's text.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "config/check_types.h"

enum { REDIRECT_PATH_MAX = 2048 }; // octets, of a location and of the path that follows from it

// What was asked.
struct redirect_from {
	const char *scheme;
	const char *host; // the Host header: a name or address, with or without a port
	uint16_t port;    // that was connected to
	const char *path;
};

// Whether a status is a redirect's: 301, 302, 303, 307 and 308 (RFC 9110 section 15.4).
bool redirect_is_one(long status) PURE;
// Whether the next request is a GET whatever the first one was: after 303, and, as clients do it, after 301 and 302 to a
// POST (RFC 9110 section 15.4.2).
bool redirect_is_get(long status, enum check_method method) PURE;
// The path and query to ask for next, which the caller frees. E_LIMIT: at another scheme, host or port; E_INVAL: no URL;
// E_NOMEM. A port is the same if it is none, the scheme's own, that of `host`, or the one that was connected to.
int redirect_path(const struct redirect_from *from, const char *location, char **ret_path) MUST_USE;
