// One UDP socket, served in batches by a thread of its own, which sleeps in the kernel's receive call between them. Used by
// worker.c only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct counters;
struct udp;

// `fd` is borrowed, and blocking. `worker` is the row of the calling thread-to-be in view->handouts. NULL without memory.
struct udp *udp_new(int fd, bool wildcard, uint32_t worker, struct counters *counters) MUST_USE;
// Takes NULL; returns NULL.
struct udp *udp_free(struct udp *udp);
// The socket it was given.
int udp_fd(const struct udp *udp) PURE;
// Serves until udp_stop(), on the calling thread, a registered reader (base/publish.h).
void udp_run(struct udp *udp);
// Tells udp_run() to return when it next looks: after a batch, or when a signal's handler has interrupted its sleep. From
// any thread.
void udp_stop(struct udp *udp);
