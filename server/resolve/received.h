// What a resolver's reply to a query for A or AAAA says, as far as it is to be believed. Called by resolve.c. A reply is
// anybody's octets.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "wire/name.h"

enum {
	RECEIVED_ADDRESSES_MAX = 32, // of one name that are kept
	RECEIVED_CHAIN_MAX = 8,      // CNAMEs that are followed
	RECEIVED_WHY_LEN = 192,
};

// The zones that an alias must not lead to, in lower case.
struct received_zones {
	struct wire_name *names;
	size_t count;
};

// The addresses of one family, in ascending order, none twice.
struct received {
	struct addr addresses[RECEIVED_ADDRESSES_MAX];
	size_t count;
	uint32_t ttl_s; // the least of the addresses' and of the CNAMEs' that lead to them
};

// The one of `zones` that a name in lower case is in. NULL: none.
const struct wire_name *received_zone_of(const struct received_zones *zones, const uint8_t *name, size_t len) PURE;

// Reads a reply to a query for `family`; that it is one is for the caller to know. Records may be in any order. Of more
// addresses than RECEIVED_ADDRESSES_MAX the lowest are kept, so that they are the same ones in whatever order the
// resolver gives them. E_NOTFOUND: there is none. E_INVAL: `why` says what is wrong: it is malformed, or its CNAMEs lead
// in a circle, too far or into one of `own`. On an error *ret_received is untouched.
int received_read(const uint8_t *reply, size_t len, enum addr_family family, const struct received_zones *own,
                  struct received *ret_received, char why[RECEIVED_WHY_LEN]) MUST_USE;

// Puts addresses in the order in which they are kept (IPv4 first, then by their octets), and drops what is there twice.
// Returns how many are left.
size_t received_sort(struct addr *addresses, size_t count);
