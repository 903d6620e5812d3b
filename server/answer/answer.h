// The only way from query to response. net/ calls it for every message, on a worker that is online. It reads the live
// part that it is given, counts in the worker's own block, and has no other side effects.
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
	uint16_t idle_100ms;     // the connection's idle timeout (RFC 7828), in units of 100 ms; unused without one
	uint16_t port_be16;      // of a UDP message's sender; else 0
	uint32_t worker;         // the number of the calling worker, for the hand-out counters
	struct counters *counters;
};

// A message to answer.
struct answer_message {
	struct answer_client client;
	const uint8_t *query;
	size_t len;              // octets: in, of the query; out, of the reply, 0: do not reply
	uint8_t *reply;          // room for DNS_MESSAGE_MAX octets, or for view->limits.udp_size where the transport's row
	                         // has udp_size_counts. May be `query`, which is then overwritten; else it overlaps no
	                         // buffer of the batch
};

enum { ANSWER_BATCH = 16 };

// Answers up to ANSWER_BATCH messages. This costs less than answering them one by one, as their waits for memory
// overlap.
void answer_batch(const struct live *live, struct answer_message *messages, unsigned count) HOT;

// Answers one message of `len` octets into `reply`, as above. Returns the reply's length in octets; 0: do not reply.
size_t answer_query(const struct live *live, const struct answer_client *client, const uint8_t *query, size_t len,
                    uint8_t *reply);
