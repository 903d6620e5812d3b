// The query of the DNS probe, and what a reply to it says. For probe_dns.c. A reply is anybody's octets. Pure, no allocation.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "wire/name.h"

enum {
	DNS_REPLY_QUERY_MAX = 12 + NAME_WIRE_MAX + 4,
	DNS_REPLY_TEXT_MAX = 1100, // octets of a record's text, with its final zero: of a name and three numbers
};

struct dns_reply_question {
	struct wire_name name; // lower case
	uint16_t type, id;
};

// Writes the query, without EDNS, recursion desired. Returns its length in octets.
size_t dns_reply_query(const struct dns_reply_question *question, uint8_t buf[static DNS_REPLY_QUERY_MAX]);
// Whether a message is the reply to that query: ID, QR and question. One that does not say NOERROR or NXDOMAIN may leave the
// question out.
bool dns_reply_is_to(const uint8_t *octets, size_t len, const struct dns_reply_question *question) PURE;
// Of a message that is one.
unsigned dns_reply_rcode(const uint8_t *octets) PURE;
bool dns_reply_is_truncated(const uint8_t *octets) PURE;
// Looks among the answers for a record of the name and type asked whose text is `expect`; NULL: none is looked for. The name
// is also where CNAMEs lead, which must come before what they lead to, as stub resolvers need them (RFC 1034 section 4.3.2
// copies them in that order). The text is as in the config: an address, a name in canonical form, "10 mail.example.com" (MX),
// "0 5 5060 sip.example.com" (SRV), or the strings of a TXT joined. *ret_count: how many such answers there are, whatever
// their text. E_NOTFOUND: there is no such record; E_INVAL: the message is malformed. It must be one of which
// dns_reply_is_to().
int dns_reply_find(const uint8_t *octets, size_t len, const struct dns_reply_question *question, const char *expect,
                   unsigned *ret_count) MUST_USE;
