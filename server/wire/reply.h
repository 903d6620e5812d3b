// Writes a reply: header, the question as received, records already in wire form, an OPT record. Pure, no allocation;
// never writes past the limit it is given. What to write is decided elsewhere; that a reply is truncated is decided
// only here.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct compressed;
struct query;

enum reply_section { REPLY_ANSWER, REPLY_AUTHORITY, REPLY_ADDITIONAL };

// The contents of a reply's OPT record (RFC 6891 section 6.1.2). Options that do not apply are zero, NULL or -1.
struct reply_opt {
	uint16_t udp_size;        // our own
	bool ecs;                 // echo the query's client subnet (RFC 7871 section 7.2.1)
	uint8_t ecs_scope;        // bits
	const uint8_t *nsid;      // NULL: not requested, or not configured
	uint16_t nsid_len;
	int keepalive_100ms;      // RFC 7828, units of 100 ms; -1: none
	int ede;                  // enum dns_ede, DNS_EDE_NONE: none
	const char *ede_text;     // "" for none
};

struct reply {
	const struct query *query;
	uint8_t *wire;
	size_t len;
	size_t limit;             // octets, less the room reserved for the OPT record
	size_t opt_len;           // that room, octets
	uint16_t counts[3];       // by section
	bool truncated;
};

// Starts a reply to `query` in wire[limit], which may be the query's own buffer; `limit` is at least DNS_UDP_PLAIN
// octets. `opt` is what reply_finish() will be given, or NULL. Room for it is reserved, so that records never displace
// it (RFC 7871 section 7.2.1, last note).
void reply_begin(struct reply *reply, uint8_t *wire, size_t limit, const struct query *query,
                 const struct reply_opt *opt);

// Adds an RRset of `count` records, `len` octets, whose owners are pointers to the question's name (C0 0C, see struct
// rrset). They are changed to point to `owner`, an offset in the reply. Returns the offset of the first record, or 0
// when the RRset does not fit: the reply is then truncated.
size_t reply_add(struct reply *reply, enum reply_section section, const uint8_t *records, size_t len, uint16_t count,
                 size_t owner);
// Adds records with names that are compressed, `owner` being the offset in the reply that COMPRESSED_OWNER stands for
// and `records` that of the first part, which the others follow without a gap. When they do not fit, the reply is
// truncated if they are `required`, and is sent without them otherwise (RFC 2181 section 9).
void reply_add_compressed(struct reply *reply, enum reply_section section, const struct compressed *part, size_t owner,
                          size_t records, bool required);

// Finishes the reply: the header's flags (`aa`, those copied from the query, TC), `rcode` with its high bits in OPT,
// and OPT if `opt` is not NULL, as it was for reply_begin(). A truncated reply keeps only the question and OPT (RFC
// 2181 section 9). Returns the length in octets.
size_t reply_finish(struct reply *reply, unsigned rcode, bool aa, const struct reply_opt *opt);
