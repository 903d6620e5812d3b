// Reads queries; see query.h.
#include "wire/query.h"

#include <string.h>

#include "base/must.h"
#include "wire/dns.h"

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

// The offset after the name at `at`, including its pointer; 0 when it overruns or has a label of an unknown type.
// Pointers are not followed, as only what comes after the name matters here, so a loop of them does no harm.
static size_t skip_name(const uint8_t *wire, size_t len, size_t at)
{
	while (at < len) {
		unsigned label = wire[at];

		if (label == 0)
			return at + 1;
		if (label >= 0xc0)
			return at + 2 <= len ? at + 2 : 0;
		if (label > NAME_LABEL_MAX)
			return 0;
		at += label + 1;
	}
	return 0;
}

// RFC 7871 section 6. Surplus or missing octets, bits past SOURCE, a SCOPE in a query and unknown families are errors.
static bool read_ecs(const uint8_t *data, size_t len, struct query_ecs *ecs)
{
	if (ecs->present || len < 4)
		return false;

	unsigned family = be16(data), source_len = data[2], scope_len = data[3];
	unsigned octets = (source_len + 7) / 8;

	if ((family != 1 && family != 2) || source_len > (family == 1 ? 32 : 128) || scope_len != 0)
		return false;
	if (len - 4 != octets)
		return false;
	if (source_len % 8 && data[4 + octets - 1] & (0xff >> (source_len % 8)))
		return false;
	dev_must(octets <= sizeof(ecs->addr.bytes));
	ecs->present = true;
	ecs->family = (uint8_t)family;
	ecs->source_len = (uint8_t)source_len;
	ecs->octets = (uint8_t)octets;
	ecs->addr = (struct addr){.family = family == 1 ? ADDR_V4 : ADDR_V6};
	memcpy(ecs->addr.bytes, data + 4, octets);
	return true;
}

static bool read_options(const uint8_t *data, size_t len, struct query *query)
{
	while (len > 0) {
		if (len < 4)
			return false;

		unsigned code = be16(data);
		size_t option_len = be16(data + 2);

		if (option_len > len - 4)
			return false;
		if (code == DNS_OPTION_ECS && !read_ecs(data + 4, option_len, &query->ecs))
			return false;
		query->nsid = query->nsid || code == DNS_OPTION_NSID;
		query->keepalive = query->keepalive || code == DNS_OPTION_KEEPALIVE;
		data += 4 + option_len;
		len -= 4 + option_len;
	}
	return true;
}

// RFC 6891 section 6.1.2: CLASS is the client's UDP size, TTL is extended rcode, version and flags.
static enum query_verdict read_opt(const uint8_t *record, size_t data_len, bool at_root, struct query *query)
{
	if (query->edns || !at_root)
		return QUERY_FORMERR;
	query->edns = true;
	query->udp_size = be16(record + 2) > DNS_UDP_PLAIN ? be16(record + 2) : DNS_UDP_PLAIN;
	query->dnssec_ok = record[6] & 0x80;
	if (record[5] > DNS_EDNS_VERSION)
		return QUERY_BADVERS;
	return read_options(record + 10, data_len, query) ? QUERY_OK : QUERY_FORMERR;
}

// Walks the records after the question. Only OPT and signatures in the additional section matter; others are skipped.
static enum query_verdict read_records(const uint8_t *wire, size_t len, size_t at, struct query *query)
{
	unsigned skipped = be16(wire + 6) + be16(wire + 8), count = skipped + be16(wire + 10);
	enum query_verdict verdict = QUERY_OK;
	bool is_signed = false;

	for (unsigned i = 0; i < count; i++) {
		bool at_root = at < len && wire[at] == 0;

		at = skip_name(wire, len, at);
		if (at == 0 || len - at < 10)
			return QUERY_FORMERR;

		unsigned type = be16(wire + at);
		size_t data_len = be16(wire + at + 8);

		if (data_len > len - at - 10)
			return QUERY_FORMERR;
		if (i >= skipped && type == DNS_OPT) {
			verdict = read_opt(wire + at, data_len, at_root, query);
			if (verdict == QUERY_FORMERR)
				return verdict;
		}
		is_signed = is_signed || (i >= skipped && (type == DNS_TSIG || type == DNS_SIG));
		at += 10 + data_len;
	}
	return verdict == QUERY_OK && is_signed ? QUERY_NOTAUTH : verdict;
}

enum query_verdict query_read(const uint8_t *wire, size_t len, struct query *ret_query)
{
	struct query *query = ret_query;

	query->wire = wire;
	query->has_question = query->edns = query->dnssec_ok = query->nsid = query->keepalive = false;
	query->ecs.present = false;
	query->udp_size = DNS_UDP_PLAIN;
	query->question_len = 0;
	if (len < DNS_HEADER_LEN)
		return QUERY_SILENCE;
	query->flags = be16(wire + 2);
	if (query->flags & DNS_QR)
		return QUERY_SILENCE;
	if (query->flags & DNS_OPCODE)
		return QUERY_NOTIMP;
	if (be16(wire + 4) != 1)
		return QUERY_FORMERR;
	if (name_read(wire + DNS_HEADER_LEN, len - DNS_HEADER_LEN, &query->name) < 0)
		return QUERY_FORMERR;

	size_t at = DNS_HEADER_LEN + (size_t)query->name.len;

	if (len - at < 4)
		return QUERY_FORMERR;
	query->type = be16(wire + at);
	query->class_ = be16(wire + at + 2);
	query->has_question = true;
	query->question_len = (uint16_t)(query->name.len + 4);
	return read_records(wire, len, at + 4, query);
}
