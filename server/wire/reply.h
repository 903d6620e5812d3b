// Writes a reply: header, the question as it came, records that are in wire form already, an OPT record. Pure, no
// allocation; never writes past the limit it was given. What to write is decided elsewhere; that a reply is truncated is
// decided here and nowhere else.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct query;

enum reply_section { REPLY_ANSWER, REPLY_AUTHORITY, REPLY_ADDITIONAL };

// What the OPT record of a reply says (RFC 6891 section 6.1.2). Options that do not apply are left zero, NULL or -1.
struct reply_opt {
	uint16_t udp_size;        // of ours
	bool ecs;                 // echo the query's client subnet (RFC 7871 section 7.2.1)
	uint8_t ecs_scope;        // bits
	const uint8_t *nsid;      // NULL: not asked for, or none
	uint16_t nsid_len;
	int keepalive_100ms;      // RFC 7828; -1: none
	int ede;                  // enum dns_ede, DNS_EDE_NONE: none
	const char *ede_text;     // "" for none
};

struct reply {
	const struct query *query;
	uint8_t *wire;
	size_t len;
	size_t limit;             // octets, the OPT record's share already taken off
	size_t opt_len;           // that share
	uint16_t counts[3];       // by section
	bool truncated;
};

// Begins a reply to `query` in wire[limit], which may be the query's own octets; `limit` is at least DNS_UDP_PLAIN. `opt` is what reply_finish() will be
// given, or NULL: room for it is kept, so that it never makes way for records (RFC 7871 section 7.2.1, last note).
void reply_begin(struct reply *reply, uint8_t *wire, size_t limit, const struct query *query,
                 const struct reply_opt *opt);

// Adds an RRset of `count` records (their owner is C0 0C, see struct rrset), with `owner` in place of the 0C: an offset
// in the reply. Returns the offset of the first record, or 0 when it did not fit: then the reply is truncated.
size_t reply_add(struct reply *reply, enum reply_section section, const uint8_t *records, size_t len, uint16_t count,
                 size_t owner);
// Adds whole records that name their owners themselves. Where they do not fit the reply is truncated if they are
// `required`, else it goes without them (RFC 2181 section 9).
void reply_add_whole(struct reply *reply, enum reply_section section, const uint8_t *records, size_t len,
                     uint16_t count, bool required);

// Finishes: the header's flags (`aa`, what is copied from the query, TC), `rcode` with its high bits in OPT, OPT when
// not NULL. A truncated reply keeps the question and OPT only (RFC 2181 section 9). Returns the length in octets.
size_t reply_finish(struct reply *reply, unsigned rcode, bool aa, const struct reply_opt *opt);
