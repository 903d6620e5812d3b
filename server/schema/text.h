// Option types that are one text; the row's `min` and `max`, where given, limit its length.
#pragma once

#include "schema/schema.h"

struct addr;

extern const struct option_type text_any;     // const char *: no control characters
extern const struct option_type text_word;    // const char *: see text_is_word()
extern const struct option_type text_path;    // const char *: made absolute
extern const struct option_type text_url;     // const char *: starts with "/"; valid in an HTTP request line
extern const struct option_type text_host;    // const char *: a Host header
extern const struct option_type text_endpoint; // const char *: "ADDRESS@PORT"
extern const struct option_type text_name;    // const char *: a domain name in canonical form
extern const struct option_type text_mailbox; // const char *: a mailbox as a domain name (RFC 1035 section 8)
extern const struct option_type text_enum;    // int: one of the row's words
extern const struct option_type text_bool;    // bool
extern const struct option_type text_country; // uint16_t: see base/country.h

enum { TEXT_WORD_MAX = 63, TEXT_NAME_MAX = 1024 }; // the latter with its final zero

// Whether `text` is 1..TEXT_WORD_MAX letters, digits, "-", "_" and ".", the first one a letter or a digit. Names of
// sites, checks, carriers and plugins are: safe in file names, on command lines and in logs.
bool text_is_word(const char *text);

// Whether a text can be a Host header: a name, an IPv4 address or an IPv6 address in brackets; and a port.
bool text_is_host(const char *text);
// Whether a text has no control characters.
bool text_is_plain(const char *text);

// A domain name in canonical form (lower case, no final dot, escapes only where needed) in the arena; NULL when `text` is
// not one, or out of memory (in reader->err). Labels have letters, digits, "-", "_" and "/", and any octets as \DDD or
// after a backslash; with `wildcard` the first one may be "*".
const char *text_canonical_name(struct reader *reader, const char *text, bool wildcard);

// The same without a reader, in buf[TEXT_NAME_MAX]. NULL when `text` is no such name.
const char *text_canonise(const char *text, bool wildcard, char *buf);

// Whether a name in canonical form has only what a host's name has: letters, digits, "-", "_" and ".".
bool text_is_plain_name(const char *name) PURE;
// Whether a name is within the DNS's limits of length (RFC 1035 section 2.3.4).
bool text_name_fits(const char *name) PURE;
// The name one label above a name in canonical form: the rest of it after the first dot that is not escaped. NULL: none.
const char *text_name_above(const char *name) PURE;

// Parses the address of a host: not the unspecified one, not multicast, not IPv4-mapped. E_INVAL.
int text_parse_address(const char *text, struct addr *ret_addr);
