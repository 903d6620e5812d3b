// The question of a load run in wire form, for one name or many, and the parsing of its answers. Pure functions over
// bytes; for load's lanes.
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
	uint16_t digits_at, digits_len; // where the number of a name is in `head`; digits_len 0: there is one name
	uint32_t name_count, name_step; // numbers are below name_count; the next one is name_step further on
};

enum { ASK_NAMES_MAX = 1000000000 };

struct reply {
	uint8_t rcode;        // without the OPT's upper bits
	bool truncated;
	uint16_t answers;     // ANCOUNT
	struct addr address;  // of the first A or AAAA record, as asked; family ADDR_NONE: none
};

// `name` in presentation form, `type` a mnemonic (A, AAAA, TXT, HTTPS, ...) or TYPEn. E_INVAL.
int ask_make(struct ask *ask, const char *name, const char *type, uint16_t udp_size) MUST_USE;

// Makes it the question for `name_count` names, 1 to ASK_NAMES_MAX: the #s of its name, side by side in one label, become
// the digits of a number below name_count. E_INVAL: there are none, too few for the number, or some elsewhere.
int ask_many(struct ask *ask, uint32_t name_count) MUST_USE;

// The number after `number`. From any number on, all come once before it comes again, but neighbours are far apart, as
// the names that clients ask for are.
static inline uint32_t ask_next(const struct ask *ask, uint32_t number)
{
	number += ask->name_step;
	return number < ask->name_count ? number : number - ask->name_count;
}

// Writes the digits of `number` into a copy of `head`.
static inline void ask_number(const struct ask *ask, uint32_t number, uint8_t *head)
{
	for (unsigned i = ask->digits_len; i-- > 0; number /= 10)
		head[ask->digits_at + i] = (uint8_t)('0' + number % 10);
}

// Parses the parts of a reply that are used; the address only when `addresses` is set. False: not a reply to the
// question for name `number`.
bool ask_read(const struct ask *ask, uint32_t number, const uint8_t *message, size_t len, bool addresses,
              struct reply *ret_reply);
