// What a query comes over, and in what an answer differs by it: one row per transport. Read by answer and net.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counters.h"

// In the order of the rows in transport.c.
enum transport {
	TRANSPORT_UDP,
	TRANSPORT_TCP,
	TRANSPORT_COUNT,
};

struct transport_row {
	const char *name;      // "UDP", in messages
	size_t queries;        // where in struct counters its queries are counted, in octets
	bool udp_size_counts;  // a reply is no longer than the client's and our own EDNS UDP sizes (RFC 6891 section 6.2.3)
	bool keepalive;        // there is a connection, and an idle timeout to tell of it (RFC 7828)
};

extern const struct transport_row transport_rows[TRANSPORT_COUNT];

// The counter of the queries over it, in a worker's block.
static inline _Atomic uint64_t *transport_queries(struct counters *counters, enum transport transport)
{
	return (_Atomic uint64_t *)(void *)((char *)counters + transport_rows[transport].queries);
}
