// The fields of RDATA: each kind is read from words, and recognized in wire form. Called by rdata.c; owns nothing.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct zone_convert;

enum zone_field {
	FIELD_END,      // of a type's fields
	FIELD_OPTIONAL, // all that follows may be missing
	FIELD_REPEAT,   // the field before once more, as often as there is more; the last of a type's fields
	FIELD_U8,
	FIELD_U16,
	FIELD_U32,
	FIELD_PERIOD,   // 32 bits, also written as 1h30m
	FIELD_TIME,     // 32 bits, also written as YYYYMMDDHHmmSS
	FIELD_TYPE,     // of records
	FIELD_ALGORITHM, // these five: numbers that have names
	FIELD_CERTIFICATE,
	FIELD_USAGE,
	FIELD_SELECTOR,
	FIELD_MATCHING,
	FIELD_ADDR4,
	FIELD_ADDR6,
	FIELD_EUI48,
	FIELD_EUI64,
	FIELD_NODE,
	FIELD_RELAY_TYPE,
	FIELD_NAME,
	FIELD_STRING,
	FIELD_TAG,      // a string of letters and digits
	FIELD_SALT,
	FIELD_HASH,
	FIELD_PREFIX,
	FIELD_IPSEC_GATEWAY, // as the octet before it, or before that, says: nothing, an address or a name
	FIELD_RELAY,
	FIELD_HIP,
	FIELD_VALUE,    // from here to the end of the data: a string without its length
	FIELD_TARGET,   // the same, not empty
	FIELD_HEX,
	FIELD_BASE64,
	FIELD_NSAP,
	FIELD_BITMAP,
	FIELD_SVCPARAMS,
	FIELD_LOCATION,
	FIELD_OPAQUE,   // octets that only RFC 3597 has a text form for
	FIELD_COUNT,
};

// Takes the words of a field and appends its octets. False, said, when they are not right.
bool zone_field_read(enum zone_field field, struct zone_convert *convert) MUST_USE;

// The number of octets that a field has at wire[at], of wire[len]; -1 when what is there is none. wire[0] is the data's
// first octet.
int zone_field_check(enum zone_field field, const uint8_t *wire, size_t at, size_t len) MUST_USE PURE;
