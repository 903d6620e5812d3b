// Who holds how many of a worker's TCP connections, counted by network: /24 of IPv4, /56 of IPv6, which is about what one
// customer has. Finds the one that holds most without a search. Used by tcp.c, on the worker's thread.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/addr.h"
#include "base/attr.h"

struct conn;

struct holder {
	TAILQ_HEAD(holder_conns, conn) conns; // kept by tcp.c: the longest idle first
	uint32_t count;                       // of connections; 0: not in use
	struct addr network;
	uint32_t next;                        // in its chain of the hash table, or of the unused: number + 1; 0: the end
	TAILQ_ENTRY(holder) equals;           // those with the same count, the first to have got there first
};

TAILQ_HEAD(holder_list, holder);

struct holders {
	struct holder *all;         // [limit]; the first `used` have been used
	uint32_t *chains;           // [mask + 1]: number + 1 of the first holder
	struct holder_list *counts; // [limit + 1]: by count; one is valid from its first use
	uint32_t limit, used, unused, mask;
	uint32_t most;              // the largest count
	uint64_t seed;
};

// How much memory `limit` connections take, in octets. It may be untouched pages: what is not used is not written.
size_t holders_size(uint32_t limit) PURE;
// `memory`: zeroed, aligned for pointers, holders_size() octets, borrowed.
void holders_init(struct holders *holders, void *memory, uint32_t limit, uint64_t seed);
// The holder for `peer`, which has one connection more. At most `limit` connections at a time.
struct holder *holders_add(struct holders *holders, const struct addr *peer);
// It has one less.
void holders_remove(struct holders *holders, struct holder *holder);
// The one that holds most; of several, the one that has done so longest. NULL: there is no connection.
struct holder *holders_most(const struct holders *holders) PURE;
