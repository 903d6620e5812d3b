// Turns a valid draft of the zones into the form that queries read: an array of nodes, RRsets in wire form, one hash
// table. Called by zone_builder_finish(); the result owns its memory.
#include "zone/freeze.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/must.h"
#include "wire/put.h"
#include "zone/check.h"
#include "zone/draft.h"
#include "zone/zonedb.h"

static const size_t DB_BYTES_MAX = (size_t)16 << 30;

static const uint16_t ADDRESS_TYPES[] = {DNS_A, DNS_AAAA};

static uint8_t *put_rdata(uint8_t *at, const struct draft_record *record)
{
	memcpy(at, record->rdata, record->rdata_len);
	return at + record->rdata_len;
}

static int compile_set(struct arena *arena, const struct draft_set *set, uint32_t ttl_s, struct rrset *ret_rrset)
{
	uint8_t *wire = arena_take(arena, set->wire_len), *at = wire;

	must(set->count > 0 && set->wire_len <= ZONE_RRSET_WIRE_MAX);
	if (!wire)
		return E_NOMEM;
	for (const struct draft_record *record = set->first; record; record = record->next)
		at = put_rdata(put_record_start(at, set->type, ttl_s, record->rdata_len), record);
	must(at == wire + set->wire_len);
	*ret_rrset = (struct rrset){wire, set->wire_len, ttl_s, set->type, set->count};
	return E_OK;
}

// ---- glue ----

static uint8_t *put_glue(uint8_t *at, const struct draft_name *name, uint16_t *count)
{
	for (size_t i = 0; i < ARRAY_LEN(ADDRESS_TYPES); i++) {
		const struct draft_set *set = zone_builder_set(name, ADDRESS_TYPES[i]);

		if (!set)
			continue;
		for (const struct draft_record *record = set->first; record; record = record->next) {
			memcpy(at, name->name, name->name_len);
			at = put_record_fields(at + name->name_len, set->type, set->ttl_s, record->rdata_len);
			at = put_rdata(at, record);
			++*count;
		}
	}
	return at;
}

// The addresses of the delegation's name servers, in-domain ones first. *ret_glue is untouched when there are none.
static int compile_glue(struct arena *arena, const struct zone_builder *builder, const struct draft_name *cut,
                        const struct glue **ret_glue)
{
	const struct draft_set *ns = zone_builder_set(cut, DNS_NS);
	size_t len = 0;

	for (const struct draft_record *record = ns->first; record; record = record->next) {
		const struct draft_name *name = zone_check_glue(builder, cut, record);

		len += name ? zone_check_glue_len(name) : 0;
	}
	if (len == 0)
		return E_OK;
	must(len <= ZONE_RRSET_WIRE_MAX); // zone_check() refuses more

	struct glue *glue = arena_take(arena, sizeof(*glue));
	uint8_t *wire = arena_take(arena, len), *at = wire;

	if (!glue || !wire)
		return E_NOMEM;
	for (int sibling = 0; sibling < 2; sibling++) {
		for (const struct draft_record *record = ns->first; record; record = record->next) {
			const struct draft_name *name = zone_check_glue(builder, cut, record);

			if (name && (name->cut != cut) == sibling)
				at = put_glue(at, name, &glue->count);
		}
		if (!sibling) {
			glue->must_len = (uint32_t)(at - wire);
			glue->must_count = glue->count;
		}
	}
	must(at == wire + len);
	glue->wire = wire;
	glue->wire_len = (uint32_t)len;
	*ret_glue = glue;
	return E_OK;
}

// ---- nodes ----

// Whether the node owns the set: at or below a delegation, most belong to the other zone.
static bool is_owned(const struct draft_name *name, const struct draft_set *set)
{
	return !name->cut || (name == name->cut && (set->type == DNS_NS || set->type == DNS_DS));
}

static int compile_rrsets(struct arena *arena, const struct draft_name *name, struct node *node)
{
	unsigned count = 0;

	for (const struct draft_set *set = name->sets; set; set = set->next)
		count += is_owned(name, set);
	if (count == 0)
		return E_OK;

	struct rrset *rrsets = arena_take_array(arena, count, sizeof(*rrsets)), *at = rrsets;

	if (!rrsets)
		return E_NOMEM;
	for (const struct draft_set *set = name->sets; set; set = set->next)
		if (is_owned(name, set) && compile_set(arena, set, set->ttl_s, at++) < 0)
			return E_NOMEM;
	must(at == rrsets + count);
	node->rrsets = rrsets;
	node->rrset_count = (uint16_t)count;
	return E_OK;
}

