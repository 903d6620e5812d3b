// RDATA from presentation form to wire form; see rdata.h. What plain.c leaves, ldns parses; what it silently accepts
// (numbers out of range, RFC 3597 data of the wrong length) is checked here.
#include "zone/rdata.h"

#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "zone/plain.h"
#include "zone/scan.h"

// ldns silently cuts longer text off. Longer data can be given in RFC 3597 form.
enum { LDNS_TEXT_MAX = 65000 };

static int wrong(char *ret_why, const char *what)
{
	snprintf(ret_why, ZONE_RDATA_WHY_MAX, "%s", what);
	return E_INVAL;
}

int zone_rdata_type(const char *word)
{
	if (strncasecmp(word, "TYPE", 4) == 0 && word[4]) {
		char *end;
		unsigned long number = strtoul(word + 4, &end, 10);

		return *end || word[4] < '0' || word[4] > '9' || number > UINT16_MAX ? -1 : (int)number;
	}

	unsigned type = ldns_get_rr_type_by_name(word);

	return type == 0 || type > UINT16_MAX ? -1 : (int)type;
}

// ---- RFC 3597 section 5 ----

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Whether data written back is what was read: it is not where a name in it was compressed (RFC 3597 section 4).
static bool survives_round_trip(const ldns_rr *rr, const uint8_t *rdata, size_t len)
{
	ldns_buffer *buffer = ldns_buffer_new(ZONE_RDATA_MAX);
	bool same = buffer && ldns_rr_rdata2buffer_wire(buffer, rr) == LDNS_STATUS_OK &&
	            ldns_buffer_position(buffer) == len && memcmp(ldns_buffer_begin(buffer), rdata, len) == 0;

	ldns_buffer_free(buffer);
	return same;
}

// Whether the octets are valid data of the type, as far as ldns knows it.
static bool is_valid_wire(uint16_t type, const uint8_t *rdata, size_t len)
{
	const ldns_rr_descriptor *descriptor = ldns_rr_descript(type);
	uint8_t *record = malloc(11 + len);
	ldns_rr *rr = NULL;
	size_t at = 0;

	if (!record)
		return false;
	record[0] = 0; // the root's name
	ldns_write_uint16(record + 1, type);
	ldns_write_uint16(record + 3, LDNS_RR_CLASS_IN);
	ldns_write_uint32(record + 5, 0);
	ldns_write_uint16(record + 9, (uint16_t)len);
	memcpy(record + 11, rdata, len);

	bool valid = ldns_wire2rr(&rr, record, 11 + len, &at, LDNS_SECTION_ANSWER) == LDNS_STATUS_OK && at == 11 + len &&
	             (!descriptor || ldns_rr_rd_count(rr) >= ldns_rr_descriptor_minimum(descriptor)) &&
	             survives_round_trip(rr, rdata, len);

	ldns_rr_free(rr);
	free(record);
	return valid;
}

static int parse_generic(uint16_t type, const char *word, size_t count, uint8_t *ret_rdata, size_t *ret_len,
                         char *ret_why)
{
	size_t digits = 0, len;
	char *end;

	if (count == 0 || *word < '0' || *word > '9')
		return wrong(ret_why, "expected the length in octets after \\#");
	len = strtoul(word, &end, 10);
	if (*end || len > ZONE_RDATA_MAX)
		return wrong(ret_why, "the length after \\# is not a number of octets, 0 to 65535");
	for (size_t i = 1; i < count; i++) {
		word = zone_scan_after(word);
		for (const char *at = word; *at; at++, digits++) {
			int digit = hex_digit(*at);

			if (digit < 0)
				return wrong(ret_why, "expected only hexadecimal digits after \\# and the length");
			if (digits >= 2 * len)
				return wrong(ret_why, "more octets than the length after \\# says");
			ret_rdata[digits / 2] = (uint8_t)(digits % 2 ? ret_rdata[digits / 2] | digit : digit << 4);
		}
	}
	if (digits != 2 * len)
		return wrong(ret_why, "fewer octets than the length after \\# says");
	if (!is_valid_wire(type, ret_rdata, len))
		return wrong(ret_why, "the octets after \\# are not valid data of this type");
	*ret_len = len;
	return E_OK;
}

