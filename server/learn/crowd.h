// The crowd: the prefixes that queries come from and that a service could be asked about, weighed by how much is asked from
// there. Bounded: of the many that are seen once, those that stay are about the busiest (Metwally et al., "Efficient
// Computation of Frequent and Top-k Elements in Data Streams", ICDT 2005: who comes when it is full takes the place and the
// weight of the least). Weights are halved every minute. Owned by the learner; reads no clock.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"

enum {
	CROWD_UNASKED_MS = 2000,   // from a client that could not be asked about to the next one
	CROWD_MAX = 65536,         // members
	CROWD_SENDERS = 8192,      // that are counted one by one in a minute
	CROWD_SENDER_V6 = 48,      // the length in bits of the prefix that is one sender
	CROWD_SHARE = 20,          // one sender makes at most one in this many of a minute's notes
	CROWD_BYTES_MAX = 8 << 20, // that all of it takes, however many come
	CROWD_FLOOR = 2000,        // a minute counts as having had this many at least: a server with few senders learns too
};

struct crowd_member {
	struct prefix prefix;
	struct addr direct;       // a client that has asked by itself, without a client subnet; no family: none yet
	uint16_t direct_port;     // that it came from; 0: not known
	int64_t direct_ms;        // when
	uint32_t weight;          // notes, halved every minute
	struct addr asked;        // the address that was asked about last
	uint32_t app, generation; // that was asked for last: its number in a view
	uint16_t services;        // a bit for each that may be asked
	uint16_t asks;            // in a row that did not settle anything
	uint8_t tries;            // "not found" in a row, each for another address
	bool is_asked;            // a question is under way
	bool is_unaskable;        // the last one could not be sent: until another client asks by itself, if one does
	int64_t next_ms;          // not to be asked about before
};

// A query, as a worker noted it.
struct crowd_note {
	struct addr client;       // the client subnet's address, else the sender's
	struct addr sender;
	uint16_t sender_port;     // 0: not known
	bool by_ecs;              // they are two
	bool is_trusted;          // the sender is in `notes-from`, and not limited
	uint32_t app, generation; // as of its member
	uint16_t services;        // as of its member; not 0
	struct prefix prefix;     // of the client, to be learned by
};

struct crowd_counts {
	uint64_t noted, limited;  // limited: over a sender's share
	uint64_t replaced;        // members that had to go for others
};

struct crowd;

// NULL when out of memory.
struct crowd *crowd_new(void) MUST_USE;
// Takes NULL; returns NULL.
struct crowd *crowd_free(struct crowd *crowd);

// The member that a note counts for; NULL: its sender has made more than its share. Valid until the next call.
const struct crowd_member *crowd_note(struct crowd *crowd, const struct crowd_note *note, int64_t now_ms);
// Halves the weights when a minute has passed, and forgets who has none.
void crowd_tick(struct crowd *crowd, int64_t now_ms);

// The busiest members that `service` may be asked about now, at most `max` of them, the busiest first, of which is_due()
// says that there is something to ask. Returns how many. The pointers are valid until the next call of something else.
size_t crowd_busiest(struct crowd *crowd, unsigned service, int64_t now_ms,
                     bool (*is_due)(void *ctx, const struct crowd_member *member), void *ctx,
                     struct crowd_member **ret_members, size_t max);
// NULL: there is none.
struct crowd_member *crowd_find(struct crowd *crowd, const struct prefix *prefix);
// Forgets a member: there is nothing to ask about it until it is noted again.
void crowd_drop(struct crowd *crowd, struct crowd_member *member);

// What `before` has counted counts on in `crowd`, which takes its place.
void crowd_continue(struct crowd *crowd, const struct crowd *before);
size_t crowd_count(const struct crowd *crowd);
// Memory used, octets.
size_t crowd_bytes(const struct crowd *crowd);
const struct crowd_counts *crowd_counts_of(const struct crowd *crowd);
