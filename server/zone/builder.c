// Collects the records and apps of all zones, name by name, into a draft. Called by file.c and generation/zones.c on
// the slow side; owns the draft, in an arena of its own. validate.c validates it and freeze.c compiles it.
#include "zone/builder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/must.h"
#include "base/report.h"
#include "zone/validate.h"
#include "zone/draft.h"
#include "zone/freeze.h"
#include "zone/zone.h"

static const size_t DRAFT_BYTES_MAX = (size_t)16 << 30;

enum {
	FIRST_SLOTS = 256,
	META_FIRST = 128, // 128..255 are QTYPEs and meta-types, never data (RFC 6895 section 3.1)
};

struct zone_builder *zone_builder_new(void)
{
	struct zone_builder *builder = calloc(1, sizeof(*builder));

	if (!builder)
		return NULL;
	builder->last = &builder->first;
	builder->last_zone = &builder->zones;
	builder->mask = FIRST_SLOTS - 1;
	builder->slots = calloc(FIRST_SLOTS, sizeof(struct draft_name *));
	builder->arena = arena_new(DRAFT_BYTES_MAX);
	if (!builder->slots || !builder->arena)
		return zone_builder_free(builder);
	return builder;
}

struct zone_builder *zone_builder_free(struct zone_builder *builder)
{
	if (!builder)
		return NULL;
	arena_free(builder->arena);
	free(builder->slots);
	free(builder);
	return NULL;
}

// ---- names ----

static int grow(struct zone_builder *builder)
{
	size_t count = (builder->mask + 1) * 2;
	struct draft_name **slots = calloc(count, sizeof(struct draft_name *));

	if (!slots)
		return E_NOMEM;
	free(builder->slots);
	builder->slots = slots;
	builder->mask = count - 1;
	for (struct draft_name *name = builder->first; name; name = name->next)
		*draft_slot(builder, name->name, name->name_len, name->hash) = name;
	return E_OK;
}

// Adds a name that is not in the draft; `wire` must live as long as the builder. NULL when out of memory or past the
// cap.
static struct draft_name *add_name(struct zone_builder *builder, struct draft_zone *zone, const uint8_t *wire,
                                   size_t len)
{
	must(len >= 1 && len <= NAME_WIRE_MAX);
	if (builder->count >= ZONE_NAMES_MAX || (builder->count * 2 >= builder->mask && grow(builder) < 0))
		return NULL;

	struct draft_name *name = arena_take(builder->arena, sizeof(*name));

	if (!name)
		return NULL;
	name->zone = zone;
	name->name = wire;
	name->name_len = (uint8_t)len;
	name->labels = (uint8_t)name_labels(wire);
	name->hash = name_hash(wire, len);
	name->app = ZONE_APP_NONE;

	struct draft_name **slot = draft_slot(builder, wire, len, name->hash);

	must(!*slot);
	*slot = name;
	builder->count++;
	*builder->last = name;
	builder->last = &name->next;
	return name;
}

// The name, added when new together with those missing between it and the zone's apex. NULL when out of memory.
static struct draft_name *intern(struct zone_builder *builder, struct draft_zone *zone, const uint8_t *wire, size_t len)
{
	struct draft_name *found = zone_builder_find(builder, wire, len);

	if (found)
		return found;
	wire = arena_copy(builder->arena, wire, len);
	if (!wire)
		return NULL;

	struct draft_name *name = add_name(builder, zone, wire, len);

	for (struct draft_name *child = name; child; child = child->parent) {
		size_t label = (size_t)child->name[0] + 1;

		must(label < child->name_len); // the apex ends the walk before the root's zero does
		child->parent = zone_builder_find(builder, child->name + label, child->name_len - label);
		if (child->parent)
			break;
		child->parent = add_name(builder, zone, child->name + label, child->name_len - label);
		if (!child->parent)
			return NULL;
	}
	return name;
}

static struct draft_zone *zone_of(const struct zone_builder *builder, const struct name *name)
{
	for (unsigned i = 0; i <= name->labels; i++) {
		const uint8_t *suffix = name->wire + name->offset[i];
		size_t len = name->len - name->offset[i];
		const struct draft_name *found = *draft_slot(builder, suffix, len, name_suffix_hash(name, i));

		if (found)
			return found->zone;
	}
	return NULL;
}

// ---- zones ----

int zone_builder_zone(struct zone_builder *builder, const uint8_t *apex, size_t apex_len)
{
	struct name name;

	if (builder->filling)
		return E_STATE;
	if (name_read(apex, apex_len, &name) < 0 || name.len != apex_len)
		return E_INVAL;
	if (zone_builder_find(builder, name.wire, name.len))
		return E_EXISTS;

	struct draft_zone *zone = arena_take(builder->arena, sizeof(*zone));
	const uint8_t *wire = arena_copy(builder->arena, name.wire, name.len);

	if (!zone || !wire)
		return E_NOMEM;
	zone->apex = add_name(builder, zone, wire, name.len);
	if (!zone->apex)
		return E_NOMEM;
	zone->number = (uint32_t)builder->zone_count++;
	*builder->last_zone = zone;
	builder->last_zone = &zone->next;
	return E_OK;
}