// ---- the types ldns knows ----

// The largest number a field can have; 0: it is not a number.
static uint32_t field_max(ldns_rdf_type field)
{
	switch (field) {
	case LDNS_RDF_TYPE_INT8:
	case LDNS_RDF_TYPE_ALG:
	case LDNS_RDF_TYPE_CERTIFICATE_USAGE:
	case LDNS_RDF_TYPE_SELECTOR:
	case LDNS_RDF_TYPE_MATCHING_TYPE: return UINT8_MAX;
	case LDNS_RDF_TYPE_INT16:
	case LDNS_RDF_TYPE_CERT_ALG: return UINT16_MAX;
	case LDNS_RDF_TYPE_INT32:
	case LDNS_RDF_TYPE_PERIOD: return UINT32_MAX;
	default: return 0;
	}
}

// Types whose text ldns parses: those in use, with parsers that survived fuzzing. Some of its others leak memory (CERT,
// IPSECKEY, AMTRELAY) or are for experimental types; such data can be given in RFC 3597 form.
static bool has_text_form(uint16_t type)
{
	static const uint16_t types[] = {
		LDNS_RR_TYPE_A, LDNS_RR_TYPE_NS, LDNS_RR_TYPE_CNAME, LDNS_RR_TYPE_SOA, LDNS_RR_TYPE_PTR, LDNS_RR_TYPE_HINFO,
		LDNS_RR_TYPE_MX, LDNS_RR_TYPE_TXT, LDNS_RR_TYPE_RP, LDNS_RR_TYPE_AFSDB, LDNS_RR_TYPE_AAAA, LDNS_RR_TYPE_LOC,
		LDNS_RR_TYPE_SRV, LDNS_RR_TYPE_NAPTR, LDNS_RR_TYPE_KX, LDNS_RR_TYPE_DNAME, LDNS_RR_TYPE_APL, LDNS_RR_TYPE_DS,
		LDNS_RR_TYPE_SSHFP, LDNS_RR_TYPE_RRSIG, LDNS_RR_TYPE_NSEC, LDNS_RR_TYPE_DNSKEY, LDNS_RR_TYPE_DHCID,
		LDNS_RR_TYPE_NSEC3, LDNS_RR_TYPE_NSEC3PARAM, LDNS_RR_TYPE_TLSA, LDNS_RR_TYPE_SMIMEA, LDNS_RR_TYPE_CDS,
		LDNS_RR_TYPE_CDNSKEY, LDNS_RR_TYPE_OPENPGPKEY, LDNS_RR_TYPE_CSYNC, LDNS_RR_TYPE_SVCB, LDNS_RR_TYPE_HTTPS,
		LDNS_RR_TYPE_SPF, LDNS_RR_TYPE_EUI48, LDNS_RR_TYPE_EUI64, LDNS_RR_TYPE_URI, LDNS_RR_TYPE_CAA,
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i] == type)
			return true;
	return false;
}

// ldns lets numbers that are too large wrap around.
static int check_numbers(uint16_t type, const char *word, size_t count, char *ret_why)
{
	const ldns_rr_descriptor *descriptor = ldns_rr_descript(type);
	size_t fields = descriptor ? ldns_rr_descriptor_minimum(descriptor) : 0;

	for (size_t i = 0; i < fields && i < count; i++, word = zone_scan_after(word)) {
		uint32_t max = field_max(ldns_rr_descriptor_field_type(descriptor, i)), number;

		if (max && (*word == '-' || *word == '+' || zone_scan_period(word, max, &number) == E_LIMIT)) {
			snprintf(ret_why, ZONE_RDATA_WHY_MAX, "%.40s is not in 0..%u", word, max);
			return E_INVAL;
		}
	}
	return E_OK;
}

