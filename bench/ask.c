// One question, and a light parser of its answers; see ask.h.
#include "ask.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "wire/name.h"

enum { HEADER_LEN = 12, TYPE_A = 1, TYPE_AAAA = 28, TYPE_OPT = 41, CLASS_IN = 1 };

static const struct {
	const char *name;
	uint16_t type;
} types[] = {
	{"A", TYPE_A}, {"NS", 2}, {"CNAME", 5}, {"SOA", 6}, {"MX", 15}, {"TXT", 16}, {"AAAA", TYPE_AAAA}, {"SRV", 33},
	{"DNSKEY", 48}, {"SVCB", 64}, {"HTTPS", 65}, {"ANY", 255},
};

static int type_from_text(const char *text, uint16_t *ret_type)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcasecmp(types[i].name, text) == 0) {
			*ret_type = types[i].type;
			return 0;
		}
	if (strncasecmp(text, "TYPE", 4) != 0)
		return E_INVAL;

	char *end;
	unsigned long number = strtoul(text + 4, &end, 10);

	if (text[4] < '0' || text[4] > '9' || *end || number > UINT16_MAX)
		return E_INVAL;
	*ret_type = (uint16_t)number;
	return 0;
}

static uint8_t *put16(uint8_t *p, uint16_t value)
{
	*p++ = (uint8_t)(value >> 8);
	*p++ = (uint8_t)value;
	return p;
}

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

int ask_make(struct ask *ask, const char *name, const char *type, uint16_t udp_size)
{
	uint8_t wire[NAME_WIRE_MAX + 1];
	size_t len;

	if (name_from_text(name, wire, &len) < 0 || type_from_text(type, &ask->type) < 0)
		return E_INVAL;

	// QDCOUNT 1, ARCOUNT 1, no flag set.
	static const uint8_t header[HEADER_LEN] = {[5] = 1, [11] = 1};
	uint8_t *p = ask->head;

	memcpy(p, header, sizeof(header));
	p += sizeof(header);
	memcpy(p, wire, len);
	p = put16(p + len, ask->type);
	p = put16(p, CLASS_IN);
	ask->question_len = (uint16_t)(len + 4);
	ask->digits_at = ask->digits_len = 0;
	ask->name_count = ask->name_step = 1;
	*p++ = 0; // OPT's owner, the root
	p = put16(p, TYPE_OPT);
	p = put16(p, udp_size);
	memset(p, 0, 4);
	ask->head_len = (uint16_t)(p + 4 - ask->head);
	return 0;
}

static int find_digits(struct ask *ask)
{
	// Label by label: the length of one may be a # as well.
	for (uint16_t at = HEADER_LEN; ask->head[at] != 0; at = (uint16_t)(at + ask->head[at] + 1))
		for (uint16_t i = (uint16_t)(at + 1); i <= at + ask->head[at]; i++) {
			if (ask->head[i] != '#')
				continue;
			if (ask->digits_len == 0)
				ask->digits_at = i;
			if (i != ask->digits_at + ask->digits_len)
				return E_INVAL;
			ask->digits_len++;
		}
	return ask->digits_len > 0 ? 0 : E_INVAL;
}

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
	while (b != 0) {
		uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

int ask_many(struct ask *ask, uint32_t name_count)
{
	int err = find_digits(ask);
	uint64_t numbers = 1;

	for (unsigned i = 0; i < ask->digits_len && numbers < name_count; i++)
		numbers *= 10;
	if (err < 0 || name_count == 0 || name_count > ASK_NAMES_MAX || numbers < name_count)
		return E_INVAL;
	// Near the golden ratio, so that any few numbers in a row are spread evenly; without a common divisor, so that all
	// come.
	ask->name_step = (uint32_t)((uint64_t)name_count * 618 / 1000 | 1);
	while (common_divisor(name_count, ask->name_step) != 1)
		ask->name_step++;
	ask->name_count = name_count;
	ask_number(ask, 0, ask->head);
	return 0;
}

// The offset after a name, or 0 when it runs past the end of the message.
static size_t skip_name(const uint8_t *message, size_t len, size_t at)
{
	while (at < len) {
		uint8_t octet = message[at];

		if (octet >= 0xc0)
			return at + 2;
		at += octet + 1u;
		if (octet == 0)
			return at;
	}
	return 0;
}

static struct addr first_address(const struct ask *ask, const uint8_t *message, size_t len, uint16_t answers)
{
	struct addr none = {.family = ADDR_NONE};
	size_t at = HEADER_LEN + ask->question_len;

	for (; answers > 0; answers--) {
		at = skip_name(message, len, at);
		if (at == 0 || at + 10 > len)
			return none;

		uint16_t type = get16(message + at), rdata_len = get16(message + at + 8);
		struct addr found = {.family = type == TYPE_A ? ADDR_V4 : ADDR_V6};

		at += 10;
		if (at + rdata_len > len)
			return none;
		if (type == ask->type && (type == TYPE_A || type == TYPE_AAAA) && rdata_len == addr_bits(found.family) / 8) {
			memcpy(found.bytes, message + at, rdata_len);
			return found;
		}
		at += rdata_len;
	}
	return none;
}

static bool same_question(const struct ask *ask, uint32_t number, const uint8_t *message)
{
	uint8_t head[ASK_HEAD_MAX];

	memcpy(head, ask->head, (size_t)HEADER_LEN + ask->question_len);
	ask_number(ask, number, head);
	return memcmp(head + HEADER_LEN, message + HEADER_LEN, ask->question_len) == 0;
}

bool ask_read(const struct ask *ask, uint32_t number, const uint8_t *message, size_t len, bool addresses,
              struct reply *ret_reply)
{
	if (len < (size_t)HEADER_LEN + ask->question_len || !(message[2] & 0x80) || get16(message + 4) != 1 ||
	    !same_question(ask, number, message))
		return false;
	ret_reply->rcode = message[3] & 0x0f;
	ret_reply->truncated = message[2] & 0x02;
	ret_reply->answers = get16(message + 6);
	if (addresses)
		ret_reply->address = first_address(ask, message, len, ret_reply->answers);
	return true;
}
