// Parses a query: header, question, OPT record and client subnet. The only code that reads what clients send: nothing
// past it looks at unchecked octets. Pure, no allocation.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "wire/name.h"

// What to do with a message. The first row that applies:
//
//   shorter than a header, or a response (QR)      QUERY_SILENCE  a reply could loop
//   OPCODE other than QUERY                        QUERY_NOTIMP   an OPT record is noticed all the same
//   QDCOUNT other than 1 (RFC 9619)                QUERY_FORMERR  here too
//   question or a record malformed                 QUERY_FORMERR
//   two OPT, OPT not at the root                   QUERY_FORMERR  RFC 6891 section 6.1.1
//   EDNS version above 0                           QUERY_BADVERS  RFC 6891 section 6.1.3
//   an option overruns, bad or second ECS          QUERY_FORMERR  RFC 7871 section 7.2.1
//   TSIG or SIG(0): we have no keys                QUERY_NOTAUTH  RFC 8945 section 5.2
//   else                                           QUERY_OK
enum query_verdict { QUERY_OK, QUERY_SILENCE, QUERY_FORMERR, QUERY_NOTIMP, QUERY_BADVERS, QUERY_NOTAUTH };

struct query_ecs {
	bool present;
	uint8_t family;        // as on the wire: 1 or 2
	uint8_t source_len;    // bits
	uint8_t octets;        // length of the address on the wire
	struct addr addr;      // bits past source_len are zero
};

struct query {
	const uint8_t *wire;   // borrowed
	uint16_t flags;        // of the header, host order
	bool has_question;     // the question could be parsed, and is echoed octet for octet
	uint16_t question_len; // octets after the header
	uint16_t type, class_;
	struct name name;
	bool edns, dnssec_ok, nsid, keepalive;
	uint16_t udp_size;     // the client's EDNS UDP size, at least 512
	struct query_ecs ecs;
};

// Fills *ret_query from a message of `len` octets, as far as it can be parsed. `wire` is borrowed and must outlive it.
enum query_verdict query_read(const uint8_t *wire, size_t len, struct query *ret_query) HOT;
