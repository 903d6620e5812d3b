// Worker threads: one for each UDP socket, and one for each set of TCP sockets. Each has its own buffers and counters;
// they share with the rest of the daemon only the published live part and their counters.
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/counters.h"

struct sockets;
struct tcp_limits;
struct workers;

// Starts the workers on the sockets, which are borrowed and outlive them. They serve what is published, so
// live_publish() must come before, and live_withdraw() after workers_stop(). They block all signals but SIGURG, which
// wakes them and for which a handler that does nothing is installed. `limit` is the number of workers that have
// counters (view/handouts.h), and must suffice. E_NOMEM; E_IO when a thread cannot be created.
int workers_start(const struct sockets *sockets, const struct tcp_limits *limits, unsigned limit,
                  struct workers **ret_workers) MUST_USE;

// Stops the workers: they accept nothing more, and TCP connections have up to two seconds to finish. Waits for them and
// frees everything. Takes NULL; returns NULL.
struct workers *workers_stop(struct workers *workers);

// Sums the counters of all workers into *ret_sum, which is overwritten.
void workers_counters(const struct workers *workers, struct counters *ret_sum);
