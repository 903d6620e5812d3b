// RDATA from presentation form to wire form; see rdata.h. A type is a row of fields (field.h), which are read one after
// another, or recognized in what is given as in RFC 3597.
#include "zone/rdata.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "wire/dns.h"
#include "zone/digits.h"
#include "zone/field.h"
#include "zone/scan.h"

enum { FIELDS_MAX = 10 };

// The fields of each type in their order. A type that is not here has octets.
static const uint8_t types[][FIELDS_MAX] = {
	[DNS_A] = {FIELD_ADDR4},
	[DNS_NS] = {FIELD_NAME},
	[DNS_MD] = {FIELD_NAME},
	[DNS_MF] = {FIELD_NAME},
	[DNS_CNAME] = {FIELD_NAME},
	[DNS_SOA] = {FIELD_NAME, FIELD_NAME, FIELD_U32, FIELD_PERIOD, FIELD_PERIOD, FIELD_PERIOD, FIELD_PERIOD},
	[DNS_MB] = {FIELD_NAME},
	[DNS_MG] = {FIELD_NAME},
	[DNS_MR] = {FIELD_NAME},
	[DNS_WKS] = {FIELD_ADDR4, FIELD_U8, FIELD_OPAQUE},
	[DNS_PTR] = {FIELD_NAME},
	[DNS_HINFO] = {FIELD_STRING, FIELD_STRING},
	[DNS_MINFO] = {FIELD_NAME, FIELD_NAME},
	[DNS_MX] = {FIELD_U16, FIELD_NAME},
	[DNS_TXT] = {FIELD_STRING, FIELD_REPEAT},
	[DNS_RP] = {FIELD_NAME, FIELD_NAME},
	[DNS_AFSDB] = {FIELD_U16, FIELD_NAME},
	[DNS_X25] = {FIELD_STRING},
	[DNS_ISDN] = {FIELD_STRING, FIELD_OPTIONAL, FIELD_STRING},
	[DNS_RT] = {FIELD_U16, FIELD_NAME},
	[DNS_NSAP] = {FIELD_NSAP},
	[DNS_NSAP_PTR] = {FIELD_NAME},
	[DNS_SIG] = {FIELD_TYPE, FIELD_ALGORITHM, FIELD_U8, FIELD_U32, FIELD_TIME, FIELD_TIME, FIELD_U16,
	             FIELD_NAME, FIELD_BASE64},
	[DNS_KEY] = {FIELD_U16, FIELD_U8, FIELD_ALGORITHM, FIELD_OPTIONAL, FIELD_BASE64},
	[DNS_PX] = {FIELD_U16, FIELD_NAME, FIELD_NAME},
	[DNS_GPOS] = {FIELD_STRING, FIELD_STRING, FIELD_STRING},
	[DNS_AAAA] = {FIELD_ADDR6},
	[DNS_LOC] = {FIELD_LOCATION},
	[DNS_EID] = {FIELD_HEX},
	[DNS_NIMLOC] = {FIELD_HEX},
	[DNS_SRV] = {FIELD_U16, FIELD_U16, FIELD_U16, FIELD_NAME},
	[DNS_NAPTR] = {FIELD_U16, FIELD_U16, FIELD_STRING, FIELD_STRING, FIELD_STRING, FIELD_NAME},
	[DNS_KX] = {FIELD_U16, FIELD_NAME},
	[DNS_CERT] = {FIELD_CERTIFICATE, FIELD_U16, FIELD_ALGORITHM, FIELD_BASE64},
	[DNS_DNAME] = {FIELD_NAME},
	[DNS_APL] = {FIELD_OPTIONAL, FIELD_PREFIX, FIELD_REPEAT},
	[DNS_DS] = {FIELD_U16, FIELD_ALGORITHM, FIELD_U8, FIELD_HEX},
	[DNS_SSHFP] = {FIELD_U8, FIELD_U8, FIELD_HEX},
	[DNS_IPSECKEY] = {FIELD_U8, FIELD_U8, FIELD_U8, FIELD_IPSEC_GATEWAY, FIELD_OPTIONAL, FIELD_BASE64},
	[DNS_RRSIG] = {FIELD_TYPE, FIELD_ALGORITHM, FIELD_U8, FIELD_U32, FIELD_TIME, FIELD_TIME, FIELD_U16,
	               FIELD_NAME, FIELD_BASE64},
	[DNS_NSEC] = {FIELD_NAME, FIELD_OPTIONAL, FIELD_BITMAP},
	[DNS_DNSKEY] = {FIELD_U16, FIELD_U8, FIELD_ALGORITHM, FIELD_BASE64},
	[DNS_DHCID] = {FIELD_BASE64},
	[DNS_NSEC3] = {FIELD_U8, FIELD_U8, FIELD_U16, FIELD_SALT, FIELD_HASH, FIELD_OPTIONAL, FIELD_BITMAP},
	[DNS_NSEC3PARAM] = {FIELD_U8, FIELD_U8, FIELD_U16, FIELD_SALT},
	[DNS_TLSA] = {FIELD_USAGE, FIELD_SELECTOR, FIELD_MATCHING, FIELD_HEX},
	[DNS_SMIMEA] = {FIELD_USAGE, FIELD_SELECTOR, FIELD_MATCHING, FIELD_HEX},
	[DNS_HIP] = {FIELD_HIP, FIELD_OPTIONAL, FIELD_NAME, FIELD_REPEAT},
	[DNS_NINFO] = {FIELD_STRING, FIELD_REPEAT},
	[DNS_RKEY] = {FIELD_U16, FIELD_U8, FIELD_ALGORITHM, FIELD_BASE64},
	[DNS_TALINK] = {FIELD_NAME, FIELD_NAME},
	[DNS_CDS] = {FIELD_U16, FIELD_ALGORITHM, FIELD_U8, FIELD_HEX},
	[DNS_CDNSKEY] = {FIELD_U16, FIELD_U8, FIELD_ALGORITHM, FIELD_BASE64},
	[DNS_OPENPGPKEY] = {FIELD_BASE64},
	[DNS_CSYNC] = {FIELD_U32, FIELD_U16, FIELD_OPTIONAL, FIELD_BITMAP},
	[DNS_ZONEMD] = {FIELD_U32, FIELD_U8, FIELD_U8, FIELD_HEX},
	[DNS_SVCB] = {FIELD_U16, FIELD_NAME, FIELD_OPTIONAL, FIELD_SVCPARAMS},
	[DNS_HTTPS] = {FIELD_U16, FIELD_NAME, FIELD_OPTIONAL, FIELD_SVCPARAMS},
	[DNS_SPF] = {FIELD_STRING, FIELD_REPEAT},
	[DNS_NID] = {FIELD_U16, FIELD_NODE},
	[DNS_L32] = {FIELD_U16, FIELD_ADDR4},
	[DNS_L64] = {FIELD_U16, FIELD_NODE},
	[DNS_LP] = {FIELD_U16, FIELD_NAME},
	[DNS_EUI48] = {FIELD_EUI48},
	[DNS_EUI64] = {FIELD_EUI64},
	[DNS_URI] = {FIELD_U16, FIELD_U16, FIELD_TARGET},
	[DNS_CAA] = {FIELD_U8, FIELD_TAG, FIELD_VALUE},
	[DNS_AVC] = {FIELD_STRING, FIELD_REPEAT},
	[DNS_AMTRELAY] = {FIELD_U8, FIELD_RELAY_TYPE, FIELD_RELAY},
	[DNS_RESINFO] = {FIELD_STRING, FIELD_REPEAT},
};

