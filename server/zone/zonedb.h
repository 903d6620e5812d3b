// The inside of a zonedb, for zone.c, which reads it, and freeze.c, which makes it.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct arena;
struct node;
struct zone;

struct zonedb_slot {
	uint32_t tag;    // upper half of the hash
	uint32_t number; // 1 + index in nodes; 0: empty
};

struct zonedb {
	struct arena *arena;
	struct zonedb_slot *slots;
	size_t mask;
	struct node *nodes;
	size_t node_count;
	struct zone *zones;
	size_t zone_count;
	unsigned max_labels;
};
