// One UDP socket, served in batches by a thread of its own, which sleeps in recvmmsg() between them. Used only by
// worker.c.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct counters;
struct udp;

// `fd` is blocking, and borrowed like `counters`; `wildcard`: it is bound to all addresses. `worker` is the number of
// the worker that will call udp_run(), `counters` its block. NULL when out of memory.
struct udp *udp_new(int fd, bool wildcard, uint32_t worker, struct counters *counters) MUST_USE;
// Takes NULL; returns NULL.
struct udp *udp_free(struct udp *udp);
// The `fd` given to udp_new().
int udp_fd(const struct udp *udp) PURE;
// Serves until udp_stop(). The calling thread must be a registered reader (base/publish.h).
void udp_run(struct udp *udp);
// Makes udp_run() return after the current batch, or when a signal handler has interrupted its sleep. From any thread.
void udp_stop(struct udp *udp);
