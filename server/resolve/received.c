// Walks the answer section of a reply; see received.h. Not with the resolver library's parsers: some of its versions take
// the addresses of any owner, and none follows a CNAME that stands behind them.
#include "resolve/received.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "wire/dns.h"

enum { HEADER_LEN = 12, RECORD_FIXED_LEN = 10, QUESTION_FIXED_LEN = 4 };

struct message {
	const uint8_t *octets;
	size_t len;
};

struct record {
	struct wire_name owner;
	uint16_t type, class;
	uint32_t ttl_s;
	size_t rdata, rdata_len; // offset in the message
};

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static int read_record(const struct message *message, size_t *at, struct record *record)
{
	if (name_unpack(message->octets, message->len, at, &record->owner) < 0 || *at + RECORD_FIXED_LEN > message->len)
		return E_INVAL;

	const uint8_t *fixed = message->octets + *at;

	record->type = get16(fixed);
	record->class = get16(fixed + 2);
	record->ttl_s = (uint32_t)get16(fixed + 4) << 16 | get16(fixed + 6);
	if (record->ttl_s > INT32_MAX) // counts as zero (RFC 2181 section 8)
		record->ttl_s = 0;
	record->rdata_len = get16(fixed + 8);
	record->rdata = *at + RECORD_FIXED_LEN;
	*at = record->rdata + record->rdata_len;
	return *at > message->len ? E_INVAL : E_OK;
}

static bool same_name(const struct wire_name *a, const struct wire_name *b)
{
	return a->len == b->len && memcmp(a->wire, b->wire, a->len) == 0;
}

// ---- the chain ------------------------------------------------------------------------------------------------------

struct walk {
	struct message message;
	size_t answers;     // offset of the first record
	unsigned count;     // of records
	struct wire_name chain[RECEIVED_CHAIN_MAX + 1]; // the name asked for, and where its CNAMEs lead
	size_t chain_len;
	uint32_t ttl_s;
};

const struct wire_name *received_zone_of(const struct received_zones *zones, const uint8_t *name, size_t len)
{
	for (size_t i = 0; i < zones->count; i++)
		if (name_ends_with(name, len, zones->names[i].wire, zones->names[i].len))
			return &zones->names[i];
	return NULL;
}

static const char *text_of(const struct wire_name *name, char text[NAME_TEXT_MAX])
{
	return name_to_text(name->wire, name->len, text);
}

// Adds a name to the chain unless it must not be there.
static int extend(struct walk *walk, const struct wire_name *name, const struct received_zones *own, char *why)
{
	const struct wire_name *zone = received_zone_of(own, name->wire, name->len);
	char text[NAME_TEXT_MAX], zone_text[NAME_TEXT_MAX];

	if (zone) {
		snprintf(why, RECEIVED_WHY_LEN, "it leads to %.90s, in our own zone %.60s", text_of(name, text),
		         text_of(zone, zone_text));
		return E_INVAL;
	}
	for (size_t i = 0; i < walk->chain_len; i++)
		if (same_name(&walk->chain[i], name)) {
			snprintf(why, RECEIVED_WHY_LEN, "its CNAMEs lead in a circle through %.100s", text_of(name, text));
			return E_INVAL;
		}
	if (walk->chain_len > RECEIVED_CHAIN_MAX) {
		snprintf(why, RECEIVED_WHY_LEN, "it leads through more than %d CNAMEs", RECEIVED_CHAIN_MAX);
		return E_INVAL;
	}
	walk->chain[walk->chain_len++] = *name;
	return E_OK;
}

// Finds the CNAME of the chain's last name. E_NOTFOUND: there is none, E_INVAL.
static int next_of_chain(struct walk *walk, struct wire_name *ret_name)
{
	const struct wire_name *last = &walk->chain[walk->chain_len - 1];
	size_t at = walk->answers;
	struct record record;

	for (unsigned i = 0; i < walk->count; i++) {
		if (read_record(&walk->message, &at, &record) < 0)
			return E_INVAL;
		if (record.type != DNS_CNAME || record.class != DNS_CLASS_IN || !same_name(&record.owner, last))
			continue;
		size_t name_at = record.rdata;

		if (name_unpack(walk->message.octets, walk->message.len, &name_at, ret_name) < 0 ||
		    name_at != record.rdata + record.rdata_len)
			return E_INVAL;
		if (record.ttl_s < walk->ttl_s)
			walk->ttl_s = record.ttl_s;
		return E_OK;
	}
	return E_NOTFOUND;
}

