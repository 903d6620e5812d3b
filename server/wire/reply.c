// Writes replies; see reply.h.
#include "wire/reply.h"

#include <string.h>

#include "base/must.h"
#include "wire/compressed.h"
#include "wire/dns.h"
#include "wire/put.h"
#include "wire/query.h"

enum { OPT_FIXED_LEN = 11, OPTION_HEADER_LEN = 4 };

static size_t opt_len(const struct query *query, const struct reply_opt *opt)
{
	size_t len = OPT_FIXED_LEN;

	if (opt->ecs)
		len += OPTION_HEADER_LEN + 4u + query->ecs.octets;
	if (opt->nsid)
		len += OPTION_HEADER_LEN + (size_t)opt->nsid_len;
	if (opt->keepalive_100ms >= 0)
		len += OPTION_HEADER_LEN + 2;
	if (opt->ede != DNS_EDE_NONE)
		len += OPTION_HEADER_LEN + 2 + strlen(opt->ede_text);
	return len;
}

void reply_begin(struct reply *reply, uint8_t *wire, size_t limit, const struct query *query,
                 const struct reply_opt *opt)
{
	reply->query = query;
	reply->wire = wire;
	reply->len = DNS_HEADER_LEN + (size_t)query->question_len;
	reply->opt_len = opt ? opt_len(query, opt) : 0;
	dev_must(reply->len + reply->opt_len <= limit);
	reply->limit = limit - reply->opt_len;
	reply->counts[0] = reply->counts[1] = reply->counts[2] = 0;
	reply->truncated = false;
	if (wire != query->wire)
		memcpy(wire, query->wire, reply->len);
}

static ALWAYS_INLINE uint8_t *take(struct reply *reply, enum reply_section section, size_t len, uint16_t count,
                                   bool required)
{
	dev_must(section <= REPLY_ADDITIONAL);
	if (reply->truncated || reply->limit < reply->len || reply->limit - reply->len < len) {
		reply->truncated = reply->truncated || required;
		return NULL;
	}

	uint8_t *at = reply->wire + reply->len;

	reply->len += len;
	reply->counts[section] = (uint16_t)(reply->counts[section] + count);
	return at;
}

size_t reply_add(struct reply *reply, enum reply_section section, const uint8_t *records, size_t len, uint16_t count,
                 size_t owner)
{
	uint8_t *at = take(reply, section, len, count, true);

	if (!at)
		return 0;
	dev_must(owner >= DNS_HEADER_LEN && owner < 0x4000); // what a pointer can express
	memcpy(at, records, len);
	if (owner != DNS_HEADER_LEN)
		for (uint8_t *record = at; record < at + len;) {
			put16(record, 0xc000u | (unsigned)owner);
			record += DNS_RECORD_LEN + (record[10] << 8 | record[11]);
			dev_must(record <= at + len);
		}
	return (size_t)(at - reply->wire);
}

void reply_add_compressed(struct reply *reply, enum reply_section section, const struct compressed *part, size_t owner,
                          size_t records, bool required)
{
	const size_t origins[] = {[COMPRESSED_OWNER] = owner, [COMPRESSED_RECORDS] = records};
	uint8_t *at = take(reply, section, part->len, part->count, required);

	if (!at)
		return;
	memcpy(at, part->wire, part->len);
	for (uint32_t i = 0; i < part->pointer_count; i++) {
		const struct compressed_pointer *pointer = &part->pointers[i];
		const size_t to = origins[pointer->from] + pointer->to;

		dev_must(to >= DNS_HEADER_LEN && to < 0x4000 && records + pointer->at + 2 <= reply->len);
		put16(reply->wire + records + pointer->at, 0xc000u | (unsigned)to);
	}
}

static uint8_t *put_ecs(uint8_t *p, const struct query_ecs *ecs, uint8_t scope)
{
	p = put16(p, DNS_OPTION_ECS);
	p = put16(p, 4u + ecs->octets);
	p = put16(p, ecs->family);
	*p++ = ecs->source_len;
	*p++ = scope;
	memcpy(p, ecs->addr.bytes, ecs->octets);
	return p + ecs->octets;
}

static void put_opt(struct reply *reply, unsigned rcode, const struct reply_opt *opt)
{
	const struct query *query = reply->query;
	uint8_t *start = reply->wire + reply->len, *p = start;

	*p++ = 0; // the root
	p = put16(p, DNS_OPT);
	p = put16(p, opt->udp_size);
	*p++ = (uint8_t)(rcode >> 4);
	*p++ = DNS_EDNS_VERSION;
	p = put16(p, query->dnssec_ok ? 0x8000 : 0); // RFC 3225 section 3: DO is copied
	p = put16(p, (unsigned)(reply->opt_len - OPT_FIXED_LEN));
	if (opt->ecs)
		p = put_ecs(p, &query->ecs, opt->ecs_scope);
	if (opt->nsid) {
		p = put16(put16(p, DNS_OPTION_NSID), opt->nsid_len);
		memcpy(p, opt->nsid, opt->nsid_len);
		p += opt->nsid_len;
	}
	if (opt->keepalive_100ms >= 0)
		p = put16(put16(put16(p, DNS_OPTION_KEEPALIVE), 2), (unsigned)opt->keepalive_100ms);
	if (opt->ede != DNS_EDE_NONE) {
		size_t text_len = strlen(opt->ede_text);

		p = put16(put16(put16(p, DNS_OPTION_EDE), (unsigned)(2 + text_len)), (unsigned)opt->ede);
		memcpy(p, opt->ede_text, text_len);
		p += text_len;
	}
	dev_must((size_t)(p - start) == reply->opt_len);
	reply->len += (size_t)(p - start);
	reply->counts[REPLY_ADDITIONAL]++;
}

size_t reply_finish(struct reply *reply, unsigned rcode, bool aa, const struct reply_opt *opt)
{
	const struct query *query = reply->query;
	unsigned flags = DNS_QR | (query->flags & (DNS_OPCODE | DNS_RD | DNS_CD)) | (rcode & 0xf);
	uint8_t *p = reply->wire + 4; // the ID is the query's

	if (reply->truncated) {
		flags |= DNS_TC;
		reply->len = DNS_HEADER_LEN + (size_t)query->question_len;
		reply->counts[0] = reply->counts[1] = reply->counts[2] = 0;
	}
	dev_must(reply->len <= reply->limit && (opt != NULL) == (reply->opt_len > 0));
	if (aa)
		flags |= DNS_AA;
	if (opt)
		put_opt(reply, rcode, opt);
	put16(reply->wire + 2, flags);
	p = put16(p, query->has_question ? 1 : 0);
	p = put16(p, reply->counts[REPLY_ANSWER]);
	p = put16(p, reply->counts[REPLY_AUTHORITY]);
	put16(p, reply->counts[REPLY_ADDITIONAL]);
	return reply->len;
}
