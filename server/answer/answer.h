// The one door from query to response. net calls it for every message, on a worker that is online; it reads the live
// part it is given and counts into the worker's own block, and touches nothing else.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "wire/transport.h"

struct counters;
struct live;

struct answer_client {
	struct addr addr;
	enum transport transport;
	uint16_t idle_100ms;     // how long the connection may stay silent (RFC 7828), in units of 100 ms; without one unused
	uint32_t worker;         // whose counters of what is handed out count
	struct counters *counters;
};

// A message to answer.
struct answer_message {
	struct answer_client client;
	const uint8_t *query;
	size_t len;              // octets: in, of the query; out, of the reply, 0: say nothing
	uint8_t *reply;          // room for DNS_MESSAGE_MAX, or for view->limits.udp_size where the transport's row has
	                         // udp_size_counts; may be `query`, which is then written over; else it overlaps nothing
	                         // of the batch
};

enum { ANSWER_BATCH = 16 };

// Answers up to ANSWER_BATCH messages. Together they cost less than one by one: while one waits for memory, the others
// are worked on.
void answer_batch(const struct live *live, struct answer_message *messages, unsigned count) HOT;

// Answers one. Returns the reply's length.
size_t answer_query(const struct live *live, const struct answer_client *client, const uint8_t *query, size_t len,
                    uint8_t *reply);
