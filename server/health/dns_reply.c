// One pass over the answers; see dns_reply.h.
#include "health/dns_reply.h"

#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/must.h"
#include "wire/dns.h"
#include "wire/put.h"

enum { QUESTION_FIXED_LEN = 4, RECORD_FIXED_LEN = 10 };

struct record {
	struct wire_name owner;
	uint16_t type, class_;
	size_t rdata, rdata_len; // offset in the message
};

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

size_t dns_reply_query(const struct dns_reply_question *question, uint8_t buf[static DNS_REPLY_QUERY_MAX])
{
	uint8_t *at = buf;

	must(question->name.len > 0 && question->name.len <= NAME_WIRE_MAX);
	at = put16(put16(put16(at, question->id), DNS_RD), 1);
	at = put16(put16(put16(at, 0), 0), 0);
	memcpy(at, question->name.wire, question->name.len);
	at = put16(put16(at + question->name.len, question->type), DNS_CLASS_IN);
	return (size_t)(at - buf);
}

static bool same_name(const struct wire_name *a, const struct wire_name *b)
{
	return a->len == b->len && memcmp(a->wire, b->wire, a->len) == 0;
}

// Moves *at behind the question of a message that has one. E_INVAL: it has none, or it is malformed.
static int read_question(const uint8_t *octets, size_t len, size_t *at, struct wire_name *ret_name, uint16_t *ret_type)
{
	*at = DNS_HEADER_LEN;
	if (get16(octets + 4) != 1 || name_unpack(octets, len, at, ret_name) < 0 || *at + QUESTION_FIXED_LEN > len)
		return E_INVAL;
	*ret_type = get16(octets + *at);
	if (get16(octets + *at + 2) != DNS_CLASS_IN)
		return E_INVAL;
	*at += QUESTION_FIXED_LEN;
	return E_OK;
}

unsigned dns_reply_rcode(const uint8_t *octets)
{
	return octets[3] & 0x0f;
}

bool dns_reply_is_truncated(const uint8_t *octets)
{
	return get16(octets + 2) & DNS_TC;
}

bool dns_reply_is_to(const uint8_t *octets, size_t len, const struct dns_reply_question *question)
{
	struct wire_name name;
	uint16_t type;
	size_t at;

	if (len < DNS_HEADER_LEN || get16(octets) != question->id || !(get16(octets + 2) & DNS_QR) ||
	    get16(octets + 2) & DNS_OPCODE)
		return false;
	if (get16(octets + 4) == 0)
		return dns_reply_rcode(octets) != DNS_NOERROR && dns_reply_rcode(octets) != DNS_NXDOMAIN;
	return read_question(octets, len, &at, &name, &type) == E_OK && type == question->type && same_name(&name, &question->name);
}

// E_INVAL; *record is then undefined.
static int read_record(const uint8_t *octets, size_t len, size_t *at, struct record *record)
{
	if (name_unpack(octets, len, at, &record->owner) < 0 || *at + RECORD_FIXED_LEN > len)
		return E_INVAL;
	record->type = get16(octets + *at);
	record->class_ = get16(octets + *at + 2);
	record->rdata = *at + RECORD_FIXED_LEN;
	record->rdata_len = get16(octets + *at + 8);
	*at = record->rdata + record->rdata_len;
	return *at > len ? E_INVAL : E_OK;
}

// The name that ends the RDATA, and begins at `at`.
static int read_last_name(const uint8_t *octets, const struct record *record, size_t at, struct wire_name *ret_name)
{
	size_t end = record->rdata + record->rdata_len;

	return name_unpack(octets, end, &at, ret_name) < 0 || at != end ? E_INVAL : E_OK;
}

// ---- texts

static int format_address(const uint8_t *octets, size_t len, char *buf)
{
	struct addr addr = {.family = len == 4 ? ADDR_V4 : ADDR_V6};

	if (len != 4 && len != sizeof(addr.bytes))
		return E_INVAL;
	memcpy(addr.bytes, octets, len);
	addr_format(&addr, buf);
	return E_OK;
}

// So many numbers of 16 bits, and a name that ends the RDATA.
static int format_name(const uint8_t *octets, const struct record *record, unsigned numbers, char *buf)
{
	size_t at = record->rdata, end = record->rdata + record->rdata_len, out = 0;
	struct wire_name name;
	char text[NAME_TEXT_MAX];

	for (unsigned i = 0; i < numbers; i++, at += 2) {
		if (at + 2 > end)
			return E_INVAL;
		out += (size_t)snprintf(buf + out, DNS_REPLY_TEXT_MAX - out, "%u ", get16(octets + at));
	}
	if (read_last_name(octets, record, at, &name) < 0)
		return E_INVAL;
	snprintf(buf + out, DNS_REPLY_TEXT_MAX - out, "%s", name_to_text(name.wire, name.len, text));
	return E_OK;
}

// The strings joined. What is too long, or has an octet that no text has, is cut there: nothing that can be expected is.
static int format_strings(const uint8_t *octets, size_t len, char *buf)
{
	size_t out = 0;

	for (size_t at = 0, next; at < len; at = next) {
		next = at + 1 + octets[at];
		if (next > len)
			return E_INVAL;
		for (size_t i = at + 1; i < next && out < DNS_REPLY_TEXT_MAX - 1; i++)
			buf[out++] = (char)(octets[i] ? octets[i] : 1);
	}
	buf[out] = '\0';
	return len > 0 ? E_OK : E_INVAL;
}

static int format(const uint8_t *octets, const struct record *record, char buf[static DNS_REPLY_TEXT_MAX])
{
	const uint8_t *rdata = octets + record->rdata;

	switch (record->type) {
	case DNS_A: return record->rdata_len == 4 ? format_address(rdata, 4, buf) : E_INVAL;
	case DNS_AAAA: return record->rdata_len == 16 ? format_address(rdata, 16, buf) : E_INVAL;
	case DNS_CNAME:
	case DNS_NS:
	case DNS_PTR: return format_name(octets, record, 0, buf);
	case DNS_MX: return format_name(octets, record, 1, buf);
	case DNS_SRV: return format_name(octets, record, 3, buf);
	case DNS_TXT: return format_strings(rdata, record->rdata_len, buf);
	default: buf[0] = '\0'; return E_OK; // nothing of it can be expected
	}
}

_Static_assert(DNS_REPLY_TEXT_MAX >= NAME_TEXT_MAX + 3 * 6, "three numbers and a name fit");

int dns_reply_find(const uint8_t *octets, size_t len, const struct dns_reply_question *question, const char *expect,
                   unsigned *ret_count)
{
	unsigned answers = get16(octets + 6), count = 0;
	bool found = false;
	struct wire_name name;
	uint16_t type;
	size_t at = DNS_HEADER_LEN;

	if (get16(octets + 4) != 0 && read_question(octets, len, &at, &name, &type) < 0)
		return E_INVAL;
	name = question->name;
	for (unsigned i = 0; i < answers; i++) {
		char text[DNS_REPLY_TEXT_MAX];
		struct record record;

		if (read_record(octets, len, &at, &record) < 0)
			return E_INVAL;
		if (record.class_ != DNS_CLASS_IN || !same_name(&record.owner, &name))
			continue;
		if (record.type == question->type) {
			if (format(octets, &record, text) < 0)
				return E_INVAL;
			count++;
			found |= expect && strcmp(text, expect) == 0;
		} else if (record.type == DNS_CNAME && read_last_name(octets, &record, record.rdata, &name) < 0) {
			return E_INVAL;
		}
	}
	*ret_count = count;
	return found || !expect ? E_OK : E_NOTFOUND;
}
