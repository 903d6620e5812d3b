// The statuses that the HTTP door answers with, and what else it counts; a row adds one, to the replies and to the metrics.
#pragma once

#include <stdint.h>

// ROW(status, reason)
#define STATUSES(ROW) \
	ROW(200, "OK") \
	ROW(400, "Bad Request") \
	ROW(401, "Unauthorized") \
	ROW(403, "Forbidden") \
	ROW(404, "Not Found") \
	ROW(405, "Method Not Allowed") \
	ROW(408, "Request Timeout") \
	ROW(409, "Conflict") \
	ROW(411, "Length Required") \
	ROW(413, "Content Too Large") \
	ROW(415, "Unsupported Media Type") \
	ROW(417, "Expectation Failed") \
	ROW(431, "Request Header Fields Too Large") \
	ROW(500, "Internal Server Error") \
	ROW(503, "Service Unavailable") \
	ROW(505, "HTTP Version Not Supported")

// ROW(name): requests that were denied. closed: neither tokens nor a client CA are configured; missing: no token and no
// certificate; wrong: a token that is not in the file; scope: it may not do that; vantage: it may not speak for that one.
#define DENIALS(ROW) ROW(closed) ROW(missing) ROW(wrong) ROW(scope) ROW(vantage)

// ROW(name): connections that the door ended. limit: there were too many in all, or from one address; room: idle, for a new
// one; timeout: too slow; tls: the handshake failed.
#define DROPS(ROW) ROW(limit) ROW(room) ROW(timeout) ROW(tls)

#define STATUS_FIELD(status, reason) uint64_t status_##status;
#define DENIAL_FIELD(name) uint64_t denied_##name;
#define DROP_FIELD(name) uint64_t dropped_##name;

// Since the start, but for `connections`: now.
struct door_stats {
	STATUSES(STATUS_FIELD)
	DENIALS(DENIAL_FIELD)
	DROPS(DROP_FIELD)
	uint64_t connections;
};
