// SvcParams; see svcparams.h.
#include "zone/svcparams.h"

#include <arpa/inet.h>
#include <limits.h>
#include <string.h>

#include "base/nearest.h"
#include "wire/put.h"
#include "zone/digits.h"
#include "zone/convert.h"

enum { ITEM_MAX = 255, ADDRESS_MAX = 16, HEAD_LEN = 4 };

enum key { MANDATORY, ALPN, NO_DEFAULT_ALPN, PORT, IPV4HINT, ECH, IPV6HINT, DOHPATH, KEYS };

static const char *const names[KEYS] = {
	[MANDATORY] = "mandatory", [ALPN] = "alpn", [NO_DEFAULT_ALPN] = "no-default-alpn", [PORT] = "port",
	[IPV4HINT] = "ipv4hint",   [ECH] = "ech",   [IPV6HINT] = "ipv6hint",               [DOHPATH] = "dohpath",
};

// A value that is being read: in quotes or not, to the end of its word.
struct value {
	const char *at;
	bool quoted;
	bool failed; // a bad escape, or a quote where none can be
};

// ---- values ----

// The next octet; -1 at the end, or where it failed.
static int next_octet(struct value *value)
{
	uint8_t octet;

	if (value->quoted ? *value->at == '"' : *value->at == '\0')
		return -1;
	if (*value->at == '\0' || *value->at == '"' || !zone_convert_octet(&value->at, &octet)) {
		value->failed = true;
		return -1;
	}
	return octet;
}

// An item of a list, in which commas and backslashes are escaped once more (RFC 9460 appendix A.1), and a zero. Returns its
// length, -1 where there is none or it is too long; *ret_more: a comma came behind it.
static int next_item(struct value *value, char item[static ITEM_MAX + 1], bool *ret_more)
{
	int len = 0, octet;

	while ((octet = next_octet(value)) >= 0 && octet != ',') {
		if (octet == '\\')
			octet = next_octet(value);
		if (octet < 0 || len == ITEM_MAX)
			return -1;
		item[len++] = (char)octet;
	}
	item[len] = '\0';
	*ret_more = octet == ',';
	return len > 0 && !value->failed ? len : -1;
}

static bool read_octets(struct zone_convert *convert, struct value *value)
{
	for (int octet; (octet = next_octet(value)) >= 0;)
		if (!zone_convert_put_number(convert, (uint32_t)octet, 1))
			return false;
	return true;
}

static bool read_alpn(struct zone_convert *convert, struct value *value)
{
	char item[ITEM_MAX + 1];

	for (bool more = true; more;) {
		const int len = next_item(value, item, &more);

		if (len < 0 || !zone_convert_put_number(convert, (uint32_t)len, 1) ||
		    !zone_convert_put(convert, item, (size_t)len))
			return false;
	}
	return true;
}

static bool read_port(struct zone_convert *convert, struct value *value)
{
	char item[ITEM_MAX + 1];
	uint32_t port;
	bool more;

	return next_item(value, item, &more) > 0 && !more && zone_convert_number(item, UINT16_MAX, &port) &&
	       zone_convert_put_number(convert, port, 2);
}

static bool read_addresses(struct zone_convert *convert, struct value *value, int family, size_t octets)
{
	char item[ITEM_MAX + 1];
	uint8_t address[ADDRESS_MAX];

	for (bool more = true; more;)
		if (next_item(value, item, &more) < 0 || inet_pton(family, item, address) != 1 ||
		    !zone_convert_put(convert, address, octets))
			return false;
	return true;
}

// Base64; the padding may be missing, as it is in the drafts of ECH.
static bool read_ech(struct zone_convert *convert, struct value *value)
{
	struct zone_digits digits = {.base = ZONE_BASE64};

	for (int octet; (octet = next_octet(value)) >= 0;)
		if (!zone_digits_add(&digits, convert, (char)octet))
			return false;
	while (digits.pads < 2 && (digits.count + digits.pads) % 4 != 0)
		digits.pads++;
	return zone_digits_end(&digits);
}

// ---- keys ----

