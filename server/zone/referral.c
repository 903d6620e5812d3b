// Referrals in wire form, with their names compressed (RFC 1035 section 4.1.4); see referral.h. A name points to the
// delegation's own, which the question ends with, or to an earlier one of the referral. Where these will be in a reply is
// known only then, so that every pointer is recorded, for reply_add_compressed() to fill in.
#include "zone/referral.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/must.h"
#include "wire/compressed.h"
#include "wire/put.h"
#include "zone/validate.h"

enum {
	// Names in a referral that others can point to, and their labels. Those past these caps are complete.
	NAMES_MAX = 64,
	KNOWN_MAX = 256,
	// A pointer reaches 0x3fff octets into a message. Before the referral are a header, a question and a few CNAMEs:
	// at most 2,674 octets.
	REACH = 0x3000,
	RECORD_FIXED_LEN = 10, // TYPE, CLASS, TTL, RDLENGTH
	WIRE_MAX = 2 * ZONE_RRSET_WIRE_MAX, // NS records, and addresses
	POINTERS_MAX = 2 * (WIRE_MAX / DNS_RECORD_LEN), // owner and name server of every record
};

// A name, or the end of one, that a pointer can lead to.
struct known {
	const uint8_t *name; // folded
	uint8_t len;         // octets
	uint8_t from;        // enum compressed_origin
	uint16_t to;         // octets after it
};

struct zone_referral_maker {
	struct name names[NAMES_MAX];
	struct known known[KNOWN_MAX];
	size_t name_count, known_count, pointer_count;
	size_t len;
	struct compressed_pointer pointers[POINTERS_MAX];
	uint8_t wire[WIRE_MAX];
};

struct zone_referral_maker *zone_referral_maker_new(void)
{
	return malloc(sizeof(struct zone_referral_maker));
}

struct zone_referral_maker *zone_referral_maker_free(struct zone_referral_maker *maker)
{
	free(maker);
	return NULL;
}

// ---- names ----

static uint8_t *grow(struct zone_referral_maker *maker, size_t len)
{
	uint8_t *at = maker->wire + maker->len;

	must(len <= sizeof(maker->wire) - maker->len);
	maker->len += len;
	return at;
}

static void put_pointer(struct zone_referral_maker *maker, unsigned from, size_t to)
{
	must(maker->pointer_count < POINTERS_MAX && to < REACH);
	maker->pointers[maker->pointer_count++] = (struct compressed_pointer){(uint32_t)maker->len, (uint16_t)to, (uint8_t)from};
	put16(grow(maker, 2), 0xc000); // reply_add_compressed() adds the offset
}

static const struct known *find(const struct zone_referral_maker *maker, const uint8_t *name, size_t len)
{
	for (size_t i = 0; i < maker->known_count; i++)
		if (maker->known[i].len == len && memcmp(maker->known[i].name, name, len) == 0)
			return &maker->known[i];
	return NULL;
}

// Remembers the first `labels` labels of a name, whose first octet is `to` octets after `from`.
static void remember(struct zone_referral_maker *maker, const struct name *name, unsigned labels, unsigned from,
                     size_t to)
{
	if (maker->name_count == NAMES_MAX || labels == 0)
		return;

	struct name *copy = &maker->names[maker->name_count++];

	*copy = *name;
	for (unsigned i = 0; i < labels; i++) {
		const uint8_t at = copy->offset[i];

		if (maker->known_count == KNOWN_MAX || to + at >= REACH)
			return;
		maker->known[maker->known_count++] =
			(struct known){copy->wire + at, (uint8_t)(copy->len - at), (uint8_t)from, (uint16_t)(to + at)};
	}
}

// Writes a name as it is in `written`, the folded `name` in the zone's own case, as far as it is not known.
static void put_name(struct zone_referral_maker *maker, const struct name *name, const uint8_t *written)
{
	const struct known *known = NULL;
	const size_t begin = maker->len;
	unsigned labels = 0;

	while (labels < name->labels && !known) {
		known = find(maker, name->wire + name->offset[labels], (size_t)name->len - name->offset[labels]);
		labels += !known;
	}

	const size_t literal = known ? name->offset[labels] : name->len;

	memcpy(grow(maker, literal), written, literal);
	if (known)
		put_pointer(maker, known->from, known->to);
	remember(maker, name, labels, COMPRESSED_RECORDS, begin);
}

