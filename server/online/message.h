// A DNS reply as the check of delegations reads it: the few types that it needs, in plain structs. The door to ldns for
// messages; called by ask.c. A reply is anybody's octets.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/addr.h"
#include "base/attr.h"
#include "wire/name.h"

enum {
	MESSAGE_QUERY_MAX = 512,
	MESSAGE_RECORDS_MAX = 512, // that are kept of one reply
};

struct question {
	struct wire_name name; // lower case
	uint16_t type;
	bool recursive;        // RD
};

enum message_section { MESSAGE_ANSWER, MESSAGE_AUTHORITY, MESSAGE_ADDITIONAL, MESSAGE_SECTIONS };

// One record of type NS, A, AAAA, SOA or DS. Names are in lower case.
struct message_record {
	enum message_section section;
	uint16_t type;
	uint32_t ttl_s;
	uint32_t serial;       // SOA
	struct addr addr;      // A, AAAA
	struct wire_name owner;
	struct wire_name name; // NS
};

struct message {
	unsigned rcode;        // without EDNS's high bits
	bool authoritative, truncated;
	struct message_record *records;
	size_t count;
};

// Writes the query, with EDNS. Returns its length in octets.
size_t message_query(const struct question *question, uint16_t id, uint8_t buf[static MESSAGE_QUERY_MAX]);
// Whether it is the reply to that query: ID, QR and question. One that refuses a query may leave the question out.
bool message_is_reply(const uint8_t *wire, size_t len, const struct question *question, uint16_t id) PURE;
// E_INVAL: malformed; E_NOMEM. The caller empties it with message_done().
int message_read(const uint8_t *wire, size_t len, struct message *ret_message) MUST_USE;
// An emptied message, or one of zeros, may be emptied.
void message_done(struct message *message);

// The next record of a section and type at or after *at, which is moved behind it; any owner where `owner` is NULL. NULL:
// none.
const struct message_record *message_next(const struct message *message, enum message_section section, uint16_t type,
                                          const struct wire_name *owner, size_t *at);

// Of names in lower case.
static inline bool message_same_name(const struct wire_name *a, const struct wire_name *b)
{
	return a->len == b->len && memcmp(a->wire, b->wire, a->len) == 0;
}
