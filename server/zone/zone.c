// The zones as queries read them: one hash table of the owner names of all zones. Called by every query; owns only its
// arena. freeze.c fills it.
#include "zone/zone.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/must.h"
#include "zone/zonedb.h"

_Static_assert(sizeof(struct node) == 64, "a node fills one cache line");

const struct node *zonedb_find(const struct zonedb *db, const uint8_t *name, size_t len, uint64_t hash)
{
	const uint32_t tag = (uint32_t)(hash >> 32);

	for (size_t at = hash & db->mask; db->slots[at].number; at = (at + 1) & db->mask) {
		if (db->slots[at].tag != tag)
			continue;

		const struct node *node = &db->nodes[db->slots[at].number - 1];

		dev_must(db->slots[at].number <= db->node_count);
		if (node->name_len == len && memcmp(node->name, name, len) == 0)
			return node;
	}
	return NULL;
}

unsigned zonedb_max_labels(const struct zonedb *db)
{
	return db->max_labels;
}

size_t zonedb_zone_count(const struct zonedb *db)
{
	return db->zone_count;
}

const struct zone *zonedb_zone(const struct zonedb *db, size_t i)
{
	must(i < db->zone_count);
	return &db->zones[i];
}

size_t zonedb_node_count(const struct zonedb *db)
{
	return db->node_count;
}

struct zonedb *zonedb_free(struct zonedb *db)
{
	if (!db)
		return NULL;
	arena_free(db->arena);
	free(db);
	return NULL;
}
