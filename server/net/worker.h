// Worker threads: one for each UDP socket, and for each set of TCP sockets. Each has its own buffers and counters; they
// meet the rest of the daemon only in what is published and in what they count.
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/counters.h"

struct sockets;
struct tcp_limits;
struct workers;

// Starts them on the sockets (borrowed: they outlive the workers). They serve what live_publish() published, so that comes
// first, and live_withdraw() only after they were stopped. All signals are blocked in them but SIGURG, which wakes them and
// gets a handler that does nothing. `limit`: the number of workers there are counters for; there must be enough.
// E_NOMEM, E_IO.
int workers_start(const struct sockets *sockets, const struct tcp_limits *limits, unsigned limit,
                  struct workers **ret_workers) MUST_USE;

// Tells them to stop: no more is accepted, TCP in flight is finished within a short grace; waits for them and frees
// everything. Takes NULL; returns NULL.
struct workers *workers_stop(struct workers *workers);

// Reads every worker's block; `ret_sum` is the caller's and is overwritten.
void workers_counters(const struct workers *workers, struct counters *ret_sum);
