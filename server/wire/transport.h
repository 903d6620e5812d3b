// The transports, and how answers differ between them: one row per transport. Read by answer/ and net/.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counters.h"
#include "base/must.h"

// In the order of the rows in transport.c.
enum transport {
	TRANSPORT_UDP,
	TRANSPORT_TCP,
	TRANSPORT_COUNT,
};

struct transport_row {
	const char *name;      // "UDP", in messages
	size_t queries;        // offset in struct counters of the counter of its queries, octets
	bool udp_size_counts;  // the client's and our own EDNS UDP sizes limit replies (RFC 6891 section 6.2.3)
	bool keepalive;        // there is a connection, whose idle timeout the client may ask for (RFC 7828)
};

extern const struct transport_row transport_rows[TRANSPORT_COUNT];

// The counter of a transport's queries in a worker's block.
static inline _Atomic uint64_t *transport_queries(struct counters *counters, enum transport transport)
{
	dev_must(transport < TRANSPORT_COUNT);
	return (_Atomic uint64_t *)(void *)((char *)counters + transport_rows[transport].queries);
}