// ---- addresses ------------------------------------------------------------------------------------------------------

static int compare(const void *a, const void *b)
{
	const struct addr *left = a, *right = b;

	if (left->family != right->family)
		return left->family < right->family ? -1 : 1;
	return memcmp(left->bytes, right->bytes, sizeof(left->bytes));
}

size_t received_sort(struct addr *addresses, size_t count)
{
	size_t kept = 0;

	qsort(addresses, count, sizeof(*addresses), compare);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || compare(&addresses[kept - 1], &addresses[i]) != 0)
			addresses[kept++] = addresses[i];
	return kept;
}

// Keeps the lowest addresses.
static void keep(struct received *received, const struct addr *addr)
{
	size_t at = received->count;

	while (at > 0 && compare(&received->addresses[at - 1], addr) > 0)
		at--;
	if (at == RECEIVED_ADDRESSES_MAX || (at > 0 && compare(&received->addresses[at - 1], addr) == 0))
		return;
	if (received->count < RECEIVED_ADDRESSES_MAX)
		received->count++;
	memmove(&received->addresses[at + 1], &received->addresses[at], (received->count - 1 - at) * sizeof(*addr));
	received->addresses[at] = *addr;
}

// The addresses of the chain's last name.
static int collect(struct walk *walk, enum addr_family family, struct received *received)
{
	const struct wire_name *last = &walk->chain[walk->chain_len - 1];
	const uint16_t type = family == ADDR_V4 ? DNS_A : DNS_AAAA;
	const size_t size = addr_bits(family) / 8;
	size_t at = walk->answers;
	struct record record;

	for (unsigned i = 0; i < walk->count; i++) {
		struct addr addr = {.family = (uint8_t)family};

		if (read_record(&walk->message, &at, &record) < 0)
			return E_INVAL;
		if (record.type != type || record.class != DNS_CLASS_IN || !same_name(&record.owner, last))
			continue;
		if (record.rdata_len != size)
			return E_INVAL;
		memcpy(addr.bytes, walk->message.octets + record.rdata, size);
		keep(received, &addr);
		if (record.ttl_s < walk->ttl_s)
			walk->ttl_s = record.ttl_s;
	}
	return received->count > 0 ? E_OK : E_NOTFOUND;
}

static int begin(struct walk *walk, struct wire_name *ret_name)
{
	const struct message *message = &walk->message;
	size_t at = HEADER_LEN;

	if (message->len < HEADER_LEN || get16(message->octets + 4) != 1 ||
	    name_unpack(message->octets, message->len, &at, ret_name) < 0 || at + QUESTION_FIXED_LEN > message->len)
		return E_INVAL;
	walk->answers = at + QUESTION_FIXED_LEN;
	walk->count = get16(message->octets + 6);
	walk->ttl_s = INT32_MAX;
	return E_OK;
}

int received_read(const uint8_t *reply, size_t len, enum addr_family family, const struct received_zones *own,
                  struct received *ret_received, char why[RECEIVED_WHY_LEN])
{
	struct walk walk = {.message = {reply, len}};
	struct received received = {.count = 0};
	struct wire_name name;
	int err = begin(&walk, &name);

	snprintf(why, RECEIVED_WHY_LEN, "the reply is malformed");
	while (err == E_OK) {
		err = extend(&walk, &name, own, why);
		if (err == E_OK)
			err = next_of_chain(&walk, &name);
	}
	if (err == E_NOTFOUND) // the end of the chain
		err = collect(&walk, family, &received);
	if (err < 0)
		return err;
	must(received.count <= RECEIVED_ADDRESSES_MAX);
	received.ttl_s = walk.ttl_s;
	*ret_received = received;
	return E_OK;
}
