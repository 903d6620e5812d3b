// IP addresses, prefixes and socket addresses: parse, format, compare. Pure functions, no allocation.
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/attr.h"

enum addr_family { ADDR_NONE = 0, ADDR_V4 = 4, ADDR_V6 = 6 };

struct addr {
	uint8_t family;    // enum addr_family
	uint8_t bytes[16]; // network order; IPv4 uses the first four, the rest are zero
};

struct prefix {
	struct addr addr; // bits past `len` are zero
	uint8_t len;      // 0..32 or 0..128
};

// An address as a number, left-aligned, so that one search serves both families: bit 0 of the address is the top
// bit of `hi`. Host order.
struct addr_key {
	uint64_t hi, lo;
};

enum { ADDR_TEXT_LEN = 64 }; // room for "[v6 address%zone]:port" or a prefix, with the final zero

static inline uint8_t addr_bits(uint8_t family)
{
	return family == ADDR_V4 ? 32 : 128;
}

static inline struct addr_key addr_key(const struct addr *addr)
{
	uint64_t hi, lo;

	memcpy(&hi, addr->bytes, sizeof(hi));
	memcpy(&lo, addr->bytes + sizeof(hi), sizeof(lo));
	return (struct addr_key){be64toh(hi), be64toh(lo)};
}

// The address with every bit past `len` (at most 128) zeroed.
struct addr addr_cut(const struct addr *addr, uint8_t len);
bool addr_equal(const struct addr *a, const struct addr *b) PURE;
// Whether one of the two lies in the other.
bool prefix_overlaps(const struct prefix *a, const struct prefix *b) PURE;

// Parses "192.0.2.1" or "2001:db8::1". E_INVAL for anything else.
int addr_parse(const char *text, struct addr *ret_addr) MUST_USE;
// Parses "192.0.2.0/24" or a bare address (full length). *ret_tail, when not NULL, is set to whether bits past the
// length were set (they are cleared). E_INVAL when malformed or the length is out of range.
int prefix_parse(const char *text, struct prefix *ret_prefix, bool *ret_tail) MUST_USE;
// Writes into buf[ADDR_TEXT_LEN] and returns it.
const char *addr_format(const struct addr *addr, char *buf);
const char *prefix_format(const struct prefix *prefix, char *buf);

// Parses "ADDRESS@PORT", or "ADDRESS" with the default port, as in `listen:`. E_INVAL when malformed.
int addr_parse_endpoint(const char *text, uint16_t default_port, struct sockaddr_storage *ret_name,
                        socklen_t *ret_len) MUST_USE;
// Writes "192.0.2.1@53" or "2001:db8::1@53" into buf[ADDR_TEXT_LEN] and returns it.
const char *addr_format_endpoint(const struct sockaddr_storage *name, char *buf);

// The address in a socket address. A v4-mapped IPv6 address becomes the IPv4 one. ADDR_NONE for other families.
struct addr addr_of_sockaddr(const struct sockaddr_storage *name);
// The inverse; `addr` has a family, `port` is in host order. Returns the length of *ret_name in octets.
socklen_t addr_to_sockaddr(const struct addr *addr, uint16_t port, struct sockaddr_storage *ret_name);