// The record in the form that ldns parses; the caller frees it. NULL when out of memory.
static char *record_text(uint16_t type, char *words, size_t count)
{
	char *word = words, *text;

	for (size_t i = 1; i < count; i++) {
		word += strlen(word);
		*word = ' ';
	}

	char *name = ldns_rr_type2str(type);
	int len = name ? asprintf(&text, ". 0 IN %s %s", name, count ? words : "") : -1;

	free(name);
	return len < 0 ? NULL : text;
}

static int write_rdata(const ldns_rr *rr, uint8_t *ret_rdata, size_t *ret_len, char *ret_why)
{
	ldns_buffer *buffer = ldns_buffer_new(512);

	if (!buffer)
		return E_NOMEM;

	int err = E_OK;
	ldns_status status = ldns_rr_rdata2buffer_wire(buffer, rr);

	if (status != LDNS_STATUS_OK)
		err = wrong(ret_why, ldns_get_errorstr_by_id(status));
	else if (ldns_buffer_position(buffer) > ZONE_RDATA_MAX)
		err = wrong(ret_why, "data is longer than 65,535 octets");
	if (err == E_OK) {
		*ret_len = ldns_buffer_position(buffer);
		memcpy(ret_rdata, ldns_buffer_begin(buffer), *ret_len);
	}
	ldns_buffer_free(buffer);
	return err;
}

static int parse_known(uint16_t type, char *words, size_t count, ldns_rdf *origin, uint8_t *ret_rdata, size_t *ret_len,
                       char *ret_why)
{
	if (!has_text_form(type))
		return wrong(ret_why, "data of this type is accepted only in RFC 3597 form (\\# LENGTH HEX)");

	int err = check_numbers(type, words, count, ret_why);

	if (err < 0)
		return err;

	char *text = record_text(type, words, count);
	ldns_rr *rr = NULL;

	if (!text)
		return E_NOMEM;
	if (strlen(text) > LDNS_TEXT_MAX) {
		free(text);
		return wrong(ret_why, "text is too long, use RFC 3597 form (\\# LENGTH HEX)");
	}

	ldns_status status = ldns_rr_new_frm_str(&rr, text, 0, origin, NULL);

	free(text);
	if (status != LDNS_STATUS_OK)
		return wrong(ret_why, ldns_get_errorstr_by_id(status));
	err = write_rdata(rr, ret_rdata, ret_len, ret_why);
	ldns_rr_free(rr);
	return err;
}

// ldns asserts that its buffers are there, or uses them all the same, so that running out of memory in it ends the
// process. It needs less than this for a record; what is there now is most likely there a moment later.
static bool has_room_for_ldns(void)
{
	enum { ROOM = 4 * ZONE_RDATA_MAX };
	void *volatile room = malloc(ROOM); // volatile: the compiler may drop a pair of malloc() and free()
	bool has = room != NULL;

	free(room);
	return has;
}

int zone_rdata_parse(uint16_t type, char *words, size_t count, const uint8_t *origin, size_t origin_len,
                    uint8_t ret_rdata[static ZONE_RDATA_MAX], size_t *ret_len, char *ret_why)
{
	const bool is_generic = count > 0 && strcmp(words, "\\#") == 0;
	const int len = is_generic ? -1 : zone_plain_parse(type, words, count, origin, origin_len, ret_rdata, ZONE_RDATA_MAX);

	if (len >= 0) {
		*ret_len = (size_t)len;
		return E_OK;
	}
	if (!has_room_for_ldns())
		return E_NOMEM;
	if (is_generic)
		return parse_generic(type, zone_scan_after(words), count - 1, ret_rdata, ret_len, ret_why);

	ldns_rdf *below = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, origin_len, origin);

	if (!below)
		return E_NOMEM;

	int err = parse_known(type, words, count, below, ret_rdata, ret_len, ret_why);

	ldns_rdf_deep_free(below);
	return err;
}
