// The clients a load run asks for: a file of addresses or prefixes, each kept as the tail of a query, ready to be copied
// behind the question; and, if wanted, the addresses each of them should be answered. Loaded before the run by load.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"

enum { CLIENTS_MAX = 16 << 20, CLIENT_TAIL_ROOM = 31 };

// From the OPT record's RDLEN on: RDLEN, the ECS option (RFC 7871 section 6).
struct client {
	uint8_t tail_len;
	uint8_t tail[CLIENT_TAIL_ROOM]; // whole so that the copy has a fixed size
};

struct expected {
	uint32_t first, count; // of clients->addresses
};

struct clients {
	struct client *list;
	uint32_t count;
	struct expected *expected; // by client; NULL: not checked
	struct addr *addresses;
};

// One line, one client: "ADDRESS" (then cut to the given length of its family) or "ADDRESS/LENGTH"; empty lines and
// those that begin with # are skipped. Errors are printed with file and line. E_INVAL, E_IO, E_LIMIT, E_NOMEM.
int clients_read(struct clients *clients, const char *path, uint8_t v4_len, uint8_t v6_len) MUST_USE;
// The one client of a run without ECS.
int clients_none(struct clients *clients) MUST_USE;
// Line by line for the same clients: one address or more, with spaces between, of which the answer must have one; "-"
// means no address at all.
int clients_expect(struct clients *clients, const char *path) MUST_USE;
void clients_done(struct clients *clients);

// True when the client should get this answer. `found` of family ADDR_NONE: an answer without address.
bool clients_expected(const struct clients *clients, uint32_t client, const struct addr *found);
