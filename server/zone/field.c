// The fields of RDATA, one row each; see field.h.
#include "zone/field.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "base/err.h"
#include "wire/name.h"
#include "zone/digits.h"
#include "zone/kind.h"
#include "zone/location.h"
#include "zone/mnemonic.h"
#include "zone/rare.h"
#include "zone/scan.h"
#include "zone/svcparams.h"
#include "zone/convert.h"

// ---- numbers and addresses ----

static int check_fixed(const struct zone_octets *octets, const struct zone_kind *kind)
{
	return octets->len - octets->at >= kind->len ? (int)kind->len : -1;
}

static bool not_in(struct zone_convert *convert, const char *word, uint32_t max)
{
	return zone_convert_wrong(convert, "%.40s is not in 0..%u", word, max);
}

static bool read_number(struct zone_convert *convert, const struct zone_kind *kind)
{
	const uint32_t max = UINT32_MAX >> (32 - 8 * kind->len);
	const char *word = zone_convert_take(convert), *digits = word + (*word == '-' || *word == '+');
	uint32_t number;

	if (zone_convert_number(word, max, &number))
		return zone_convert_put_number(convert, number, kind->len);

	const int named = zone_mnemonic_number(kind->registry, word);

	if (named >= 0)
		return zone_convert_put_number(convert, (uint32_t)named, kind->len);
	return *digits && digits[strspn(digits, "0123456789")] == '\0' && not_in(convert, word, max);
}

static bool read_period(struct zone_convert *convert, const struct zone_kind *kind)
{
	const char *word = zone_convert_take(convert);
	uint32_t s;
	const int err = zone_scan_period(word, UINT32_MAX, &s);

	if (err == E_LIMIT)
		return not_in(convert, word, UINT32_MAX);
	return err == E_OK && zone_convert_put_number(convert, s, kind->len);
}

static bool read_type(struct zone_convert *convert, const struct zone_kind *kind)
{
	const int type = zone_mnemonic_type(zone_convert_take(convert));

	return type >= 0 && zone_convert_put_number(convert, (uint32_t)type, kind->len);
}

static bool read_address(struct zone_convert *convert, const struct zone_kind *kind)
{
	uint8_t address[16];

	return inet_pton(kind->len == sizeof(address) ? AF_INET6 : AF_INET, zone_convert_take(convert), address) == 1 &&
	       zone_convert_put(convert, address, kind->len);
}

// ---- names and strings ----

static bool read_name(struct zone_convert *convert, const struct zone_kind *kind)
{
	struct wire_name name;

	(void)kind;
	return zone_convert_name(zone_convert_take(convert), convert->origin, &name) == E_OK &&
	       zone_convert_put(convert, name.wire, name.len);
}

// Names in data are not compressed (RFC 3597 section 4).
static int check_name(const struct zone_octets *octets, const struct zone_kind *kind)
{
	struct name name;

	(void)kind;
	return name_read(octets->wire + octets->at, octets->len - octets->at, &name) == E_OK ? name.len : -1;
}

static bool read_string(struct zone_convert *convert, const struct zone_kind *kind)
{
	return zone_convert_counted(convert, kind->len, zone_convert_string);
}

static int check_string(const struct zone_octets *octets, const struct zone_kind *kind)
{
	const size_t len = octets->len - octets->at;
	const uint8_t *field = octets->wire + octets->at;

	return len > 0 && *field >= kind->len && len > *field ? 1 + *field : -1;
}

static bool take_tag(struct zone_convert *convert)
{
	const char *word = zone_convert_take(convert);

	for (const char *at = word; *at; at++)
		if (!isalnum((unsigned char)*at))
			return false;
	return zone_convert_put(convert, word, strlen(word));
}

// RFC 8659 section 4.1.
static bool read_tag(struct zone_convert *convert, const struct zone_kind *kind)
{
	return zone_convert_counted(convert, kind->len, take_tag);
}

