// The table of transports; see transport.h.
#include "wire/transport.h"

const struct transport_row transport_rows[TRANSPORT_COUNT] = {
	[TRANSPORT_UDP] = {"UDP", offsetof(struct counters, queries_udp), .udp_size_counts = true},
	[TRANSPORT_TCP] = {"TCP", offsetof(struct counters, queries_tcp), .keepalive = true},
};