const uint8_t *zone_builder_apex(const struct zone_builder *builder, const uint8_t *name, size_t len,
                                 size_t *ret_apex_len)
{
	struct name read;

	if (name_read(name, len, &read) < 0)
		return NULL;

	const struct draft_zone *zone = zone_of(builder, &read);

	if (!zone)
		return NULL;
	*ret_apex_len = zone->apex->name_len;
	return zone->apex->name;
}

const char *zone_builder_keep(struct zone_builder *builder, const char *path)
{
	return arena_strdup(builder->arena, path);
}

void zone_builder_incomplete(struct zone_builder *builder, const uint8_t *apex, size_t apex_len)
{
	const struct draft_name *found = zone_builder_find(builder, apex, apex_len);

	builder->failed = true;
	if (found)
		found->zone->incomplete = true;
}

// Reads an owner name and adds it to its zone. E_INVAL (reported), E_NOMEM.
static int take_owner(struct zone_builder *builder, struct report *report, struct zone_origin origin,
                      const uint8_t *owner, size_t owner_len, struct draft_name **ret_name)
{
	char text[NAME_TEXT_MAX];
	struct name name;

	if (name_read(owner, owner_len, &name) < 0 || name.len != owner_len)
		return zone_refuse(builder, report, origin, "malformed name");

	struct draft_zone *zone = zone_of(builder, &name);

	if (!zone)
		return zone_refuse(builder, report, origin, "%s: is in none of the configured domains",
		                   name_to_text(owner, owner_len, text));
	builder->filling = true;

	struct draft_name *added = intern(builder, zone, name.wire, name.len);

	if (!added)
		return E_NOMEM;
	*ret_name = added;
	return E_OK;
}

// ---- records ----

// Whether RDATA has the form that the query path relies on.
static bool rdata_well_formed(uint16_t type, const uint8_t *rdata, size_t len)
{
	const int name_at = zone_rdata_name_at(type);
	struct name name;

	if (type == DNS_A)
		return len == 4;
	if (type == DNS_AAAA)
		return len == 16;
	if (name_at < 0)
		return true;

	size_t at = (size_t)name_at;

	for (int names = type == DNS_SOA ? 2 : 1; names > 0; names--) {
		if (at > len || name_read(rdata + at, len - at, &name) < 0)
			return false;
		at += name.len;
	}
	return len - at == (type == DNS_SOA ? 20 : 0);
}

// Records with equal RDATA are duplicates (RFC 2181 section 5); domain names in it compare without regard to case.
static bool rdata_equal(uint16_t type, const struct draft_record *record, const uint8_t *rdata, size_t len)
{
	const int name_at = zone_rdata_name_at(type);

	if (record->rdata_len != len)
		return false;
	if (name_at < 0 || type == DNS_SOA)
		return memcmp(record->rdata, rdata, len) == 0;

	size_t at = (size_t)name_at;
	struct name a, b;

	zone_rdata_name(type, record, &a);
	must(name_read(rdata + at, len - at, &b) == 0);
	return memcmp(record->rdata, rdata, at) == 0 && a.len == b.len && memcmp(a.wire, b.wire, a.len) == 0;
}

// Refuses types that are not data, or that need more than a static answer.
static int check_type(struct zone_builder *builder, struct report *report, struct zone_origin origin,
                      struct draft_name *name, uint16_t type)
{
	char text[NAME_TEXT_MAX], type_text[16];

	uint8_t kind = type == DNS_RRSIG        ? 1
	               : type == DNS_NSEC       ? 2
	               : type == DNS_NSEC3      ? 4
	               : type == DNS_NSEC3PARAM ? 8
	                                           : 0;
	bool is_data = type != 0 && type != DNS_OPT && (type < META_FIRST || type > DNS_ANY);

	if (likely(is_data && type != DNS_DNAME && !kind))
		return E_OK;
	name_to_text(name->name, name->name_len, text);
	if (!is_data)
		return zone_refuse(builder, report, origin, "%s %s: not a data type", text,
		                   zone_type_text(type, type_text));
	if (type == DNS_DNAME)
		return zone_refuse(builder, report, origin, "%s DNAME: DNAME is not supported", text);
	if (name->zone->refused & kind) // a signed zone has thousands: one line per type is enough
		return E_INVAL;
	name->zone->refused |= kind;
	return zone_refuse(builder, report, origin, "%s %s: signed zones are not supported: use the unsigned zone",
	                   text, zone_type_text(type, type_text));
}

static struct draft_set *set_of(struct zone_builder *builder, struct draft_name *name, uint16_t type, uint32_t ttl_s)
{
	struct draft_set **end = &name->sets;