static int check_tag(const struct zone_octets *octets, const struct zone_kind *kind)
{
	const int len = check_string(octets, kind);

	for (int i = 1; i < len; i++)
		if (!isalnum(octets->wire[octets->at + (size_t)i]))
			return -1;
	return len;
}

// ---- to the end ----

static int check_rest(const struct zone_octets *octets, const struct zone_kind *kind)
{
	const size_t len = octets->len - octets->at;

	return len >= kind->len ? (int)len : -1;
}

static bool read_value(struct zone_convert *convert, const struct zone_kind *kind)
{
	const size_t start = convert->len;

	return zone_convert_string(convert) && convert->len - start >= kind->len;
}

static bool read_hex(struct zone_convert *convert, const struct zone_kind *kind)
{
	const size_t start = convert->len;

	return zone_digits_words(convert, ZONE_BASE16) && convert->len - start >= kind->len;
}

static bool read_base64(struct zone_convert *convert, const struct zone_kind *kind)
{
	const size_t start = convert->len;

	return zone_digits_words(convert, ZONE_BASE64) && convert->len - start >= kind->len;
}

static bool read_opaque(struct zone_convert *convert, const struct zone_kind *kind)
{
	(void)kind;
	return zone_convert_wrong(convert, "data of this type is accepted only in RFC 3597 form (\\# LENGTH HEX)");
}

// ---- gateways ----

// The kind of a gateway (RFC 4025 section 2.3) or relay (RFC 8777 section 4.2.3): its type is in the octet after the
// precedence, in the bits of kind->len.
static enum zone_field gateway(const uint8_t *wire, const struct zone_kind *kind)
{
	static const enum zone_field kinds[] = {FIELD_END, FIELD_ADDR4, FIELD_ADDR6, FIELD_NAME};
	const size_t type = wire[1] & kind->len;

	return type < ARRAY_LEN(kinds) ? kinds[type] : FIELD_COUNT;
}

static bool read_gateway(struct zone_convert *convert, const struct zone_kind *kind)
{
	const enum zone_field field = gateway(convert->wire, kind);

	if (field == FIELD_COUNT)
		return zone_convert_wrong(convert, "%u is no type of a gateway or relay, which are 0 to 3",
		                          convert->wire[1] & (unsigned)kind->len);
	return field == FIELD_END ? strcmp(zone_convert_take(convert), ".") == 0 : zone_field_read(field, convert);
}

static int check_gateway(const struct zone_octets *octets, const struct zone_kind *kind)
{
	const enum zone_field field = gateway(octets->wire, kind);

	return field == FIELD_COUNT ? -1
	       : field == FIELD_END ? 0
	                            : zone_field_check(field, octets->wire, octets->at, octets->len);
}

// ---- the kinds ----

static int check_svcparams(const struct zone_octets *octets, const struct zone_kind *kind)
{
	const size_t len = octets->len - octets->at;

	(void)kind;
	return zone_svcparams_fault(octets->wire + octets->at, len) ? -1 : (int)len;
}

