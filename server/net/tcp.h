// Serves TCP on an event loop and a thread of its own (RFC 7766): pipelined queries, bounded connections, one deadline.
// Used by worker.c only.
#pragma once

#include <stdint.h>

#include "base/attr.h"

struct counters;
struct stream_type;
struct tcp;

struct tcp_limits {
	unsigned clients;        // connections per worker
	unsigned idle_ms;        // also what one message may take from its first octet to its last
};

// `worker` is the row of the calling thread-to-be in view->handouts. NULL without memory or descriptors.
struct tcp *tcp_new(uint32_t worker, struct counters *counters, const struct tcp_limits *limits) MUST_USE;
// Takes NULL; returns NULL.
struct tcp *tcp_free(struct tcp *tcp);
// Before tcp_run(): accepts on `fd` (non-blocking, listening), and opens each connection as a stream of `type` with `ctx`
// (NULL where the type wants none). All three are borrowed until tcp_free(). E_NOMEM, E_LIMIT.
int tcp_add(struct tcp *tcp, int fd, const struct stream_type *type, void *ctx) MUST_USE;
// Serves until tcp_stop(), on the calling thread, a registered reader (base/publish.h).
void tcp_run(struct tcp *tcp);
// Tells tcp_run() to accept no more, to close idle connections, to let the others finish what they are at, within a short
// grace, and to return. From any thread.
void tcp_stop(struct tcp *tcp);
