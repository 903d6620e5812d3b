// Serves TCP on a worker's event loop (RFC 7766): pipelined queries, bounded connections, one deadline. Used by worker.c
// only.
#pragma once

#include <stdint.h>

#include "base/attr.h"

struct counters;
struct event_base;
struct tcp;
struct worker_limits;

struct tcp *tcp_new(struct event_base *base, uint16_t worker, struct counters *counters,
                    const struct worker_limits *limits) MUST_USE;
struct tcp *tcp_free(struct tcp *tcp);
// Accepts on `fd` (borrowed, non-blocking, listening). E_NOMEM, E_LIMIT.
int tcp_add(struct tcp *tcp, struct event_base *base, int fd) MUST_USE;
// Accepts no more, closes idle connections, lets the others finish what they are at. Calls done(ctx) when none is left,
// which may be at once.
void tcp_finish(struct tcp *tcp, void (*done)(void *ctx), void *ctx);