// ---- records ----

// Returns where the record's RDLENGTH is.
static uint8_t *put_fixed(struct zone_referral_maker *maker, uint16_t type, uint32_t ttl_s)
{
	return put32(put16(put16(grow(maker, RECORD_FIXED_LEN), type), DNS_CLASS_IN), ttl_s);
}

static uint16_t put_ns(struct zone_referral_maker *maker, const struct draft_set *ns)
{
	for (const struct draft_record *record = ns->first; record; record = record->next) {
		struct name target;

		zone_rdata_name(DNS_NS, record, &target);
		put_pointer(maker, COMPRESSED_OWNER, 0);

		uint8_t *rdata_len = put_fixed(maker, DNS_NS, ns->ttl_s);
		const size_t begin = maker->len;

		put_name(maker, &target, record->rdata);
		put16(rdata_len, (unsigned)(maker->len - begin));
	}
	return ns->count;
}

static uint16_t put_addresses(struct zone_referral_maker *maker, const struct draft_name *owner)
{
	static const uint16_t types[] = {DNS_A, DNS_AAAA};
	struct name name;
	uint16_t count = 0;

	must(name_read(owner->name, owner->name_len, &name) == 0);
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		const struct draft_set *set = zone_builder_set(owner, types[i]);

		for (const struct draft_record *record = set ? set->first : NULL; record; record = record->next, count++) {
			put_name(maker, &name, owner->name);
			put16(put_fixed(maker, set->type, set->ttl_s), record->rdata_len);
			memcpy(grow(maker, record->rdata_len), record->rdata, record->rdata_len);
		}
	}
	return count;
}

// The addresses of the name servers below the delegation, or of the others.
static uint16_t put_glue(struct zone_referral_maker *maker, const struct zone_builder *builder,
                         const struct draft_name *cut, bool in_domain)
{
	uint16_t count = 0;

	for (const struct draft_record *ns = zone_builder_set(cut, DNS_NS)->first; ns; ns = ns->next) {
		const struct draft_name *name = zone_validate_glue(builder, cut, ns);

		if (name && (name->cut == cut) == in_domain)
			count = (uint16_t)(count + put_addresses(maker, name));
	}
	return count;
}

// ---- the referral ----

int zone_referral_compile(struct zone_referral_maker *maker, struct arena *arena, const struct zone_builder *builder,
                          const struct draft_name *cut, const struct referral **ret_referral)
{
	const struct draft_set *ns = zone_builder_set(cut, DNS_NS);
	struct referral *referral = arena_take(arena, sizeof(*referral));
	size_t ends[REFERRAL_PARTS], pointer_ends[REFERRAL_PARTS], len = 0, pointers = 0;
	struct name name;

	if (!referral)
		return E_NOMEM;
	must(name_read(cut->name, cut->name_len, &name) == 0);
	maker->name_count = maker->known_count = maker->pointer_count = maker->len = 0;
	remember(maker, &name, name.labels, COMPRESSED_OWNER, 0);
	for (int part = 0; part < REFERRAL_PARTS; part++) {
		referral->parts[part].count = part == REFERRAL_NS ? put_ns(maker, ns)
		                                                  : put_glue(maker, builder, cut, part == REFERRAL_GLUE);
		ends[part] = maker->len;
		pointer_ends[part] = maker->pointer_count;
	}

	const uint8_t *wire = arena_copy(arena, maker->wire, maker->len);
	const struct compressed_pointer *all = arena_copy(arena, maker->pointers, maker->pointer_count * sizeof(*all));

	if (!wire || !all)
		return E_NOMEM;
	for (int i = 0; i < REFERRAL_PARTS; len = ends[i], pointers = pointer_ends[i], i++) {
		struct compressed *part = &referral->parts[i];

		part->wire = wire + len;
		part->len = (uint32_t)(ends[i] - len);
		part->pointers = all + pointers;
		part->pointer_count = (uint32_t)(pointer_ends[i] - pointers);
	}
	*ret_referral = referral;
	return E_OK;
}
