// The inside of a zonedb, for zone.c, which reads it, and freeze.c and overlay.c, which make it.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct arena;
struct node;
struct zone;

struct zonedb_slot {
	uint32_t tag;    // upper half of the hash
	uint32_t number; // 1 + index in nodes; 0: empty
};

struct zonedb {
	const struct zonedb *base; // what it lies over, where its nodes are not found; NULL: nothing
	struct arena *arena;
	struct zonedb_slot *slots;
	size_t mask;
	struct node *nodes;
	size_t node_count;
	struct zone *zones; // of the lowest base
	size_t zone_count;
	unsigned max_labels;
};

// With room for so many nodes, aligned to cache lines, and their index; the rest is zero. NULL when out of memory.
struct zonedb *zonedb_new(size_t node_count) MUST_USE;
// Puts a node, by the hash of its name, in the index.
void zonedb_index(struct zonedb *db, const struct node *node, uint64_t hash);
