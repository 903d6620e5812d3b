// The clients of a load run: a file of addresses or prefixes, each stored as the tail of a query, ready to be copied
// after the question; and optionally the addresses that each should get. Loaded by load before the run.
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
	uint8_t tail[CLIENT_TAIL_ROOM]; // always copied completely, so that the copy has a fixed size
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

// Reads one client per line: "ADDRESS" (cut to the given length of its family) or "ADDRESS/LENGTH"; empty lines and
// lines that start with # are skipped. Errors are printed with file and line. E_INVAL, E_IO, E_LIMIT, E_NOMEM.
int clients_read(struct clients *clients, const char *path, uint8_t v4_len, uint8_t v6_len) MUST_USE;
// The one client of a run without ECS.
int clients_none(struct clients *clients) MUST_USE;
// Reads one line per client, in the same order: one or more addresses, separated by spaces, one of which the answer
// must have; "-" means no address at all.
int clients_expect(struct clients *clients, const char *path) MUST_USE;
void clients_done(struct clients *clients);

// Whether the client should get this answer. `found` of family ADDR_NONE: an answer without address.
bool clients_expected(const struct clients *clients, uint32_t client, const struct addr *found);
