// RRsets of addresses in one piece of memory; see answers.h.
#include "view/answers.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/publish.h"
#include "wire/put.h"

static size_t rdata_len_of(uint8_t family)
{
	return family == ADDR_V4 ? 4 : 16;
}

static size_t count_of(const struct addr *addresses, size_t count, uint8_t family)
{
	size_t have = 0;

	for (size_t i = 0; i < count; i++)
		have += addresses[i].family == family;
	return have;
}

// Appends the RRset of one family, with its records at `wire`. Returns the address after them.
static uint8_t *add_rrset(struct answers *answers, const struct addr *addresses, size_t count, uint8_t family,
                          uint8_t *wire)
{
	size_t rdata_len = rdata_len_of(family);
	uint16_t type = family == ADDR_V4 ? DNS_A : DNS_AAAA, have = 0;
	uint8_t *end = wire;

	for (size_t i = 0; i < count; i++) {
		if (addresses[i].family != family)
			continue;
		end = put_record_start(end, type, answers->ttl_s, rdata_len);
		memcpy(end, addresses[i].bytes, rdata_len);
		end += rdata_len;
		have++;
	}
	if (have)
		answers->rrsets[answers->count++] = (struct rrset){wire, (uint32_t)(end - wire), answers->ttl_s, type, have};
	return end;
}

static struct answers *make(struct arena *arena, const struct addr *addresses, size_t count, uint32_t ttl_s)
{
	size_t v4_count = count_of(addresses, count, ADDR_V4), v6_count = count_of(addresses, count, ADDR_V6);
	size_t room = v4_count && v6_count ? 2 : 1; // RRsets
	size_t wire_len = v4_count * (DNS_RECORD_LEN + 4) + v6_count * (DNS_RECORD_LEN + 16);
	size_t size = sizeof(struct answers) + room * sizeof(struct rrset) + wire_len;
	struct answers *answers = arena ? arena_take(arena, size) : malloc(size);

	must(count <= ANSWERS_ADDRESSES_MAX && v4_count + v6_count == count);
	if (!answers)
		return NULL;

	uint8_t *wire = (uint8_t *)&answers->rrsets[room];

	*answers = (struct answers){.ttl_s = ttl_s, .in_arena = arena != NULL};
	answers->rrsets[0] = (struct rrset){0};
	wire = add_rrset(answers, addresses, count, ADDR_V4, wire);
	wire = add_rrset(answers, addresses, count, ADDR_V6, wire);
	must(wire == (uint8_t *)answers + size);
	return answers;
}

struct answers *answers_new(const struct addr *addresses, size_t count, uint32_t ttl_s)
{
	return make(NULL, addresses, count, ttl_s);
}

struct answers *answers_make(struct arena *arena, const struct addr *addresses, size_t count, uint32_t ttl_s)
{
	must(arena);
	return make(arena, addresses, count, ttl_s);
}

struct answers *answers_make_cname(struct arena *arena, const uint8_t *name, size_t name_len, uint32_t ttl_s)
{
	size_t wire_len = DNS_RECORD_LEN + name_len;
	struct answers *answers = arena_take(arena, sizeof(*answers) + sizeof(struct rrset) + wire_len);

	if (!answers)
		return NULL;

	uint8_t *wire = (uint8_t *)&answers->rrsets[1];

	memcpy(put_record_start(wire, DNS_CNAME, ttl_s, name_len), name, name_len);
	*answers = (struct answers){.ttl_s = ttl_s, .count = 1, .in_arena = true};
	answers->rrsets[0] = (struct rrset){wire, (uint32_t)wire_len, ttl_s, DNS_CNAME, 1};
	return answers;
}

// Writes the TTL into the records of an RRset: each of an RRset of ours has an owner of two octets, and they are of one
// length.
static void put_ttl(uint8_t *wire, const struct rrset *rrset, uint32_t ttl_s)
{
	size_t len = rrset->count ? rrset->wire_len / rrset->count : 0;

	must(len * rrset->count == rrset->wire_len);
	for (unsigned i = 0; i < rrset->count; i++)
		put32(wire + i * len + 2 + 2 + 2, ttl_s);
}

struct answers *answers_capped(const struct answers *from, uint32_t cap_s)
{
	unsigned room = from->count ? from->count : 1;
	size_t wire_len = 0;

	for (unsigned i = 0; i < from->count; i++)
		wire_len += from->rrsets[i].wire_len;

	struct answers *answers = malloc(sizeof(*answers) + room * sizeof(struct rrset) + wire_len);
	uint32_t ttl_s = cap_s && cap_s < from->ttl_s ? cap_s : from->ttl_s;

	if (!answers)
		return NULL;

	uint8_t *wire = (uint8_t *)&answers->rrsets[room];

	*answers = (struct answers){.ttl_s = from->ttl_s, .cap_s = cap_s, .count = from->count};
	answers->rrsets[0] = (struct rrset){0};
	for (unsigned i = 0; i < from->count; i++) {
		answers->rrsets[i] = from->rrsets[i];
		answers->rrsets[i].wire = memcpy(wire, from->rrsets[i].wire, from->rrsets[i].wire_len);
		answers->rrsets[i].ttl_s = ttl_s;
		put_ttl(wire, &from->rrsets[i], ttl_s);
		wire += from->rrsets[i].wire_len;
	}
	return answers;
}

struct answers *answers_free(struct answers *answers)
{
	if (answers && !answers->in_arena)
		free(answers);
	return NULL;
}

static void free_retired(void *answers)
{
	answers_free(answers);
}

void answers_set(const struct target *target, struct answers *answers)
{
	_Atomic(const struct answers *) *at = (_Atomic(const struct answers *) *)&target->answers; // all of it that changes
	const struct answers *old;

	must(answers && !answers->in_arena);
	old = atomic_exchange_explicit(at, answers, memory_order_acq_rel);

	if (old && !old->in_arena)
		publish_retire(old, free_retired);
}

size_t answers_addresses(const struct answers *answers, struct addr *list)
{
	size_t count = 0;

	for (unsigned i = 0; i < answers->count; i++) {
		const struct rrset *rrset = &answers->rrsets[i];
		uint8_t family = rrset->type == DNS_A ? ADDR_V4 : ADDR_V6;
		size_t rdata_len = rdata_len_of(family);

		if (rrset->type == DNS_CNAME)
			return 0;
		for (unsigned k = 0; k < rrset->count; k++) {
			must(count < ANSWERS_ADDRESSES_MAX);
			list[count] = (struct addr){.family = family};
			memcpy(list[count++].bytes, rrset->wire + k * (DNS_RECORD_LEN + rdata_len) + DNS_RECORD_LEN, rdata_len);
		}
	}
	return count;
}

bool answers_equal(const struct answers *a, const struct answers *b)
{
	if (a->count != b->count || a->ttl_s != b->ttl_s)
		return false;
	for (unsigned i = 0; i < a->count; i++) {
		const struct rrset *x = &a->rrsets[i], *y = &b->rrsets[i];

		if (x->wire_len != y->wire_len || memcmp(x->wire, y->wire, x->wire_len) != 0)
			return false;
	}
	return true;
}