static int compile_node(struct zonedb *db, const struct zone_builder *builder, const struct draft_name *name)
{
	struct node *node = &db->nodes[name->number];

	must(name->number < db->node_count && name->zone->number < db->zone_count);
	node->name = arena_copy(db->arena, name->name, name->name_len);
	node->name_len = name->name_len;
	node->labels = name->labels;
	node->zone = &db->zones[name->zone->number];
	node->cut = name->cut ? &db->nodes[name->cut->number] : NULL;
	node->wildcard = name->wildcard ? &db->nodes[name->wildcard->number] : NULL;
	node->app = name->app;
	if (!node->name || compile_rrsets(db->arena, name, node) < 0)
		return E_NOMEM;
	if (!name->parent)
		node->flags |= NODE_APEX;
	if (name->cut == name) {
		node->flags |= NODE_CUT;
		if (compile_glue(db->arena, builder, name, &node->glue) < 0)
			return E_NOMEM;
	}
	if (!name->sets && name->app == ZONE_APP_NONE)
		node->flags |= NODE_ENT;
	if (node->labels > db->max_labels)
		db->max_labels = node->labels;
	return E_OK;
}

static int compile_zone(struct zonedb *db, const struct draft_zone *draft)
{
	struct zone *zone = &db->zones[draft->number];
	const struct draft_set *soa = zone_builder_set(draft->apex, DNS_SOA);

	must(soa && soa->first->rdata_len >= 22); // two names and five numbers; zone_check() refuses a zone without

	const uint8_t *minimum = soa->first->rdata + soa->first->rdata_len - 4;
	uint32_t negative_s = (uint32_t)minimum[0] << 24 | (uint32_t)minimum[1] << 16 | (uint32_t)minimum[2] << 8 |
	                      minimum[3];

	if (negative_s > soa->ttl_s)
		negative_s = soa->ttl_s;
	zone->apex = &db->nodes[draft->apex->number];
	zone->soa = node_rrset(zone->apex, DNS_SOA);
	zone->ns = node_rrset(zone->apex, DNS_NS);
	must(zone->soa && zone->ns);
	return compile_set(db->arena, soa, negative_s, &zone->negative_soa);
}

static void index_names(struct zonedb *db, const struct zone_builder *builder)
{
	for (const struct draft_name *name = builder->first; name; name = name->next) {
		size_t at = name->hash & db->mask;

		while (db->slots[at].number)
			at = (at + 1) & db->mask;
		db->slots[at] = (struct zonedb_slot){.tag = (uint32_t)(name->hash >> 32), .number = name->number + 1};
	}
}

// Allocates everything whose number is known. The nodes are aligned to cache lines.
static int reserve(struct zonedb *db, const struct zone_builder *builder)
{
	size_t slots = 4;

	while (slots < builder->count * 2)
		slots *= 2;
	db->mask = slots - 1;
	db->node_count = builder->count;
	db->zone_count = builder->zone_count;
	db->arena = arena_new(DB_BYTES_MAX);
	if (!db->arena)
		return E_NOMEM;
	db->slots = arena_take_array(db->arena, slots, sizeof(*db->slots));
	db->zones = arena_take_array(db->arena, db->zone_count, sizeof(*db->zones));

	char *nodes = arena_take_array(db->arena, db->node_count + 1, sizeof(*db->nodes));

	if (!db->slots || !db->zones || !nodes)
		return E_NOMEM;
	db->nodes = (struct node *)(void *)(nodes + (-(uintptr_t)nodes & (CACHE_LINE - 1)));
	return E_OK;
}

int zone_freeze(struct zone_builder *builder, struct zonedb **ret_db)
{
	struct zonedb *db = calloc(1, sizeof(*db));
	uint32_t number = 0;
	int err = E_NOMEM;

	if (!db || reserve(db, builder) < 0)
		goto out;
	for (struct draft_name *name = builder->first; name; name = name->next)
		name->number = number++;
	must(number == db->node_count);
	for (const struct draft_name *name = builder->first; name; name = name->next)
		if (compile_node(db, builder, name) < 0)
			goto out;
	for (const struct draft_zone *zone = builder->zones; zone; zone = zone->next)
		if (compile_zone(db, zone) < 0)
			goto out;
	index_names(db, builder);
	*ret_db = db;
	db = NULL;
	err = E_OK;
out:
	zonedb_free(db);
	return err;
}