// A key by its name, or as keyNNNNN without leading zeros; -1 when unknown. *ret_by_number: its value is octets, whatever
// the key (RFC 9460 section 2.1).
static int read_key(const char *name, size_t len, bool *ret_by_number)
{
	uint32_t number;

	*ret_by_number = false;
	for (int i = 0; i < KEYS; i++)
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return i;
	*ret_by_number = true;
	return len > 3 && memcmp(name, "key", 3) == 0 && (name[3] != '0' || len == 4) &&
	               zone_convert_digits(name + 3, UINT16_MAX, &number) == len - 3
	           ? (int)number
	           : -1;
}

static bool read_mandatory(struct zone_convert *convert, struct value *value)
{
	const size_t first = convert->len;
	char item[ITEM_MAX + 1];

	for (bool more = true, by_number; more;) {
		const int len = next_item(value, item, &more), key = len < 0 ? -1 : read_key(item, (size_t)len, &by_number);
		uint8_t wire[2];
		size_t at = convert->len;

		if (key < 0 || !zone_convert_put_number(convert, (uint32_t)key, sizeof(wire)))
			return false;
		put16(wire, (unsigned)key);
		for (; at > first && memcmp(convert->wire + at - 2, wire, sizeof(wire)) > 0; at -= 2)
			memcpy(convert->wire + at, convert->wire + at - 2, sizeof(wire));
		memcpy(convert->wire + at, wire, sizeof(wire));
	}
	return true;
}

static bool read_value(struct zone_convert *convert, int key, struct value *value)
{
	switch (key) {
	case MANDATORY: return read_mandatory(convert, value);
	case ALPN: return read_alpn(convert, value);
	case PORT: return read_port(convert, value);
	case IPV4HINT: return read_addresses(convert, value, AF_INET, 4);
	case ECH: return read_ech(convert, value);
	case IPV6HINT: return read_addresses(convert, value, AF_INET6, 16);
	default: return read_octets(convert, value);
	}
}

// ---- parameters ----

static unsigned get16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static void reverse(uint8_t *from, uint8_t *to)
{
	for (; from < to && from < --to; from++) {
		const uint8_t octet = *from;

		*from = *to;
		*to = octet;
	}
}

// Moves the last parameter, at `last`, before the first one after `first` that has a larger key.
static void sort_in(struct zone_convert *convert, size_t first, size_t last)
{
	uint8_t *const wire = convert->wire;
	size_t at = first;

	while (at < last && get16(wire + at) <= get16(wire + last))
		at += HEAD_LEN + get16(wire + at + 2);
	if (at == last)
		return;
	reverse(wire + at, wire + last);
	reverse(wire + last, wire + convert->len);
	reverse(wire + at, wire + convert->len);
}

static bool unknown_key(struct zone_convert *convert, const char *word, size_t len)
{
	char name[40], meant[NEAREST_MEANT_MAX];

	if (len >= sizeof(name))
		return zone_convert_wrong(convert, "%.40s: expected key=value", word);
	memcpy(name, word, len);
	name[len] = '\0';

	struct nearest nearest = nearest_begin(name);

	for (size_t i = 0; i < KEYS; i++)
		nearest_offer(&nearest, names[i]);
	return zone_convert_wrong(convert, "%s: unknown key%s", name,
	                          nearest.word ? nearest_meant(&nearest, '`', meant) : ", expected a name or keyNNNNN");
}

// Reads KEY, KEY=VALUE or KEY="VALUE".
static bool read_param(struct zone_convert *convert)
{
	const char *word = zone_convert_take(convert);
	const size_t name_len = strcspn(word, "=");
	bool by_number;
	const int key = read_key(word, name_len, &by_number);
	struct value value = {.at = word + name_len};
	const size_t start = convert->len;

	if (key < 0)
		return unknown_key(convert, word, name_len);
	if (!zone_convert_put_number(convert, (uint32_t)key, 2) || !zone_convert_put_number(convert, 0, 2))
		return false;
	if (*value.at == '=') {
		value.at++;
		value.quoted = *value.at == '"';
		value.at += value.quoted;
		if (!read_value(convert, by_number ? KEYS : key, &value) || value.failed ||
		    (value.quoted ? value.at[0] != '"' || value.at[1] != '\0' : *value.at != '\0'))
			return zone_convert_wrong(convert, "%.60s: not a value of this key", word);
	}
	put16(convert->wire + start + 2, (unsigned)(convert->len - start - HEAD_LEN));
	return true;
}

