// The workers' counters. A row adds one: to every worker's block, to the sums and to `stats`. Each block has a single
// writer, so counting is a plain add; any thread may read.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/attr.h"

// COUNTER(name, family, label, value, help). A counter that is one of several of a kind names their `family`, the
// `label` that tells them apart, and its `value` of that label. All of a family have the same help text. Any other
// counter is a family of its own, with no label. See base/metric.h.
#define DROPS_HELP "Messages without a reply: ignored, as they were too short or responses; unsent, UDP replies the kernel did not take."

#define COUNTERS(COUNTER) \
	COUNTER(queries_udp, "queries", "transport", "udp", "Queries that were answered, whatever the answer.") \
	COUNTER(queries_tcp, "queries", "transport", "tcp", "Queries that were answered, whatever the answer.") \
	COUNTER(queries_ecs, "queries_ecs", "", "", "Of the queries, those with a client subnet.") \
	COUNTER(ignored, "drops", "reason", "ignored", DROPS_HELP) \
	COUNTER(udp_send_failed, "drops", "reason", "unsent", DROPS_HELP) \
	COUNTER(steered, "steered", "", "", "Answers that steering decided.") \
	COUNTER(fail_open, "fail_open", "", "", \
	        "Of the steered answers, those with an unhealthy target: nothing healthy was in reach.") \
	COUNTER(last_resort, "last_resort", "", "", \
	        "Of the steered answers, those that found nothing in reach, or only drained sites.") \
	COUNTER(noerror, "replies", "rcode", "noerror", "Replies by their rcode.") \
	COUNTER(nxdomain, "replies", "rcode", "nxdomain", "Replies by their rcode.") \
	COUNTER(formerr, "replies", "rcode", "formerr", "Replies by their rcode.") \
	COUNTER(refused, "replies", "rcode", "refused", "Replies by their rcode.") \
	COUNTER(servfail, "replies", "rcode", "servfail", "Replies by their rcode.") \
	COUNTER(other_rcode, "replies", "rcode", "other", "Replies by their rcode.") \
	COUNTER(truncated, "truncated", "", "", "Replies with TC set.") \
	COUNTER(tcp_accepted, "tcp_accepted", "", "", "TCP connections accepted.") \
	COUNTER(tcp_evicted, "tcp_evicted", "", "", "TCP connections closed early to make room for new ones.")

#define COUNTER_FIELD(name, family, label, value, help) _Atomic uint64_t name;

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
