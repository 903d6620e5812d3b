// Serves UDP on a worker's event loop, in batches. Used by worker.c only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct counters;
struct event_base;
struct udp;

// One set of buffers for all of a worker's UDP sockets. NULL without memory.
struct udp *udp_new(uint16_t worker, struct counters *counters) MUST_USE;
struct udp *udp_free(struct udp *udp);
// Serves `fd` (borrowed). E_NOMEM, E_LIMIT.
int udp_add(struct udp *udp, struct event_base *base, int fd, bool wildcard) MUST_USE;
