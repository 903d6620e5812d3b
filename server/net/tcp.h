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
	unsigned idle_ms;        // idle timeout; also limits the time from the first octet of a message to its last
};

// `worker` is the number of the worker that will call tcp_run(), `counters` its block (borrowed); `limits` are copied.
// NULL when out of memory or descriptors.
struct tcp *tcp_new(uint32_t worker, struct counters *counters, const struct tcp_limits *limits) MUST_USE;
// Takes NULL; returns NULL.
struct tcp *tcp_free(struct tcp *tcp);
// Adds a listener, before tcp_run(): accepts on `fd` (non-blocking, listening), and opens each connection as a stream
// of `type` with `ctx` (NULL if the type has no use for it). All three are borrowed until tcp_free(). E_NOMEM, E_LIMIT.
int tcp_add(struct tcp *tcp, int fd, const struct stream_type *type, void *ctx) MUST_USE;
// Serves until tcp_stop(). The calling thread must be a registered reader (base/publish.h).
void tcp_run(struct tcp *tcp);
// Makes tcp_run() stop accepting, close idle connections, wait up to two seconds for the others to finish, and return.
// From any thread.
void tcp_stop(struct tcp *tcp);