bool zone_svcparams_read(struct zone_convert *convert, const struct zone_kind *kind)
{
	const size_t first = convert->len;

	(void)kind;
	while (convert->count > 0) {
		const size_t last = convert->len;

		if (!read_param(convert))
			return false;
		sort_in(convert, first, last);
	}

	const char *fault = zone_svcparams_fault(convert->wire + first, convert->len - first);

	return !fault || zone_convert_wrong(convert, "%s", fault);
}

// ---- wire form ----

static bool has(const uint8_t *wire, size_t len, unsigned key)
{
	for (const uint8_t *at = wire; at < wire + len; at += HEAD_LEN + get16(at + 2))
		if (get16(at) == key)
			return true;
	return false;
}

static bool is_alpn(const uint8_t *value, size_t len)
{
	size_t at = 0;

	while (at < len && value[at] > 0)
		at += 1u + value[at];
	return len > 0 && at == len;
}

static const char *mandatory_fault(const uint8_t *wire, size_t wire_len, const uint8_t *value, size_t len)
{
	const uint8_t *param = wire;

	if (len == 0 || len % 2)
		return "mandatory: expected keys (RFC 9460 section 8)";
	for (size_t i = 0; i < len; i += 2) { // both are in ascending order
		const unsigned key = get16(value + i);

		if (key == MANDATORY || (i > 0 && key <= get16(value + i - 2)))
			return "mandatory: lists itself, or a key twice (RFC 9460 section 8)";
		while (param < wire + wire_len && get16(param) < key)
			param += HEAD_LEN + get16(param + 2);
		if (param == wire + wire_len || get16(param) != key)
			return "mandatory: lists a key that the record does not have (RFC 9460 section 8)";
	}
	return NULL;
}

static const char *value_fault(const uint8_t *wire, size_t wire_len, unsigned key, const uint8_t *value, size_t len)
{
	switch (key) {
	case MANDATORY: return mandatory_fault(wire, wire_len, value, len);
	case ALPN: return is_alpn(value, len) ? NULL : "alpn: expected protocols (RFC 9460 section 7.1)";
	case NO_DEFAULT_ALPN:
		if (len > 0)
			return "no-default-alpn: has no value (RFC 9460 section 7.1)";
		return has(wire, wire_len, ALPN) ? NULL : "no-default-alpn: needs alpn (RFC 9460 section 7.1)";
	case PORT: return len == 2 ? NULL : "port: expected a number (RFC 9460 section 7.2)";
	case IPV4HINT: return len > 0 && len % 4 == 0 ? NULL : "ipv4hint: expected addresses (RFC 9460 section 7.3)";
	case ECH: return len > 0 ? NULL : "ech: expected base64";
	case IPV6HINT: return len > 0 && len % 16 == 0 ? NULL : "ipv6hint: expected addresses (RFC 9460 section 7.3)";
	default: return NULL;
	}
}

const char *zone_svcparams_fault(const uint8_t *wire, size_t len)
{
	int before = -1;

	for (size_t at = 0, value_len; at < len; at += HEAD_LEN + value_len) {
		if (len - at < HEAD_LEN || len - at - HEAD_LEN < get16(wire + at + 2))
			return "a parameter is cut off";
		value_len = get16(wire + at + 2);
		if ((int)get16(wire + at) <= before)
			return (int)get16(wire + at) == before ? "a key is given twice (RFC 9460 section 2.1)"
			                                       : "keys are not in ascending order (RFC 9460 section 2.2)";
		before = (int)get16(wire + at);
	}
	for (size_t at = 0, value_len; at < len; at += HEAD_LEN + value_len) {
		value_len = get16(wire + at + 2);

		const char *fault = value_fault(wire, len, get16(wire + at), wire + at + HEAD_LEN, value_len);

		if (fault)
			return fault;
	}
	return NULL;
}
