// Counters of the fast side. One row adds one: it is then in every worker's block, in the sum and in `stats`. Each block
// has one writer, so counting is a plain add; anyone may read.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/attr.h"

// COUNTER(name, what it counts)
#define COUNTERS(COUNTER) \
	COUNTER(queries_udp, "queries over UDP that were answered, whatever the answer") \
	COUNTER(queries_tcp, "the same over TCP") \
	COUNTER(queries_ecs, "of both, those with a client subnet") \
	COUNTER(ignored, "messages not answered: too short, or responses") \
	COUNTER(steered, "answers that steering decided") \
	COUNTER(fail_open, "of them answered although unhealthy: nothing healthy was in reach") \
	COUNTER(last_resort, "of them that found nothing in reach, or only drained sites") \
	COUNTER(noerror, "replies with rcode NOERROR") \
	COUNTER(nxdomain, "replies with rcode NXDOMAIN") \
	COUNTER(formerr, "replies with rcode FORMERR") \
	COUNTER(refused, "replies with rcode REFUSED") \
	COUNTER(servfail, "replies with rcode SERVFAIL") \
	COUNTER(other_rcode, "replies with any other rcode") \
	COUNTER(truncated, "replies with TC set") \
	COUNTER(udp_send_failed, "UDP replies the kernel did not take") \
	COUNTER(tcp_accepted, "TCP connections accepted") \
	COUNTER(tcp_evicted, "TCP connections closed early to make room for new ones")

#define COUNTER_FIELD(name, help) _Atomic uint64_t name;

struct counters {
	CACHE_ALIGNED COUNTERS(COUNTER_FIELD)
};

// Adds to a counter of the calling thread's own block.
static inline void counter_add(_Atomic uint64_t *counter, uint64_t n)
{
	uint64_t have = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, have + n, memory_order_relaxed);
}

static inline uint64_t counter_read(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit((_Atomic uint64_t *)counter, memory_order_relaxed);
}
