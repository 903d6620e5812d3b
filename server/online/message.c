// Queries written, replies read; see message.h.
#include "online/message.h"

#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "wire/dns.h"
#include "wire/put.h"

enum { UDP_SIZE = 1232, QUESTION_FIELDS_LEN = 4 };

size_t message_query(const struct question *question, uint16_t id, uint8_t buf[static MESSAGE_QUERY_MAX])
{
	uint8_t *at = put16(put16(buf, id), question->recursive ? DNS_RD : 0);

	at = put16(put16(put16(put16(at, 1), 0), 0), 1); // one question, one additional record
	memcpy(at, question->name.wire, question->name.len);
	at = put16(put16(at + question->name.len, question->type), DNS_CLASS_IN);
	*at++ = 0; // OPT, RFC 6891 section 6.1.2: at the root; its class is our size, its TTL rcode, version and flags
	at = put16(put32(put16(put16(at, DNS_OPT), UDP_SIZE), 0), 0);
	return (size_t)(at - buf);
}

bool message_is_reply(const uint8_t *wire, size_t len, const struct question *question, uint16_t id)
{
	uint8_t asked[NAME_WIRE_MAX + QUESTION_FIELDS_LEN];
	const size_t name_len = question->name.len, asked_len = name_len + QUESTION_FIELDS_LEN;

	if (len < DNS_HEADER_LEN || (wire[0] << 8 | wire[1]) != id || !(wire[2] & DNS_QR >> 8))
		return false;

	const int questions = wire[4] << 8 | wire[5];

	if (questions != 1 || len < DNS_HEADER_LEN + asked_len)
		return questions == 0 && (wire[3] & 0xf) != DNS_NOERROR;
	memcpy(asked, wire + DNS_HEADER_LEN, asked_len);
	name_fold(asked, name_len);
	put16(put16(&asked[name_len], question->type), DNS_CLASS_IN);
	return memcmp(asked, question->name.wire, name_len) == 0 &&
	       memcmp(&asked[name_len], wire + DNS_HEADER_LEN + name_len, QUESTION_FIELDS_LEN) == 0;
}

// A domain name as ldns has it: valid, and not compressed.
static bool take_name(const ldns_rdf *rdf, struct wire_name *ret_name)
{
	if (!rdf || ldns_rdf_get_type(rdf) != LDNS_RDF_TYPE_DNAME || ldns_rdf_size(rdf) > NAME_WIRE_MAX)
		return false;
	ret_name->len = ldns_rdf_size(rdf);
	memcpy(ret_name->wire, ldns_rdf_data(rdf), ret_name->len);
	name_fold(ret_name->wire, ret_name->len);
	return true;
}

static bool take_addr(const ldns_rdf *rdf, enum addr_family family, struct addr *ret_addr)
{
	const size_t len = addr_bits(family) / 8;

	if (!rdf || ldns_rdf_size(rdf) != len)
		return false;
	*ret_addr = (struct addr){.family = family};
	memcpy(ret_addr->bytes, ldns_rdf_data(rdf), len);
	return true;
}

// False: it is of another type or class, or nothing can be made of it.
static bool take_record(const ldns_rr *rr, enum message_section section, struct message_record *ret_record)
{
	enum { SOA_SERIAL = 2 };
	const ldns_rdf *serial = ldns_rr_rdf(rr, SOA_SERIAL);

	*ret_record = (struct message_record){.section = section, .type = (uint16_t)ldns_rr_get_type(rr),
	                                      .ttl_s = ldns_rr_ttl(rr)};
	if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN || !take_name(ldns_rr_owner(rr), &ret_record->owner))
		return false;
	switch (ret_record->type) {
	case DNS_NS: return take_name(ldns_rr_rdf(rr, 0), &ret_record->name);
	case DNS_A: return take_addr(ldns_rr_rdf(rr, 0), ADDR_V4, &ret_record->addr);
	case DNS_AAAA: return take_addr(ldns_rr_rdf(rr, 0), ADDR_V6, &ret_record->addr);
	case DNS_SOA:
		if (!serial || ldns_rdf_size(serial) != sizeof(uint32_t))
			return false;
		ret_record->serial = ldns_rdf2native_int32(serial);
		return true;
	case DNS_DS: return true;
	default: return false;
	}
}

static void take_section(const ldns_rr_list *rrs, enum message_section section, struct message *message)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(rrs) && message->count < MESSAGE_RECORDS_MAX; i++)
		message->count += take_record(ldns_rr_list_rr(rrs, i), section, &message->records[message->count]);
}

int message_read(const uint8_t *wire, size_t len, struct message *ret_message)
{
	struct message message = {0};
	ldns_pkt *packet;
	ldns_status status = ldns_wire2pkt(&packet, wire, len);

	if (status != LDNS_STATUS_OK)
		return status == LDNS_STATUS_MEM_ERR ? E_NOMEM : E_INVAL;
	message.rcode = ldns_pkt_get_rcode(packet);
	message.authoritative = ldns_pkt_aa(packet);
	message.truncated = ldns_pkt_tc(packet);

	const ldns_rr_list *sections[MESSAGE_SECTIONS] = {ldns_pkt_answer(packet), ldns_pkt_authority(packet),
	                                                  ldns_pkt_additional(packet)};
	size_t count = 0;

	for (unsigned i = 0; i < MESSAGE_SECTIONS; i++)
		count += ldns_rr_list_rr_count(sections[i]);
	count = count < MESSAGE_RECORDS_MAX ? count : MESSAGE_RECORDS_MAX;
	message.records = calloc(count + 1, sizeof(*message.records));
	for (unsigned i = 0; message.records && i < MESSAGE_SECTIONS; i++)
		take_section(sections[i], (enum message_section)i, &message);
	ldns_pkt_free(packet);
	if (!message.records)
		return E_NOMEM;
	*ret_message = message;
	return E_OK;
}

void message_done(struct message *message)
{
	free(message->records);
	*message = (struct message){0};
}

const struct message_record *message_next(const struct message *message, enum message_section section, uint16_t type,
                                          const struct wire_name *owner, size_t *at)
{
	while (*at < message->count) {
		const struct message_record *record = &message->records[(*at)++];

		if (record->section == section && record->type == type && (!owner || message_same_name(&record->owner, owner)))
			return record;
	}
	return NULL;
}
