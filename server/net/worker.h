// Worker threads: each with its own sockets, event loop, buffers and counters. They meet the rest of the daemon only in
// what is published and in what they count.
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/counters.h"

struct sockets;
struct workers;

struct worker_limits {
	unsigned tcp_clients;    // connections per worker
	unsigned tcp_idle_ms;    // also what one message may take from its first octet to its last
};

// Starts `count` threads on the sockets (borrowed: they outlive the workers). Signals are blocked in them. They serve
// what live_publish() published, so that comes first, and live_withdraw() only after they were stopped. E_NOMEM, E_IO.
int workers_start(const struct sockets *sockets, unsigned count, const struct worker_limits *limits,
                  struct workers **ret_workers) MUST_USE;

// Tells them to stop: no more is accepted, TCP in flight is finished within a short grace; waits for them and frees
// everything. Takes NULL; returns NULL.
struct workers *workers_stop(struct workers *workers);

unsigned workers_count(const struct workers *workers);
// Reads every worker's block; `ret_sum` is the caller's and is overwritten.
void workers_counters(const struct workers *workers, struct counters *ret_sum);
