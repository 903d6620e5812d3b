// The one door from query to response. net calls it for every message, on a worker that is online; it reads the live
// part it is given and counts into the worker's own block, and touches nothing else.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"

struct counters;
struct live;

struct answer_client {
	struct addr addr;
	bool tcp;
	uint16_t tcp_idle_100ms; // over TCP: how long the connection may stay silent (RFC 7828), in units of 100 ms
	uint32_t worker;         // whose row of view->handouts counts
	struct counters *counters;
};

// Answers query[len] into reply[DNS_MESSAGE_MAX] over TCP, reply[view->limits.udp_size or more] over UDP. Returns the
// reply's length in octets; 0: say nothing. `reply` may be `query`, which is then written over; else they do not overlap.
size_t answer_query(const struct live *live, const struct answer_client *client, const uint8_t *query, size_t len,
                    uint8_t *reply) HOT;
