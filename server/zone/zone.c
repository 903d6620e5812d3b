// The zones as queries read them: one hash table of the owner names of all zones. Called by every query; owns only its
// arena. freeze.c fills it, or overlay.c, with names that come before those of its base.
#include "zone/zone.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/must.h"
#include "zone/zonedb.h"

_Static_assert(sizeof(struct node) == 64, "a node fills one cache line");

static const size_t DB_BYTES_MAX = (size_t)16 << 30;

struct zonedb *zonedb_new(size_t node_count)
{
	struct zonedb *db = calloc(1, sizeof(*db));
	size_t slots = 4;

	if (!db)
		return NULL;
	while (slots < node_count * 2)
		slots *= 2;
	db->mask = slots - 1;
	db->node_count = node_count;
	db->arena = arena_new(DB_BYTES_MAX);
	db->slots = db->arena ? arena_take_array(db->arena, slots, sizeof(*db->slots)) : NULL;

	char *nodes = db->slots ? arena_take_array(db->arena, node_count + 1, sizeof(*db->nodes)) : NULL;

	if (!nodes)
		return zonedb_free(db);
	db->nodes = (struct node *)(void *)(nodes + (-(uintptr_t)nodes & (CACHE_LINE - 1)));
	return db;
}

void zonedb_index(struct zonedb *db, const struct node *node, uint64_t hash)
{
	size_t at = hash & db->mask;

	while (db->slots[at].number)
		at = (at + 1) & db->mask;
	db->slots[at] = (struct zonedb_slot){(uint32_t)(hash >> 32), (uint32_t)(node - db->nodes) + 1};
}

static inline const struct node *find_own(const struct zonedb *db, const uint8_t *name, size_t len, uint64_t hash)
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

const struct node *zonedb_find(const struct zonedb *db, const uint8_t *name, size_t len, uint64_t hash)
{
	const struct node *node = find_own(db, name, len, hash);

	while (unlikely(!node && db->base)) {
		db = db->base;
		node = find_own(db, name, len, hash);
	}
	return node;
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
	return db->node_count + (db->base ? zonedb_node_count(db->base) : 0);
}

struct zonedb *zonedb_free(struct zonedb *db)
{
	if (!db)
		return NULL;
	arena_free(db->arena);
	free(db);
	return NULL;
}