static const uint8_t *fields_of(uint16_t type)
{
	static const uint8_t others[] = {FIELD_OPAQUE, FIELD_END};

	return type < ARRAY_LEN(types) && types[type][0] != FIELD_END ? types[type] : others;
}

// The next of a type's fields, after which *at is; FIELD_END after the last. `more`: there is data for it.
static enum zone_field next_field(const uint8_t **at, bool more)
{
	if (**at == FIELD_OPTIONAL && more)
		(*at)++;
	if (**at == FIELD_REPEAT && more)
		return (*at)[-1];
	return **at == FIELD_END || **at == FIELD_OPTIONAL || **at == FIELD_REPEAT ? FIELD_END : *(*at)++;
}

static bool read_fields(uint16_t type, struct zone_convert *convert)
{
	const uint8_t *at = fields_of(type);
	enum zone_field field;

	while ((field = next_field(&at, convert->count > 0)) != FIELD_END)
		if (!zone_field_read(field, convert))
			return false;
	return convert->count == 0 || zone_convert_wrong(convert, "%.40s: more than data of this type has", convert->word);
}

// ---- RFC 3597 section 5 ----

static bool is_valid(uint16_t type, const uint8_t *wire, size_t len)
{
	const uint8_t *at = fields_of(type);
	enum zone_field field;
	size_t done = 0;

	while ((field = next_field(&at, done < len)) != FIELD_END) {
		const int field_len = zone_field_check(field, wire, done, len);

		if (field_len < 0)
			return false;
		done += (size_t)field_len;
	}
	return done == len;
}

// Takes hexadecimal digits to the end, of `len` octets.
static bool read_octets(struct zone_convert *convert, size_t len)
{
	struct zone_digits digits = {.base = ZONE_BASE16};

	while (convert->count > 0)
		for (const char *at = zone_convert_take(convert); *at; at++) {
			if (!isxdigit((unsigned char)*at))
				return zone_convert_wrong(convert, "expected only hexadecimal digits after \\# and the length");
			if (digits.count == 2 * len)
				return zone_convert_wrong(convert, "more octets than the length after \\# says");
			if (!zone_digits_add(&digits, convert, *at))
				return false;
		}
	return digits.count == 2 * len || zone_convert_wrong(convert, "fewer octets than the length after \\# says");
}

static bool read_generic(uint16_t type, struct zone_convert *convert)
{
	const char *word = zone_convert_take(convert);
	uint32_t len;

	if (*word < '0' || *word > '9')
		return zone_convert_wrong(convert, "expected the length in octets after \\#");
	if (!zone_convert_number(word, ZONE_RDATA_MAX, &len))
		return zone_convert_wrong(convert, "the length after \\# is not a number of octets, 0 to %d", ZONE_RDATA_MAX);
	if (!read_octets(convert, len))
		return false;
	return is_valid(type, convert->wire, convert->len) ||
	       zone_convert_wrong(convert, "the octets after \\# are not valid data of this type");
}

int zone_rdata_parse(uint16_t type, const char *words, size_t count, const struct wire_name *origin,
                     uint8_t ret_rdata[static ZONE_RDATA_MAX], size_t *ret_len, char *ret_why)
{
	struct zone_convert convert = {.word = words, .count = count, .last = "", .origin = origin, .wire = ret_rdata,
		.size = ZONE_RDATA_MAX, .why = ret_why};
	const bool is_generic = count > 0 && strcmp(words, "\\#") == 0;

	*ret_why = '\0';
	if (is_generic)
		(void)zone_convert_take(&convert);
	if (!(is_generic ? read_generic(type, &convert) : read_fields(type, &convert)))
		return E_INVAL;
	*ret_len = convert.len;
	return E_OK;
}
