// Turns a valid draft of the zones into the form that queries read: an array of nodes, RRsets in wire form, one hash
// table. Called by zone_builder_finish(); the result owns its memory.
#include "zone/freeze.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/must.h"
#include "wire/put.h"
#include "zone/draft.h"
#include "zone/referral.h"
#include "zone/zonedb.h"

static int compile_set(struct arena *arena, const struct draft_set *set, uint32_t ttl_s, struct rrset *ret_rrset)
{
	uint8_t *wire = arena_take(arena, set->wire_len), *at = wire;

	must(set->count > 0 && set->wire_len <= ZONE_RRSET_WIRE_MAX);
	if (!wire)
		return E_NOMEM;
	for (const struct draft_record *record = set->first; record; record = record->next) {
		at = put_record_start(at, set->type, ttl_s, record->rdata_len);
		memcpy(at, record->rdata, record->rdata_len);
		at += record->rdata_len;
	}
	must(at == wire + set->wire_len);
	*ret_rrset = (struct rrset){wire, set->wire_len, ttl_s, set->type, set->count};
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

static int compile_node(struct zonedb *db, const struct zone_builder *builder, struct zone_referral_maker *maker,
                        const struct draft_name *name)
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
		if (zone_referral_compile(maker, db->arena, builder, name, &node->referral) < 0)
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

	must(soa && soa->first->rdata_len >= 22); // two names and five numbers; zone_validate() refuses a zone without

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

int zone_freeze(struct zone_builder *builder, struct zonedb **ret_db)
{
	struct zonedb *db = zonedb_new(builder->count);
	struct zone_referral_maker *maker = zone_referral_maker_new();
	uint32_t number = 0;
	int err = E_NOMEM;

	if (!db || !maker)
		goto out;
	db->zone_count = builder->zone_count;
	db->zones = arena_take_array(db->arena, db->zone_count, sizeof(*db->zones));
	if (!db->zones)
		goto out;
	for (struct draft_name *name = builder->first; name; name = name->next)
		name->number = number++;
	must(number == db->node_count);
	for (const struct draft_name *name = builder->first; name; name = name->next)
		if (compile_node(db, builder, maker, name) < 0)
			goto out;
	for (const struct draft_zone *zone = builder->zones; zone; zone = zone->next)
		if (compile_zone(db, zone) < 0)
			goto out;
	for (const struct draft_name *name = builder->first; name; name = name->next)
		zonedb_index(db, &db->nodes[name->number], name->hash);
	*ret_db = db;
	db = NULL;
	err = E_OK;
out:
	zone_referral_maker_free(maker);
	zonedb_free(db);
	return err;
}
