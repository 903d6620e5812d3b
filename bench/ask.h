// The question of a load run in wire form, and the parsing of its answers. Pure functions over bytes; for load's lanes.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"

// Header, longest name, type and class, OPT up to its RDLEN; then the client's tail.
enum { ASK_HEAD_MAX = 12 + 255 + 4 + 9, ASK_MAX = ASK_HEAD_MAX + 32 };

struct ask {
	uint8_t head[ASK_HEAD_MAX]; // up to the OPT's RDLEN; the ID is 0
	uint16_t head_len;
	uint16_t question_len;
	uint16_t type;
};

struct reply {
	uint8_t rcode;        // without the OPT's upper bits
	bool truncated;
	uint16_t answers;     // ANCOUNT
	struct addr address;  // of the first A or AAAA record, as asked; family ADDR_NONE: none
};

// `name` in presentation form, `type` a mnemonic (A, AAAA, TXT, HTTPS, ...) or TYPEn. E_INVAL.
int ask_make(struct ask *ask, const char *name, const char *type, uint16_t udp_size) MUST_USE;

// Parses the parts of a reply that are used; the address only when `addresses` is set. False: not a reply to this
// question.
bool ask_read(const struct ask *ask, const uint8_t *message, size_t len, bool addresses, struct reply *ret_reply);