static const struct zone_kind kinds[FIELD_COUNT] = {
	[FIELD_U8] = {"a number from 0 to 255", read_number, check_fixed, 1},
	[FIELD_U16] = {"a number from 0 to 65535", read_number, check_fixed, 2},
	[FIELD_U32] = {"a number from 0 to 4294967295", read_number, check_fixed, 4},
	[FIELD_PERIOD] = {"a time in seconds, or such as 1h30m", read_period, check_fixed, 4},
	[FIELD_TIME] = {"a time, YYYYMMDDHHmmSS", zone_rare_read_time, check_fixed, 4},
	[FIELD_TYPE] = {"a record type", read_type, check_fixed, 2},
	[FIELD_ALGORITHM] = {"a number or name of an algorithm", read_number, check_fixed, 1, ZONE_REGISTRY_ALGORITHM},
	[FIELD_CERTIFICATE] = {"a number or name of a certificate type", read_number, check_fixed, 2,
	                       ZONE_REGISTRY_CERTIFICATE},
	[FIELD_USAGE] = {"a number or name of a certificate usage", read_number, check_fixed, 1, ZONE_REGISTRY_USAGE},
	[FIELD_SELECTOR] = {"a number or name of a selector", read_number, check_fixed, 1, ZONE_REGISTRY_SELECTOR},
	[FIELD_MATCHING] = {"a number or name of a matching type", read_number, check_fixed, 1, ZONE_REGISTRY_MATCHING},
	[FIELD_ADDR4] = {"an IPv4 address", read_address, check_fixed, 4},
	[FIELD_ADDR6] = {"an IPv6 address", read_address, check_fixed, 16},
	[FIELD_EUI48] = {"an EUI-48 such as 00-00-5e-00-53-2a", zone_rare_read_eui, check_fixed, 6},
	[FIELD_EUI64] = {"an EUI-64 such as 00-00-5e-ef-10-00-00-2a", zone_rare_read_eui, check_fixed, 8},
	[FIELD_NODE] = {"64 bits such as 0014:4fff:ff20:ee64", zone_rare_read_node, check_fixed, 8},
	[FIELD_RELAY_TYPE] = {"0 or 1, and a type", zone_rare_read_relay_type, check_fixed, 1},
	[FIELD_NAME] = {"a domain name", read_name, check_name, 1},
	[FIELD_STRING] = {"a string of at most 255 octets", read_string, check_string, 0},
	[FIELD_TAG] = {"letters and digits", read_tag, check_tag, 1},
	[FIELD_SALT] = {"a salt in hexadecimal, or -", zone_rare_read_salt, check_string, 0},
	[FIELD_HASH] = {"a hash in base32hex", zone_rare_read_hash, check_string, 1},
	[FIELD_PREFIX] = {"a prefix such as 1:192.0.2.0/24", zone_rare_read_prefix, zone_rare_check_prefix, 4},
	[FIELD_IPSEC_GATEWAY] = {"a gateway as its type says", read_gateway, check_gateway, 0xff},
	[FIELD_RELAY] = {"a relay as its type says", read_gateway, check_gateway, 0x7f},
	[FIELD_HIP] = {"an algorithm, a host identity tag in hexadecimal and a key in base64", zone_rare_read_hip,
	               zone_rare_check_hip, 4},
	[FIELD_VALUE] = {"a string", read_value, check_rest, 0},
	[FIELD_TARGET] = {"a string that is not empty", read_value, check_rest, 1},
	[FIELD_HEX] = {"pairs of hexadecimal digits", read_hex, check_rest, 1},
	[FIELD_BASE64] = {"base64", read_base64, check_rest, 1},
	[FIELD_NSAP] = {"hexadecimal digits after 0x", zone_rare_read_nsap, check_rest, 1},
	[FIELD_BITMAP] = {"record types", zone_rare_read_bitmap, zone_rare_check_bitmap, 0},
	[FIELD_SVCPARAMS] = {"parameters such as alpn=h2", zone_svcparams_read, check_svcparams, 0},
	[FIELD_LOCATION] = {"a location such as 42 21 54 N 71 06 18 W -24m", zone_location_read, zone_location_check,
	                    16},
	[FIELD_OPAQUE] = {"octets", read_opaque, check_rest, 0},
};

bool zone_field_read(enum zone_field field, struct zone_convert *convert)
{
	const struct zone_kind *kind = &kinds[field];

	if (convert->count == 0)
		(void)zone_convert_take(convert);
	else if (kind->read(convert, kind))
		return true;
	return zone_convert_expected(convert, kind->expected);
}

int zone_field_check(enum zone_field field, const uint8_t *wire, size_t at, size_t len)
{
	const struct zone_octets octets = {wire, at, len};

	return kinds[field].check(&octets, &kinds[field]);
}