	for (; *end; end = &(*end)->next)
		if ((*end)->type == type)
			return *end;
	*end = arena_take(builder->arena, sizeof(struct draft_set));
	if (*end) {
		(*end)->type = type;
		(*end)->ttl_s = ttl_s;
	}
	return *end;
}

static int add_record(struct zone_builder *builder, struct report *report, struct draft_name *name,
                      struct draft_set *set, const struct draft_record *from, const uint8_t *rdata)
{
	char text[NAME_TEXT_MAX], type_text[16];

	must(set->wire_len <= ZONE_RRSET_WIRE_MAX);
	if (set->full)
		return E_INVAL;
	for (const struct draft_record *record = set->first; record; record = record->next)
		if (rdata_equal(set->type, record, rdata, from->rdata_len))
			return E_OK;
	if (set->wire_len + DNS_RECORD_LEN + from->rdata_len > ZONE_RRSET_WIRE_MAX) {
		set->full = true;
		return zone_refuse(builder, report, from->origin, "%s %s: more than %d octets of records",
		                   name_to_text(name->name, name->name_len, text), zone_type_text(set->type, type_text),
		                   ZONE_RRSET_WIRE_MAX);
	}

	struct draft_record *record = arena_take(builder->arena, sizeof(*record) + from->rdata_len);

	if (!record)
		return E_NOMEM;
	*record = *from;
	if (from->rdata_len)
		memcpy(record->rdata, rdata, from->rdata_len);
	if (set->last)
		set->last->next = record;
	else
		set->first = record;
	set->last = record;
	must(set->count < UINT16_MAX); // every record takes at least DNS_RECORD_LEN of ZONE_RRSET_WIRE_MAX octets
	set->count++;
	set->wire_len += DNS_RECORD_LEN + from->rdata_len;
	return E_OK;
}

int zone_builder_record(struct zone_builder *builder, struct report *report, struct zone_origin origin,
                        const uint8_t *owner, size_t owner_len, uint16_t type, uint32_t ttl_s, const uint8_t *rdata,
                        size_t rdata_len)
{
	char text[NAME_TEXT_MAX], type_text[16];
	struct draft_name *name;
	int err = take_owner(builder, report, origin, owner, owner_len, &name);

	if (err < 0)
		return err;
	if (!name->zone->first.file && (type != DNS_DS || name->parent)) // at the apex it is in the file of the zone above
		name->zone->first = origin;
	if (check_type(builder, report, origin, name, type) < 0) {
		name->zone->incomplete = true;
		return E_INVAL;
	}
	if (rdata_len > UINT16_MAX || !rdata_well_formed(type, rdata, rdata_len)) {
		name->zone->incomplete = true;
		return zone_refuse(builder, report, origin, "%s %s: malformed data",
		                   name_to_text(name->name, name->name_len, text), zone_type_text(type, type_text));
	}

	struct draft_set *set = set_of(builder, name, type, ttl_s);

	if (!set)
		return E_NOMEM;
	if (set->ttl_s != ttl_s && !set->ttls_differ) {
		set->ttls_differ = true;
		draft_warn(report, origin, "%s %s: the RRset's records have different TTLs, using the lowest",
		           name_to_text(name->name, name->name_len, text), zone_type_text(type, type_text));
	}
	if (ttl_s < set->ttl_s)
		set->ttl_s = ttl_s;

	const struct draft_record record = {.origin = origin, .rdata_len = (uint16_t)rdata_len};

	return add_record(builder, report, name, set, &record, rdata);
}

int zone_builder_app(struct zone_builder *builder, struct report *report, struct zone_origin origin,
                     const uint8_t *owner, size_t owner_len, int32_t app, bool is_alias)
{
	char text[NAME_TEXT_MAX];
	struct draft_name *name;
	int err = take_owner(builder, report, origin, owner, owner_len, &name);

	if (err < 0)
		return err;
	if (name->app != ZONE_APP_NONE)
		return zone_refuse(builder, report, origin, "%s: another app already has this name",
		                   name_to_text(owner, owner_len, text));
	name->app = app;
	name->app_origin = origin;
	name->app_is_alias = is_alias;
	return E_OK;
}

// When a zone is inside another one, the names between their apexes exist in the outer one (RFC 8020).
static int join_nested_zones(struct zone_builder *builder)
{
	for (struct draft_zone *zone = builder->zones; zone; zone = zone->next) {
		struct name above;

		if (zone->apex->name_len == 1)
			continue;

		size_t label = (size_t)zone->apex->name[0] + 1;

		must(name_read(zone->apex->name + label, zone->apex->name_len - label, &above) == 0);

		struct draft_zone *outer = zone_of(builder, &above);

		if (outer && !intern(builder, outer, above.wire, above.len))
			return E_NOMEM;
	}
	return E_OK;
}

int zone_builder_finish(struct zone_builder *builder, struct report *report, struct zonedb **ret_db)
{
	int err = join_nested_zones(builder);

	if (err == E_OK)
		err = zone_validate(builder, report);
	if (err == E_OK)
		err = zone_freeze(builder, ret_db);
	return err;
}
